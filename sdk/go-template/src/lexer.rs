//! Cuts a template into tokens.
//!
//! Inside `{{ }}` spaces are tokens too: they separate operands, so `.A.B` and `.A .B` differ.

/// What a token is. The keywords come last, as one kind each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Bool,
    /// Punctuation without a meaning of its own, such as `,`.
    Mark,
    Char,
    Number,
    Complex,
    String,
    Field,
    Identifier,
    Variable,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    End,
    Keyword(Keyword),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Dot,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A piece of the text. The text of an [`Kind::Error`] says what is wrong and is not from the template.
#[derive(Clone, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    /// The byte at which it starts.
    pub(crate) start: usize,
    /// The line on which it starts, from 1.
    pub(crate) line: usize,
    pub(crate) text: std::borrow::Cow<'t, str>,
}

pub(crate) struct Lexer<'t> {
    source: &'t str,
    /// Where the next token starts.
    at: usize,
    line: usize,
    /// Up to where the newlines are counted.
    counted: usize,
    inside: bool,
    parens: usize,
    /// After an error there are no more tokens.
    failed: bool,
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'t> Lexer<'t> {
    pub(crate) fn new(source: &'t str) -> Self {
        Self { source, at: 0, line: 1, counted: 0, inside: false, parens: 0, failed: false }
    }

    pub(crate) fn next_token(&mut self) -> Token<'t> {
        if self.failed {
            return self.token(Kind::End, 0);
        }
        if self.inside { self.action_token() } else { self.text_token() }
    }

    fn rest(&self) -> &'t str {
        &self.source[self.at..]
    }

    /// Takes the next `length` bytes as a token.
    fn token(&mut self, kind: Kind, length: usize) -> Token<'t> {
        self.line += count_lines(&self.source[self.counted..self.at]);
        self.counted = self.at;
        let start = self.at;
        self.at += length;
        let text = if kind == Kind::End { "EOF" } else { &self.source[start..self.at] };
        Token { kind, start, line: self.line, text: text.into() }
    }

    fn error(&mut self, reason: impl Into<String>) -> Token<'t> {
        self.failed = true;
        Token { text: reason.into().into(), ..self.token(Kind::Error, 0) }
    }

    fn text_token(&mut self) -> Token<'t> {
        loop {
            let rest = self.rest();
            let Some(length) = rest.find("{{") else {
                let kind = if rest.is_empty() { Kind::End } else { Kind::Text };
                return self.token(kind, rest.len());
            };
            let after = &rest[length + 2..];
            let trims = after.starts_with('-') && after[1..].starts_with(SPACES);
            let text = if trims { rest[..length].trim_end_matches(SPACES) } else { &rest[..length] };
            if !text.is_empty() {
                return self.token(Kind::Text, text.len());
            }
            self.at += length;
            let marker = if trims { 2 } else { 0 };
            if !after[marker..].starts_with("/*") {
                let token = self.token(Kind::LeftDelim, 2);
                self.at += marker;
                self.inside = true;
                self.parens = 0;
                return token;
            }
            let comment = &after[marker..];
            self.at += 2 + marker;
            let Some(end) = comment.find("*/") else { return self.error("unclosed comment") };
            let Some(close) = right_delim(&comment[end + 2..]) else {
                return self.error("comment ends before closing delimiter");
            };
            self.at += end + 2 + close;
            if close > 2 {
                self.skip_spaces();
            }
        }
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(SPACES).len();
    }

    fn action_token(&mut self) -> Token<'t> {
        let rest = self.rest();
        if let Some(length) = right_delim(rest) {
            if self.parens > 0 {
                return self.error("unclosed left paren");
            }
            self.at += length - 2;
            let token = self.token(Kind::RightDelim, 2);
            if length > 2 {
                self.skip_spaces();
            }
            self.inside = false;
            return token;
        }
        let Some(first) = rest.chars().next() else { return self.error("unclosed action") };
        let next = rest[first.len_utf8()..].chars().next();
        match first {
            _ if SPACES.contains(&first) => {
                let mut length = rest.len() - rest.trim_start_matches(SPACES).len();
                // The last space may belong to a trimming delimiter.
                if right_delim(&rest[length - 1..]).is_some() {
                    length -= 1;
                }
                self.token(Kind::Space, length)
            }
            '=' => self.token(Kind::Assign, 1),
            ':' if next == Some('=') => self.token(Kind::Declare, 2),
            ':' => self.error("expected :="),
            '|' => self.token(Kind::Pipe, 1),
            '"' => self.quoted(Kind::String, "unterminated quoted string"),
            '\'' => self.quoted(Kind::Char, "unterminated character constant"),
            '`' => match rest[1..].find('`') {
                Some(length) => self.token(Kind::String, length + 2),
                None => self.error("unterminated raw quoted string"),
            },
            '$' => self.name(Kind::Variable),
            '.' if !next.is_some_and(|c| c.is_ascii_digit()) && next.is_some() => self.name(Kind::Field),
            '.' | '+' | '-' | '0'..='9' => self.number(),
            '(' => {
                self.parens += 1;
                self.token(Kind::LeftParen, 1)
            }
            ')' if self.parens == 0 => self.error("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.token(Kind::RightParen, 1)
            }
            _ if is_word(first) => self.name(Kind::Identifier),
            '!'..='~' => self.token(Kind::Mark, 1),
            _ => self.error(["unrecognized character in action: ", &describe(first)].concat()),
        }
    }

    fn quoted(&mut self, kind: Kind, unterminated: &str) -> Token<'t> {
        let bytes = self.rest().as_bytes();
        let mut length = 1;
        loop {
            match bytes.get(length) {
                None | Some(b'\n') => return self.error(unterminated),
                Some(b'\\') if matches!(bytes.get(length + 1), None | Some(b'\n')) => {
                    return self.error(unterminated);
                }
                Some(b'\\') => length += 2,
                Some(&byte) if byte == bytes[0] => return self.token(kind, length + 1),
                Some(_) => length += 1,
            }
        }
    }

    /// A field, a variable or a word: what starts here and goes on with letters, digits and `_`.
    fn name(&mut self, kind: Kind) -> Token<'t> {
        let rest = self.rest();
        let sigil = usize::from(kind != Kind::Identifier);
        let length = rest[sigil..].find(|c| !is_word(c)).map_or(rest.len(), |length| length + sigil);
        let after = &rest[length..];
        if let Some(c) = after.chars().next()
            && !(matches!(c, '.' | ',' | '|' | ':' | ')' | '(')
                || SPACES.contains(&c)
                || after.starts_with("}}"))
        {
            return self.error(["bad character ", &describe(c)].concat());
        }
        let kind = match (kind, &rest[..length]) {
            (Kind::Field, ".") => Kind::Keyword(Keyword::Dot),
            (Kind::Identifier, word) => word_kind(word),
            (other, _) => other,
        };
        self.token(kind, length)
    }

    fn number(&mut self) -> Token<'t> {
        let rest = self.rest();
        let (mut length, mut is_good) = scan_number(rest);
        let mut kind = Kind::Number;
        if is_good && rest[length..].starts_with(['+', '-']) {
            let (imaginary, is_imaginary) = scan_number(&rest[length..]);
            length += imaginary;
            is_good = is_imaginary && rest[..length].ends_with('i');
            kind = Kind::Complex;
        }
        if is_good {
            return self.token(kind, length);
        }
        let mut reason = String::from("bad number syntax: ");
        crate::quote::double(&mut reason, &rest[..length], false);
        self.error(reason)
    }
}

/// The length of a number at the start, and whether it ends where a number may end.
///
/// Not exact: a wrong number that passes here is refused when its value is taken.
fn scan_number(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    let mut length = 0;
    let accept = |set: &[u8], length: &mut usize| {
        let found = bytes.get(*length).is_some_and(|byte| set.contains(byte));
        *length += usize::from(found);
        found
    };
    accept(b"+-", &mut length);
    let mut digits: &[u8] = b"0123456789_";
    let mut exponent: &[u8] = b"eE";
    if accept(b"0", &mut length) {
        if accept(b"xX", &mut length) {
            (digits, exponent) = (b"0123456789abcdefABCDEF_", b"pP");
        } else if accept(b"oO", &mut length) {
            (digits, exponent) = (b"01234567_", b"");
        } else if accept(b"bB", &mut length) {
            (digits, exponent) = (b"01_", b"");
        }
    }
    while accept(digits, &mut length) {}
    if accept(b".", &mut length) {
        while accept(digits, &mut length) {}
    }
    if accept(exponent, &mut length) {
        accept(b"+-", &mut length);
        while accept(b"0123456789_", &mut length) {}
    }
    accept(b"i", &mut length);
    match text[length..].chars().next() {
        Some(c) if is_word(c) => (length + c.len_utf8(), false),
        _ => (length, true),
    }
}

/// The length of a right delimiter at the start, with its trim marker.
fn right_delim(text: &str) -> Option<usize> {
    if text.starts_with("}}") {
        return Some(2);
    }
    text.strip_prefix(SPACES)?.starts_with("-}}").then_some(4)
}

fn word_kind(word: &str) -> Kind {
    let keyword = match word {
        "true" | "false" => return Kind::Bool,
        "block" => Keyword::Block,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "define" => Keyword::Define,
        "else" => Keyword::Else,
        "end" => Keyword::End,
        "if" => Keyword::If,
        "nil" => Keyword::Nil,
        "range" => Keyword::Range,
        "template" => Keyword::Template,
        "with" => Keyword::With,
        _ => return Kind::Identifier,
    };
    Kind::Keyword(keyword)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn count_lines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

/// A character as Go's `%#U` prints it: `U+0023 '#'`.
fn describe(c: char) -> String {
    let code = u32::from(c);
    let digits = if code > 0xf_ffff {
        6
    } else if code > 0xffff {
        5
    } else {
        4
    };
    let mut hex = String::new();
    crate::quote::hex(&mut hex, "", code, digits);
    hex.make_ascii_uppercase();
    let mut out = ["U+", &hex].concat();
    if crate::quote::is_print(c) {
        out.push_str(" '");
        out.push(c);
        out.push('\'');
    }
    out
}
