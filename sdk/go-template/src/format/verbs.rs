//! `printf`: reads the format and hands each operand to the printer.

use crate::{
    Value,
    format::printer::{Flag, Flags, Printer},
    output::Output,
};

/// Go takes no width or precision above a million.
const NUMBER_MAX: usize = 1_000_000;

struct Reader<'a> {
    rest: &'a str,
    values: &'a [Value],
    /// The operand that comes next.
    next: usize,
    /// Whether an index such as `[2]` was used; then operands left over are no error.
    is_reordered: bool,
    /// Whether the last thing read was an index.
    after_index: bool,
    is_good_index: bool,
}

/// `fmt.Sprintf`
pub(crate) fn printf(out: &mut Output, format: &str, values: &[Value]) {
    let mut reader = Reader {
        rest: format,
        values,
        next: 0,
        is_reordered: false,
        after_index: false,
        is_good_index: true,
    };
    let mut printer = Printer::new(out);
    while let Some(percent) = reader.rest.find('%')
        && !printer.out.is_full()
    {
        printer.out.push_str(&reader.rest[..percent]);
        reader.rest = &reader.rest[percent + 1..];
        reader.verb(&mut printer);
    }
    printer.out.push_str(reader.rest);
    printer.flags = Flags::default();
    if !reader.is_reordered && reader.next < values.len() {
        printer.out.push_str("%!(EXTRA ");
        for (i, value) in values[reader.next..].iter().enumerate() {
            printer.out.push_str(if i > 0 { ", " } else { "" });
            if !matches!(value, Value::Nil) {
                printer.out.push_str(&value.type_name());
                printer.out.push('=');
            }
            printer.argument(value, 'v');
        }
        printer.out.push(')');
    }
}

impl Reader<'_> {
    /// Reads what follows a `%` and prints the operand.
    fn verb(&mut self, printer: &mut Printer<'_>) {
        printer.flags = Flags::default();
        self.is_good_index = true;
        self.after_index = false;
        while let Some(flag) = self.rest.chars().next().and_then(flag) {
            printer.flags.add(flag);
            self.rest = &self.rest[1..];
        }
        self.index();
        self.width(printer);
        self.precision(printer);
        if !self.after_index {
            self.index();
        }
        let Some(verb) = self.rest.chars().next() else {
            return printer.out.push_str("%!(NOVERB)");
        };
        self.rest = &self.rest[verb.len_utf8()..];
        let problem = match self.values.get(self.next) {
            _ if verb == '%' => return printer.out.push('%'),
            _ if !self.is_good_index => "(BADINDEX)",
            None => "(MISSING)",
            Some(value) => {
                if verb == 'v' {
                    printer.flags.for_verb_v();
                }
                printer.argument(value, verb);
                self.next += 1;
                return;
            }
        };
        printer.out.push_str("%!");
        printer.out.push(verb);
        printer.out.push_str(problem);
    }

    fn width(&mut self, printer: &mut Printer<'_>) {
        if self.take('*') {
            match self.number_operand() {
                Some(width) => {
                    printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
                    if width < 0 {
                        printer.flags.add(Flag::Minus);
                        printer.flags.remove(Flag::Zero);
                    }
                }
                None => printer.out.push_str("%!(BADWIDTH)"),
            }
            self.after_index = false;
            return;
        }
        printer.flags.width = self.number();
        if self.after_index && printer.flags.width.is_some() {
            self.is_good_index = false;
        }
    }

    fn precision(&mut self, printer: &mut Printer<'_>) {
        if self.rest.len() < 2 || !self.take('.') {
            return;
        }
        if self.after_index {
            self.is_good_index = false;
        }
        self.index();
        if self.take('*') {
            let precision = self.number_operand().and_then(|precision| usize::try_from(precision).ok());
            if precision.is_none() {
                printer.out.push_str("%!(BADPREC)");
            }
            printer.flags.precision = precision;
            self.after_index = false;
        } else {
            printer.flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads a decimal number; one that is too large ends the format.
    fn number(&mut self) -> Option<usize> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        if digits.is_empty() {
            return None;
        }
        // Go looks at the number before it adds the last digit.
        let number = digits.parse().ok().filter(|&number: &usize| number / 10 <= NUMBER_MAX);
        if number.is_none() {
            self.rest = "";
        }
        number
    }

    /// Takes the next operand as a width or precision.
    fn number_operand(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        let number = match value.plain() {
            Value::Int(it) => *it,
            Value::Uint(it) => i64::try_from(*it).ok()?,
            _ => return None,
        };
        let max = i64::try_from(NUMBER_MAX).unwrap_or(i64::MAX);
        (-max..=max).contains(&number).then_some(number)
    }

    /// Reads an operand index: `[2]`.
    fn index(&mut self) {
        self.after_index = false;
        let Some(inner) = self.rest.strip_prefix('[') else { return };
        self.is_reordered = true;
        let Some(end) = inner.find(']') else {
            self.is_good_index = false;
            self.rest = inner;
            return;
        };
        let index = inner[..end].parse::<usize>().ok().filter(|&index| index <= NUMBER_MAX);
        self.rest = &inner[end + 1..];
        match index {
            Some(index) if index >= 1 && index <= self.values.len() => {
                self.next = index - 1;
                self.after_index = true;
            }
            Some(_) => {
                self.is_good_index = false;
                self.after_index = true;
            }
            None => self.is_good_index = false,
        }
    }
}

fn flag(c: char) -> Option<Flag> {
    match c {
        '-' => Some(Flag::Minus),
        '+' => Some(Flag::Plus),
        '#' => Some(Flag::Sharp),
        ' ' => Some(Flag::Space),
        '0' => Some(Flag::Zero),
        _ => None,
    }
}
