//! Prints one value under one verb.

use crate::{
    List, Map, Struct, Value,
    format::number::{self, Radix},
    output::Output,
    quote,
};

/// The characters between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    set: u8,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

#[derive(Clone, Copy)]
pub(super) enum Flag {
    Minus = 1,
    Plus = 2,
    Sharp = 4,
    Space = 8,
    Zero = 16,
    /// `%+v`: field names in structs.
    PlusV = 32,
    /// `%#v`: Go syntax.
    SharpV = 64,
}

pub(super) struct Printer<'o> {
    pub(super) out: &'o mut Output,
    pub(super) flags: Flags,
    /// While it writes the value inside `%!d(string=x)`, `String` methods are not used.
    in_error: bool,
}

impl Flags {
    pub(super) fn has(self, flag: Flag) -> bool {
        self.set & flag as u8 != 0
    }

    pub(super) fn add(&mut self, flag: Flag) {
        self.set |= flag as u8;
    }

    pub(super) fn remove(&mut self, flag: Flag) {
        self.set &= !(flag as u8);
    }

    /// Under `%v` the flags `+` and `#` mean something else.
    pub(super) fn for_verb_v(&mut self) {
        for (plain, under_v) in [(Flag::Plus, Flag::PlusV), (Flag::Sharp, Flag::SharpV)] {
            if self.has(plain) {
                self.remove(plain);
                self.add(under_v);
            }
        }
    }
}

impl<'o> Printer<'o> {
    pub(super) fn new(out: &'o mut Output) -> Self {
        Self { out, flags: Flags::default(), in_error: false }
    }

    /// Prints an operand of `print` or `printf`.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'v' | 'T') => self.pad("<nil>"),
            (_, 'T') => self.text(&value.type_name(), 's'),
            (_, 'p') => self.bad_verb(value, verb),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.out.is_full() {
            return;
        }
        if !self.in_error
            && !self.flags.has(Flag::SharpV)
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = value.own_text()
        {
            return self.text(&text, verb);
        }
        match value {
            Value::Nil if depth == 0 => self.bad_verb(value, verb),
            Value::Nil if self.flags.has(Flag::SharpV) => self.out.push_str("interface {}(nil)"),
            Value::Nil => self.out.push_str("<nil>"),
            Value::Bool(it) if matches!(verb, 't' | 'v') => self.pad(if *it { "true" } else { "false" }),
            Value::Int(it) => self.integer(value, it.unsigned_abs(), *it < 0, verb),
            Value::Uint(it) => self.unsigned(value, *it, verb),
            Value::Float(it) if matches!(verb, 'v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G') => {
                number::float(self, *it, verb);
            }
            Value::String(it) if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') => self.text(it, verb),
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Struct(it) => self.structure(it, verb, depth),
            Value::NilPointer(of) if verb == 'v' && self.flags.has(Flag::SharpV) => {
                for part in ["(*", of.name, ")(nil)"] {
                    self.out.push_str(part);
                }
            }
            Value::NilPointer(_) if verb == 'v' => self.pad("<nil>"),
            Value::NilPointer(_) if matches!(verb, 'b' | 'o' | 'd' | 'x' | 'X') => {
                self.integer(value, 0, false, verb);
            }
            Value::Bool(_) | Value::Float(_) | Value::String(_) | Value::NilPointer(_) => {
                self.bad_verb(value, verb);
            }
            Value::Time(time) => self.pad(&time.to_string()),
            Value::Named(named) => match &named.value {
                // A verb that does not fit is told with the type's own name.
                Value::Int(it) => self.integer(value, it.unsigned_abs(), *it < 0, verb),
                Value::Uint(it) => self.unsigned(value, *it, verb),
                other => self.value(other, verb, depth),
            },
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        if self.flags.has(Flag::SharpV) {
            self.out.push_str("[]");
            self.out.push_str(list.item_type);
            if list.is_nil {
                return self.out.push_str("(nil)");
            }
        }
        let (open, between, close) =
            if self.flags.has(Flag::SharpV) { ('{', ", ", '}') } else { ('[', " ", ']') };
        self.out.push(open);
        for (i, item) in list.items.iter().enumerate() {
            self.out.push_str(if i > 0 { between } else { "" });
            self.value(item, verb, depth + 1);
        }
        self.out.push(close);
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        let go_syntax = self.flags.has(Flag::SharpV);
        self.out.push_str("map");
        if go_syntax {
            self.out.push_str("[string]");
            self.out.push_str(map.item_type);
            if map.is_nil {
                return self.out.push_str("(nil)");
            }
        }
        self.out.push(if go_syntax { '{' } else { '[' });
        for (i, (key, item)) in map.entries.iter().enumerate() {
            if i > 0 {
                self.out.push_str(if go_syntax { ", " } else { " " });
            }
            self.value(&Value::from(key.as_str()), verb, depth + 1);
            self.out.push(':');
            self.value(item, verb, depth + 1);
        }
        self.out.push(if go_syntax { '}' } else { ']' });
    }

    fn structure(&mut self, it: &Struct, verb: char, depth: usize) {
        let go_syntax = self.flags.has(Flag::SharpV);
        if it.is_pointer {
            self.out.push('&');
        }
        if go_syntax {
            self.out.push_str(it.of.name);
        }
        self.out.push('{');
        for (i, (field, value)) in it.of.fields.iter().zip(&it.values).enumerate() {
            if i > 0 {
                self.out.push_str(if go_syntax { ", " } else { " " });
            }
            if go_syntax || self.flags.has(Flag::PlusV) {
                self.out.push_str(field.name);
                self.out.push(':');
            }
            self.value(value, verb, depth + 1);
        }
        self.out.push('}');
    }

    /// In Go syntax an unsigned number is hexadecimal.
    fn unsigned(&mut self, value: &Value, number: u64, verb: char) {
        if verb == 'v' && self.flags.has(Flag::SharpV) {
            self.flags.add(Flag::Sharp);
            self.integer(value, number, false, 'x');
            self.flags.remove(Flag::Sharp);
        } else {
            self.integer(value, number, false, verb);
        }
    }

    fn integer(&mut self, value: &Value, magnitude: u64, is_negative: bool, verb: char) {
        // A character code beyond Unicode, and a negative one, print as U+FFFD.
        let c = u32::try_from(magnitude).ok().filter(|_| !is_negative).and_then(char::from_u32);
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        match verb {
            'v' | 'd' => number::integer(self, magnitude, is_negative, Radix::DECIMAL),
            'b' => number::integer(self, magnitude, is_negative, Radix::BINARY),
            'o' => number::integer(self, magnitude, is_negative, Radix::OCTAL),
            'O' => number::integer(self, magnitude, is_negative, Radix::OCTAL_WITH_PREFIX),
            'x' => number::integer(self, magnitude, is_negative, Radix::HEX),
            'X' => number::integer(self, magnitude, is_negative, Radix::UPPER_HEX),
            'c' => self.pad(c.encode_utf8(&mut [0; 4])),
            'q' => {
                let mut quoted = String::new();
                quote::single(&mut quoted, c, self.flags.has(Flag::Plus));
                self.pad(&quoted);
            }
            'U' => {
                let mut text = String::new();
                let code = if is_negative { magnitude.wrapping_neg() } else { magnitude };
                number::digits(&mut text, code, Radix::UPPER_HEX);
                let zeros = self.flags.precision.unwrap_or(4).max(4).saturating_sub(text.len());
                let mut out = String::from("U+");
                out.extend(std::iter::repeat_n('0', zeros));
                out.push_str(&text);
                if self.flags.has(Flag::Sharp) && quote::is_print(c) {
                    out.push_str(" '");
                    out.push(c);
                    out.push('\'');
                }
                self.pad(&out);
            }
            _ => self.bad_verb(value, verb),
        }
    }

    fn text(&mut self, text: &str, verb: char) {
        let cut = match self.flags.precision {
            Some(chars) if !matches!(verb, 'x' | 'X') => {
                text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
            }
            _ => text,
        };
        match verb {
            'x' | 'X' => number::hex_text(self, text.as_bytes(), verb == 'X'),
            'q' => self.quoted(cut),
            'v' if self.flags.has(Flag::SharpV) => self.quoted(cut),
            _ => self.pad(cut),
        }
    }

    fn quoted(&mut self, text: &str) {
        let is_raw = self.flags.has(Flag::Sharp)
            && !text.contains(|c: char| (c.is_ascii_control() && c != '\t') || c == '`' || c == '\u{feff}');
        let mut out = String::new();
        if is_raw {
            out.push('`');
            out.push_str(text);
            out.push('`');
        } else {
            quote::double(&mut out, text, self.flags.has(Flag::Plus));
        }
        self.pad(&out);
    }

    /// Writes `%!d(string=x)`: the verb does not fit the value.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.in_error = true;
        self.out.push_str("%!");
        self.out.push(verb);
        self.out.push('(');
        if matches!(value, Value::Nil) {
            self.out.push_str("<nil>");
        } else {
            self.out.push_str(&value.type_name());
            self.out.push('=');
            self.value(value, 'v', 0);
        }
        self.out.push(')');
        self.in_error = false;
    }

    /// Writes the text, filled up to the width in characters.
    pub(super) fn pad(&mut self, text: &str) {
        let width = self.flags.width.unwrap_or(0);
        let missing = if width == 0 { 0 } else { width.saturating_sub(text.chars().count()) };
        if self.flags.has(Flag::Minus) {
            self.out.push_str(text);
            self.out.fill(' ', missing);
        } else {
            self.out.fill(if self.flags.has(Flag::Zero) { '0' } else { ' ' }, missing);
            self.out.push_str(text);
        }
    }
}
