//! Go's `encoding/json.Marshal`: compact, with the characters of HTML escaped.

use crate::{CallError, Struct, Value, builtins, builtins::Returned, format, output::Output, quote};

/// Encodes a value as Go's `json.Marshal` does.
///
/// Struct fields come in declared order under their JSON names, map keys sorted; `<`, `>`, `&`, U+2028 and U+2029
/// are escaped; times are RFC 3339 with as many digits of the second as they need.
///
/// # Errors
///
/// A NaN or an infinity has no JSON form.
pub fn to_json(value: &Value) -> Result<String, String> {
    let mut out = Output::unlimited();
    write(&mut out, value)?;
    Ok(out.into_string())
}

pub(crate) fn call(args: &[Value], bytes_max: usize) -> Returned {
    let mut out = Output::new(bytes_max);
    write(&mut out, &args[0]).map_err(CallError::Refused)?;
    builtins::finish(out)
}

fn write(out: &mut Output, value: &Value) -> Result<(), String> {
    if out.is_full() {
        return Ok(());
    }
    match value {
        Value::Nil | Value::NilPointer(_) => out.push_str("null"),
        Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Value::Int(it) => out.push_str(&it.to_string()),
        Value::Uint(it) => out.push_str(&it.to_string()),
        Value::Float(it) => write_float(out, *it)?,
        Value::String(it) => write_string(out, it),
        Value::List(list) if list.is_nil => out.push_str("null"),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write(out, item)?;
            }
            out.push(']');
        }
        Value::Map(map) if map.is_nil => out.push_str("null"),
        Value::Map(map) => {
            out.push('{');
            for (i, (key, item)) in map.entries.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_string(out, key);
                out.push(':');
                write(out, item)?;
            }
            out.push('}');
        }
        Value::Struct(it) => write_struct(out, it)?,
        Value::Time(time) => write_string(out, &time.to_rfc3339()),
        Value::Named(named) if named.json_is_text => write_string(out, &named.text),
        Value::Named(named) => write(out, &named.value)?,
    }
    Ok(())
}

fn write_struct(out: &mut Output, it: &Struct) -> Result<(), String> {
    let mut separator = "{";
    for (field, value) in it.of.fields.iter().zip(&it.values) {
        let Some(name) = field.json else { continue };
        if field.omit_empty && is_empty(value) {
            continue;
        }
        out.push_str(separator);
        separator = ",";
        write_string(out, name);
        out.push(':');
        write(out, value)?;
    }
    out.push_str(if separator == "{" { "{}" } else { "}" });
    Ok(())
}

/// Whether `omitempty` drops the value: a zero scalar, nil, or something of length 0; never a struct.
fn is_empty(value: &Value) -> bool {
    !matches!(value, Value::Struct(_) | Value::Time(_)) && !value.is_true()
}

fn write_float(out: &mut Output, number: f64) -> Result<(), String> {
    if !number.is_finite() {
        return Err(["json: unsupported value: ", &builtins::text(&Value::Float(number))].concat());
    }
    let mut text = String::new();
    let magnitude = number.abs();
    let is_plain = magnitude == 0.0 || (1e-6..1e21).contains(&magnitude);
    format::shortest(&mut text, magnitude, if is_plain { 'f' } else { 'e' }, None);
    // A small exponent has one digit here: `1e-7`.
    if let Some(start) = text.find("e-0") {
        text.remove(start + 2);
    }
    out.push_str(if number.is_sign_negative() { "-" } else { "" });
    out.push_str(&text);
    Ok(())
}

fn write_string(out: &mut Output, text: &str) {
    out.push('"');
    for c in text.chars() {
        let short = match c {
            '"' | '\\' => c,
            '\x08' => 'b',
            '\x0c' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let mut escape = String::new();
                quote::hex(&mut escape, "\\u", c.into(), 4);
                out.push_str(&escape);
                continue;
            }
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push('\\');
        out.push(short);
    }
    out.push('"');
}
