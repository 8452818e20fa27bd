//! Go's `fmt`: `Sprint`, `Sprintln` and `Sprintf` over values.

mod number;
mod printer;
mod verbs;

use crate::{Value, output::Output};

pub(crate) use number::shortest;
pub(crate) use verbs::printf;

/// Appends a value as `%v` prints it.
pub(crate) fn write(out: &mut Output, value: &Value) {
    write_as(out, value, 'v');
}

/// Appends a value as a verb without flags prints it.
pub(crate) fn write_as(out: &mut Output, value: &Value, verb: char) {
    printer::Printer::new(out).argument(value, verb);
}

/// `fmt.Sprint`: a space between two operands where neither is a string.
pub(crate) fn print(out: &mut Output, values: &[Value]) {
    let mut after_text = true;
    for value in values {
        let is_text = matches!(value.plain(), Value::String(_));
        if !after_text && !is_text {
            out.push(' ');
        }
        write(out, value);
        after_text = is_text;
    }
}

/// `fmt.Sprintln`: a space between all operands and a newline at the end.
pub(crate) fn println(out: &mut Output, values: &[Value]) {
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write(out, value);
    }
    out.push('\n');
}
