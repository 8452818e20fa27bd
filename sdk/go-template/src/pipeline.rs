//! Parses what stands inside an action: pipelines, commands, operands and literals.

use crate::{
    lexer::{Keyword, Kind, Token},
    node::{Command, Name, Number, Operand, Pipe, Term},
    parser::{Parsed, Parser},
    quote,
};

impl<'t> Parser<'t> {
    /// `$x := command | command`, up to and including the end token.
    pub(crate) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let start = self.peek_non_space().start;
        let mut pipe = Pipe { start, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::Char
                | Kind::Complex
                | Kind::Number
                | Kind::String
                | Kind::Field
                | Kind::Identifier
                | Kind::Variable
                | Kind::LeftParen
                | Kind::Keyword(Keyword::Dot | Keyword::Nil) => {
                    self.put_back(token);
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    /// `$x :=`, `$x =`, and in a range also `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            // `$x foo` needs the space back: without it the two would be one operand.
            let space = self.next();
            let after = if space.kind == Kind::Space { self.next_non_space() } else { space.clone() };
            match after.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = after.kind == Kind::Assign;
                    self.declare(pipe, &variable);
                    return Ok(());
                }
                Kind::Mark if after.text == "," => {
                    self.declare(pipe, &variable);
                    if context != "range" || pipe.variables.len() > 1 {
                        return Err(self.error(["too many declarations in ", context].concat()));
                    }
                    let next = self.peek_non_space().kind;
                    if !matches!(next, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                _ => {
                    self.put_back(after);
                    if space.kind == Kind::Space {
                        self.put_back(space);
                    }
                    self.put_back(variable);
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: &Token<'t>) {
        pipe.variables.push(Name::from(&*variable.text));
        self.scope.variables.push(Name::from(&*variable.text));
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return Err(self.error(["missing value for ", context].concat()));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            let takes_no_input = matches!(
                command.operands[0].term,
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Number { .. } | Term::String { .. }
            );
            if takes_no_input {
                let stage = (i + 1).to_string();
                return Err(self.error(["non executable command in pipeline stage ", &stage].concat()));
            }
        }
        Ok(())
    }

    /// Operands up to a `|`, which is taken, or the end of the pipeline, which is not.
    fn command(&mut self) -> Parsed<Command> {
        let start = self.peek_non_space().start;
        let mut operands = Vec::new();
        loop {
            self.peek_non_space();
            operands.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.put_back(token),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&token, "operand")),
            }
            break;
        }
        if operands.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { start, operands })
    }

    /// A term with the fields behind it; `None` if what comes next is no term.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(operand));
        }
        let mut more = Vec::new();
        while self.peek().kind == Kind::Field {
            more.push(Name::from(&self.next().text[1..]));
        }
        match &mut operand.term {
            Term::Field(fields) | Term::Variable(_, fields) => {
                fields.append(&mut more);
                operand.start = first.start;
                Ok(Some(operand))
            }
            Term::Bool(_) | Term::String { .. } | Term::Number { .. } | Term::Nil | Term::Dot => {
                let mut reason = String::from("unexpected . after term ");
                quote::double(&mut reason, &operand.text(), false);
                Err(self.error(reason))
            }
            Term::Function(_) | Term::Pipe(_) | Term::Chain(..) => {
                Ok(Some(Operand { start: first.start, term: Term::Chain(Box::new(operand), more) }))
            }
        }
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.next_non_space();
        let text: &str = &token.text;
        let term = match token.kind {
            Kind::Identifier => {
                if !self.functions.knows(text) {
                    let mut reason = String::from("function ");
                    quote::double(&mut reason, text, false);
                    reason.push_str(" not defined");
                    return Err(self.error(reason));
                }
                Term::Function(text.into())
            }
            Kind::Keyword(Keyword::Dot) => Term::Dot,
            Kind::Keyword(Keyword::Nil) => Term::Nil,
            Kind::Variable => {
                if !self.scope.variables.iter().any(|known| **known == *text) {
                    let mut reason = String::from("undefined variable ");
                    quote::double(&mut reason, text, false);
                    return Err(self.error(reason));
                }
                Term::Variable(text.into(), Vec::new())
            }
            Kind::Field => Term::Field(vec![text[1..].into()]),
            Kind::Bool => Term::Bool(text == "true"),
            Kind::Char => {
                let number = match quote::unquote_char(text) {
                    Some((number, "")) => number,
                    Some(_) => return Err(self.error(["malformed character constant: ", text].concat())),
                    None => return Err(self.error("invalid syntax")),
                };
                Term::Number { text: text.into(), value: Number::Int(number) }
            }
            Kind::Complex | Kind::Number => {
                Term::Number { text: text.into(), value: number(text).map_err(|reason| self.error(reason))? }
            }
            Kind::LeftParen => {
                let pipe =
                    self.deeper(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                Term::Pipe(Box::new(pipe))
            }
            Kind::String => {
                let Some(unquoted) = quote::unquote(text) else { return Err(self.error("invalid syntax")) };
                Term::String { literal: text.into(), text: unquoted.into() }
            }
            _ => {
                self.put_back(token);
                return Ok(None);
            }
        };
        Ok(Some(Operand { start: token.start, term }))
    }
}

/// The value of a number as the text writes it, by Go's rules for constants.
fn number(text: &str) -> Result<Number, String> {
    let about = |reason: &str| {
        let mut out = String::from(reason);
        quote::double(&mut out, text, false);
        out
    };
    if text.ends_with('i') {
        return Err(about("complex numbers are not supported: "));
    }
    if let Some((is_negative, magnitude)) = integer(text) {
        let signed =
            if is_negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
        return match signed {
            Some(int) => Ok(Number::Int(int)),
            None if text.starts_with(['+', '-']) => Err(about("integer overflow: ")),
            None => Ok(Number::TooLarge),
        };
    }
    let is_hex =
        text.trim_start_matches(['+', '-']).get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    if is_hex && text.contains(['p', 'P']) {
        return Err(about("hexadecimal floats are not supported: "));
    }
    match text.parse::<f64>() {
        Ok(_) if !text.contains(['.', 'e', 'E']) => Err(about("integer overflow: ")),
        Ok(float) if float.is_finite() => Ok(Number::Float(float)),
        _ => Err(about("illegal number syntax: ")),
    }
}

/// The sign and the magnitude of a Go integer literal, if the text is one that fits 64 bits.
fn integer(text: &str) -> Option<(bool, u64)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    // An underscore stands between two digits, or between the base and a digit.
    let after_base = digits.strip_prefix('_').filter(|_| radix != 10).unwrap_or(digits);
    if after_base.starts_with('_') || after_base.ends_with('_') || after_base.contains("__") {
        return None;
    }
    let magnitude = u64::from_str_radix(&after_base.replace('_', ""), radix).ok()?;
    Some((text.starts_with('-'), magnitude))
}
