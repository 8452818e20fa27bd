//! Go's built-in functions: printing, comparison, indexing.

use std::cmp::Ordering;

use crate::{CallError, List, Value, format, output::Output};

pub(crate) type Returned = Result<Value, CallError>;

/// The text that was written, if it fitted.
pub(crate) fn finish(out: Output) -> Returned {
    if out.is_full() { Err(CallError::TooLarge) } else { Ok(out.into_string().into()) }
}

pub(crate) fn print(args: &[Value], bytes_max: usize) -> Returned {
    let mut out = Output::new(bytes_max);
    format::print(&mut out, args);
    finish(out)
}

pub(crate) fn println(args: &[Value], bytes_max: usize) -> Returned {
    let mut out = Output::new(bytes_max);
    format::println(&mut out, args);
    finish(out)
}

pub(crate) fn printf(args: &[Value], bytes_max: usize) -> Returned {
    let [Value::String(format), values @ ..] = args else { return Err("no format".into()) };
    let mut out = Output::new(bytes_max);
    format::printf(&mut out, format, values);
    finish(out)
}

/// What `and` and `or` give when no argument decided earlier.
#[expect(clippy::unnecessary_wraps, reason = "all functions have the type `Call`")]
pub(crate) fn last(args: &[Value], _: usize) -> Returned {
    Ok(args.last().cloned().unwrap_or(Value::Nil))
}

#[expect(clippy::unnecessary_wraps, reason = "all functions have the type `Call`")]
pub(crate) fn not(args: &[Value], _: usize) -> Returned {
    Ok(Value::Bool(!args[0].is_true()))
}

/// No value is a function here, so this only says so, as Go does. The callee's text comes first.
pub(crate) fn call(args: &[Value], _: usize) -> Returned {
    let [Value::String(callee), value, ..] = args else { return Err("call of nil".into()) };
    Err(match value {
        Value::Nil => "call of nil".into(),
        other => ["non-function ", callee, " of type ", &other.type_name()].concat().into(),
    })
}

/// Kinds that Go can order or compare across types.
#[derive(Clone, Copy, PartialEq)]
enum Basic<'v> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(&'v str),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    match value.plain() {
        Value::Bool(it) => Some(Basic::Bool(*it)),
        Value::Int(it) => Some(Basic::Int(*it)),
        Value::Uint(it) => Some(Basic::Uint(*it)),
        Value::Float(it) => Some(Basic::Float(*it)),
        Value::String(it) => Some(Basic::String(it)),
        _ => None,
    }
}

fn incompatible(a: &Value, b: &Value) -> CallError {
    ["incompatible types for comparison: ", &a.type_name(), " and ", &b.type_name()].concat().into()
}

/// Whether the first argument equals one of the others.
pub(crate) fn eq(args: &[Value], _: usize) -> Returned {
    let (first, others) = (&args[0], &args[1..]);
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if is_equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(crate) fn ne(args: &[Value], _: usize) -> Returned {
    Ok(Value::Bool(!is_equal(&args[0], &args[1])?))
}

fn is_equal(a: &Value, b: &Value) -> Result<bool, CallError> {
    match (basic(a), basic(b)) {
        (Some(Basic::Int(a)), Some(Basic::Uint(b))) | (Some(Basic::Uint(b)), Some(Basic::Int(a))) => {
            Ok(u64::try_from(a) == Ok(b))
        }
        (Some(one), Some(other)) => {
            if std::mem::discriminant(&one) == std::mem::discriminant(&other) {
                Ok(one == other)
            } else {
                Err(incompatible(a, b))
            }
        }
        // A basic value is never nil.
        (Some(_), None) if matches!(b, Value::Nil) => Ok(false),
        (None, Some(_)) if matches!(a, Value::Nil) => Ok(false),
        (Some(_), None) | (None, Some(_)) => Err(incompatible(a, b)),
        (None, None) => is_equal_composite(a, b),
    }
}

fn is_equal_composite(a: &Value, b: &Value) -> Result<bool, CallError> {
    let is_nil = |value: &Value| match value {
        Value::Nil | Value::NilPointer(_) => true,
        Value::List(list) => list.is_nil,
        Value::Map(map) => map.is_nil,
        _ => false,
    };
    let is_pointer = |value: &Value| match value {
        Value::Struct(it) => it.is_pointer,
        other => matches!(other, Value::NilPointer(_)),
    };
    let is_same_kind = std::mem::discriminant(a) == std::mem::discriminant(b)
        && is_pointer(a) == is_pointer(b)
        || is_pointer(a) && is_pointer(b)
        || matches!((a, b), (Value::Time(_), Value::Struct(it)) | (Value::Struct(it), Value::Time(_)) if !it.is_pointer);
    if !is_same_kind && !matches!(a, Value::Nil) && !matches!(b, Value::Nil) {
        let parts = [&text_as(a, 's'), ": ", &a.type_name(), ", ", &b.type_name(), ": ", &text(b)].concat();
        return Err(["non-comparable types ", &parts].concat().into());
    }
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) && is_nil(b));
    }
    match (a, b) {
        (_, Value::List(_) | Value::Map(_)) => {
            Err(["non-comparable type ", &text_as(b, 's'), ": ", &b.type_name()].concat().into())
        }
        (Value::Struct(a), Value::Struct(b)) if a.is_pointer => Ok(std::sync::Arc::ptr_eq(a, b)),
        (Value::Struct(a), Value::Struct(b)) => Ok(std::ptr::eq(a.of, b.of) && a.values == b.values),
        _ => Ok(a == b),
    }
}

/// A value as an error text shows it.
pub(crate) fn text(value: &Value) -> String {
    text_as(value, 'v')
}

fn text_as(value: &Value, verb: char) -> String {
    let mut out = Output::new(crate::limits::OUTPUT_BYTES_MAX);
    format::write_as(&mut out, value, verb);
    out.into_string()
}

fn order(args: &[Value], is_wanted: fn(Option<Ordering>) -> bool) -> Returned {
    let bad_type = || CallError::from("invalid type for comparison");
    let (a, b) = (basic(&args[0]).ok_or_else(bad_type)?, basic(&args[1]).ok_or_else(bad_type)?);
    let ordering = match (a, b) {
        (Basic::Int(a), Basic::Int(b)) => Some(a.cmp(&b)),
        (Basic::Uint(a), Basic::Uint(b)) => Some(a.cmp(&b)),
        (Basic::Int(a), Basic::Uint(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Basic::Uint(a), Basic::Int(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Basic::Float(a), Basic::Float(b)) => a.partial_cmp(&b),
        (Basic::String(a), Basic::String(b)) => Some(a.cmp(b)),
        (Basic::Bool(_), Basic::Bool(_)) => return Err(bad_type()),
        _ => return Err(incompatible(&args[0], &args[1])),
    };
    Ok(Value::Bool(is_wanted(ordering)))
}

pub(crate) fn lt(args: &[Value], _: usize) -> Returned {
    order(args, |ordering| ordering == Some(Ordering::Less))
}

pub(crate) fn le(args: &[Value], _: usize) -> Returned {
    order(args, |ordering| matches!(ordering, Some(Ordering::Less | Ordering::Equal)))
}

/// Go takes "greater" for "not less or equal", so a NaN is greater than everything.
pub(crate) fn gt(args: &[Value], _: usize) -> Returned {
    order(args, |ordering| !matches!(ordering, Some(Ordering::Less | Ordering::Equal)))
}

pub(crate) fn ge(args: &[Value], _: usize) -> Returned {
    order(args, |ordering| ordering != Some(Ordering::Less))
}

/// The length in items, entries or bytes.
pub(crate) fn len(args: &[Value], _: usize) -> Returned {
    let length = match args[0].plain() {
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) => map.entries.len(),
        Value::Nil | Value::NilPointer(_) => return Err("len of nil pointer".into()),
        _ => return Err(["len of type ", &args[0].target_type_name()].concat().into()),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// A place in a list or text of `length`; `length` itself passes, as in Go.
fn place(index: &Value, length: usize) -> Result<usize, CallError> {
    let number = match index.plain() {
        Value::Int(it) => *it,
        // Go converts, so a number beyond `int` becomes negative and is out of range.
        Value::Uint(it) => it.cast_signed(),
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        _ => return Err(["cannot index slice/array with type ", &index.type_name()].concat().into()),
    };
    usize::try_from(number)
        .ok()
        .filter(|&place| place <= length)
        .ok_or_else(|| ["index out of range: ", &number.to_string()].concat().into())
}

/// `index x 1 2` is `x[1][2]`.
pub(crate) fn index(args: &[Value], _: usize) -> Returned {
    let mut item = args[0].clone();
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".into());
    }
    for index in &args[1..] {
        item = match &item {
            Value::Nil | Value::NilPointer(_) => return Err("index of nil pointer".into()),
            Value::List(list) => {
                let place = place(index, list.items.len())?;
                list.items.get(place).cloned().ok_or("reflect: slice index out of range")?
            }
            Value::String(text) => {
                let place = place(index, text.len())?;
                let byte = text.as_bytes().get(place).ok_or("reflect: string index out of range")?;
                Value::Uint((*byte).into())
            }
            Value::Map(map) => match index {
                Value::String(key) => map.entries.get(&**key).cloned().unwrap_or_else(|| map.zero()),
                Value::Nil => return Err("value is nil; should be of type string".into()),
                other => {
                    return Err(["value has type ", &other.type_name(), "; should be string"]
                        .concat()
                        .into());
                }
            },
            other => return Err(["can't index item of type ", &other.target_type_name()].concat().into()),
        };
    }
    Ok(item)
}

/// `slice x 1 2` is `x[1:2]`; a text is cut at bytes, and half a character becomes U+FFFD.
pub(crate) fn slice(args: &[Value], _: usize) -> Returned {
    let (item, indexes) = (args[0].plain(), &args[1..]);
    let length = match item {
        Value::Nil => return Err("slice of untyped nil".into()),
        Value::NilPointer(_) => return Err("slice of nil pointer".into()),
        _ if indexes.len() > 3 => {
            return Err(["too many slice indexes: ", &indexes.len().to_string()].concat().into());
        }
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len(),
        _ => return Err(["can't slice item of type ", &args[0].target_type_name()].concat().into()),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = place(index, length)?;
    }
    for pair in bounds.windows(2) {
        if pair[0] > pair[1] {
            let (low, high) = (pair[0].to_string(), pair[1].to_string());
            return Err(["invalid slice index: ", &low, " > ", &high].concat().into());
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(match item {
        Value::String(text) => String::from_utf8_lossy(&text.as_bytes()[range]).into_owned().into(),
        Value::List(list) => List::new(list.item_type, list.items[range].to_vec()).into(),
        other => other.clone(),
    })
}
