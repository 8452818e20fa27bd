//! `html`, `js` and `urlquery`: texts made safe for where they go.

use crate::{
    Value,
    builtins::{Returned, finish},
    format,
    output::Output,
    quote,
};

/// The arguments as one text: a string itself, everything else as an action would print it.
fn text(args: &[Value], bytes_max: usize) -> Output {
    let mut out = Output::new(bytes_max);
    if let [Value::String(text)] = args {
        out.push_str(text);
        return out;
    }
    let shown: Vec<Value> = args.iter().map(shown).collect();
    format::print(&mut out, &shown);
    out
}

/// The value that an action prints for this one: what a pointer points to, `<no value>` for nil.
pub(crate) fn shown(value: &Value) -> Value {
    match value {
        Value::Nil => "<no value>".into(),
        Value::Struct(it) if it.is_pointer && it.text.is_none() => {
            let mut target = (**it).clone();
            target.is_pointer = false;
            target.into()
        }
        other => other.clone(),
    }
}

fn escaped(args: &[Value], bytes_max: usize, each: fn(&mut Output, char)) -> Returned {
    let text = text(args, bytes_max);
    let mut out = Output::new(if text.is_full() { 0 } else { bytes_max });
    for c in text.into_string().chars() {
        each(&mut out, c);
    }
    finish(out)
}

pub(crate) fn html(args: &[Value], bytes_max: usize) -> Returned {
    escaped(args, bytes_max, |out, c| match c {
        '"' => out.push_str("&#34;"),
        '\'' => out.push_str("&#39;"),
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\0' => out.push(char::REPLACEMENT_CHARACTER),
        _ => out.push(c),
    })
}

pub(crate) fn js(args: &[Value], bytes_max: usize) -> Returned {
    escaped(args, bytes_max, |out, c| match c {
        '\\' => out.push_str("\\\\"),
        '\'' => out.push_str("\\'"),
        '"' => out.push_str("\\\""),
        '<' | '>' | '&' | '=' | '\0'..' ' => unicode(out, c),
        _ if c.is_ascii() || quote::is_print(c) => out.push(c),
        _ => unicode(out, c),
    })
}

/// Writes `\u003C`, with upper case digits and as many as the character needs.
fn unicode(out: &mut Output, c: char) {
    let code = u32::from(c);
    let mut digits = String::new();
    let count = if code > 0xf_ffff {
        6
    } else if code > 0xffff {
        5
    } else {
        4
    };
    quote::hex(&mut digits, "", code, count);
    digits.make_ascii_uppercase();
    out.push_str("\\u");
    out.push_str(&digits);
}

/// Go's `url.QueryEscape`: all but letters, digits and `-_.~`; a space becomes `+`.
pub(crate) fn url_query(args: &[Value], bytes_max: usize) -> Returned {
    escaped(args, bytes_max, |out, c| match c {
        ' ' => out.push('+'),
        _ if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~') => out.push(c),
        _ => {
            for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
                let mut hex = String::new();
                quote::hex(&mut hex, "%", byte.into(), 2);
                hex.make_ascii_uppercase();
                out.push_str(&hex);
            }
        }
    })
}
