//! The helpers that Diun gives its templates (`reference/diun.md` §1.2). All arguments are strings.

use crate::{
    CallError, Value,
    builtins::{Returned, finish},
    output::Output,
};

fn string(args: &[Value], index: usize) -> Result<&str, CallError> {
    args.get(index).and_then(Value::as_str).ok_or_else(|| "expected string".into())
}

pub(crate) fn lower(args: &[Value], bytes_max: usize) -> Returned {
    each(string(args, 0)?, bytes_max, |out, c| {
        // Go maps character by character, so `İ` gives one character and a final sigma nothing special.
        out.push(c.to_lowercase().next().unwrap_or(c));
    })
}

pub(crate) fn upper(args: &[Value], bytes_max: usize) -> Returned {
    each(string(args, 0)?, bytes_max, |out, c| {
        // Go maps character by character, so `ß` stays what it is.
        let mut mapped = c.to_uppercase();
        out.push(if mapped.len() == 1 { mapped.next().unwrap_or(c) } else { c });
    })
}

pub(crate) fn trim(args: &[Value], _: usize) -> Returned {
    Ok(string(args, 0)?.trim().into())
}

pub(crate) fn trim_prefix(args: &[Value], _: usize) -> Returned {
    let (prefix, text) = (string(args, 0)?, string(args, 1)?);
    Ok(text.strip_prefix(prefix).unwrap_or(text).into())
}

pub(crate) fn trim_suffix(args: &[Value], _: usize) -> Returned {
    let (suffix, text) = (string(args, 0)?, string(args, 1)?);
    Ok(text.strip_suffix(suffix).unwrap_or(text).into())
}

pub(crate) fn replace(args: &[Value], bytes_max: usize) -> Returned {
    let (old, new, text) = (string(args, 0)?, string(args, 1)?, string(args, 2)?);
    let mut out = Output::new(bytes_max);
    let mut end = 0;
    for (start, found) in text.match_indices(old) {
        out.push_str(&text[end..start]);
        out.push_str(new);
        if out.is_full() {
            break;
        }
        end = start + found.len();
    }
    out.push_str(&text[end..]);
    finish(out)
}

/// A backslash before each of `_`, `*`, `[` and the backquote.
pub(crate) fn escape_markdown(args: &[Value], bytes_max: usize) -> Returned {
    each(string(args, 0)?, bytes_max, |out, c| {
        out.push_str(if matches!(c, '_' | '*' | '[' | '`') { "\\" } else { "" });
        out.push(c);
    })
}

fn each(text: &str, bytes_max: usize, map: fn(&mut Output, char)) -> Returned {
    let mut out = Output::new(bytes_max);
    for c in text.chars() {
        map(&mut out, c);
    }
    finish(out)
}

/// `regexReplaceAll re replacement text`, with `$1` and `${name}` in the replacement.
#[cfg(feature = "regex")]
pub(crate) fn regex_replace_all(args: &[Value], bytes_max: usize) -> Returned {
    let (pattern, replacement, text) = (string(args, 0)?, string(args, 1)?, string(args, 2)?);
    let regex = regex_lite::RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| ["error parsing regexp: ", &error.to_string()].concat())?;
    let references = replacement.bytes().filter(|&byte| byte == b'$').count();
    let mut out = Output::new(bytes_max);
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        out.push_str(&text[end..found.start()]);
        // A reference gives at most the whole match.
        if replacement.len() + references * found.len() > bytes_max {
            return Err(CallError::TooLarge);
        }
        let mut expanded = String::new();
        captures.expand(replacement, &mut expanded);
        out.push_str(&expanded);
        if out.is_full() {
            break;
        }
        end = found.end();
    }
    out.push_str(&text[end..]);
    finish(out)
}

/// A compiled pattern may take 64 KiB, some thousand states: matching takes time with its size and the text's.
#[cfg(feature = "regex")]
const REGEX_BYTES_MAX: usize = 64 << 10;
