//! Evaluates pipelines, commands and operands.

use crate::{
    Value,
    exec::{At, Ran, Run, Slot},
    functions::{Call, CallError, Params},
    node::{Command, Name, Number, Operand, Pipe, Term},
    time::Time,
};

/// What is called: a function, or a method of a value.
enum Callee<'c> {
    Function(Call),
    Method(&'c Value),
}

/// The operands after the first, and what came through the pipe.
#[derive(Clone, Copy)]
struct Arguments<'t, 'p> {
    operands: &'t [Operand],
    piped: Option<&'p Slot>,
}

const NO_ARGUMENTS: Arguments<'static, 'static> = Arguments { operands: &[], piped: None };

impl<'t> Run<'t> {
    /// Evaluates a pipeline and sets its variables.
    pub(crate) fn pipe(&mut self, pipe: &'t Pipe, dot: &Slot) -> Ran<Slot> {
        self.at = At::Pipe(pipe);
        let mut piped: Option<Slot> = None;
        for command in &pipe.commands {
            self.step(1)?;
            let value = self.command(command, dot, piped.as_ref())?;
            // What is in an interface comes out of it here, so a nil one leaves nothing.
            piped = Some(value.filter(|value| !matches!(value, Value::Nil)));
        }
        let value = piped.flatten();
        for name in &pipe.variables {
            if pipe.assigns {
                self.set_variable(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &'t Command, dot: &Slot, piped: Option<&Slot>) -> Ran<Slot> {
        let (first, operands) = (&command.operands[0], &command.operands[1..]);
        let arguments = Arguments { operands, piped };
        match &first.term {
            Term::Function(name) => self.function(name, first, At::Command(command), arguments, dot),
            Term::Field(fields) => {
                self.at = At::Operand(first);
                self.chain(dot.clone(), fields, first, arguments, dot)
            }
            Term::Chain(inner, fields) => self.chain_term(inner, fields, first, arguments, dot),
            Term::Variable(name, fields) => self.variable(name, fields, first, arguments, dot),
            Term::Pipe(pipe) => {
                self.refuse_arguments(first, arguments)?;
                self.inner_pipe(pipe, dot)
            }
            Term::Dot | Term::Nil | Term::Bool(_) | Term::Number { .. } | Term::String { .. } => {
                self.at = At::Operand(first);
                self.refuse_arguments(first, arguments)?;
                if matches!(first.term, Term::Nil) {
                    return Err(self.error("nil is not a command".to_owned()));
                }
                self.constant(first, dot)
            }
        }
    }

    fn refuse_arguments(&self, first: &Operand, arguments: Arguments<'_, '_>) -> Ran<()> {
        if arguments.operands.is_empty() && arguments.piped.is_none() {
            return Ok(());
        }
        Err(self.error(["can't give argument to non-function ", &first.text()].concat()))
    }

    /// A pipeline in parentheses.
    fn inner_pipe(&mut self, pipe: &'t Pipe, dot: &Slot) -> Ran<Slot> {
        self.enter()?;
        let value = self.pipe(pipe, dot);
        self.leave();
        value
    }

    /// A literal or the dot.
    fn constant(&mut self, operand: &'t Operand, dot: &Slot) -> Ran<Slot> {
        Ok(match &operand.term {
            Term::Dot => dot.clone(),
            Term::Bool(it) => Some(Value::Bool(*it)),
            Term::String { text, .. } => Some(Value::String(text.clone())),
            Term::Number { value: Number::Int(it), .. } => Some(Value::Int(*it)),
            Term::Number { value: Number::Float(it), .. } => Some(Value::Float(*it)),
            Term::Number { value: Number::TooLarge, text } => {
                return Err(self.error([text, " overflows int"].concat()));
            }
            _ => None,
        })
    }

    fn variable(
        &mut self,
        name: &'t str,
        fields: &'t [Name],
        operand: &'t Operand,
        arguments: Arguments<'t, '_>,
        dot: &Slot,
    ) -> Ran<Slot> {
        self.at = At::Operand(operand);
        let Some(distance) = self.variables.iter().rev().position(|(known, _)| *known == name) else {
            return Err(self.error(["undefined variable: ", name].concat()));
        };
        let value = self.variables[self.variables.len() - 1 - distance].1.clone();
        // Looking far back is work too.
        self.step_bytes(distance)?;
        if fields.is_empty() {
            self.refuse_arguments(operand, arguments)?;
            return Ok(value);
        }
        self.chain(value, fields, operand, arguments, dot)
    }

    /// `(pipeline).A.B`
    fn chain_term(
        &mut self,
        inner: &'t Operand,
        fields: &'t [Name],
        operand: &'t Operand,
        arguments: Arguments<'t, '_>,
        dot: &Slot,
    ) -> Ran<Slot> {
        self.at = At::Operand(operand);
        let receiver = self.operand(inner, dot)?;
        self.chain(receiver, fields, operand, arguments, dot)
    }

    /// Follows fields from the receiver; only the last one may be a method with arguments.
    fn chain(
        &mut self,
        receiver: Slot,
        fields: &'t [Name],
        operand: &'t Operand,
        arguments: Arguments<'t, '_>,
        dot: &Slot,
    ) -> Ran<Slot> {
        let mut value = receiver;
        // A value out of a map of interfaces is known to Go as an interface only.
        let mut is_interface = false;
        for (i, name) in fields.iter().enumerate() {
            let arguments = if i + 1 == fields.len() { arguments } else { NO_ARGUMENTS };
            let Some(receiver) = value else { return Ok(None) };
            let is_inside = matches!(&receiver, Value::Map(map) if map.item_type == Value::ANY);
            value = self.field(&receiver, is_interface, name, operand, arguments, dot)?;
            is_interface = is_inside;
        }
        Ok(value)
    }

    fn field(
        &mut self,
        receiver: &Value,
        is_interface: bool,
        name: &'t str,
        operand: &'t Operand,
        arguments: Arguments<'t, '_>,
        dot: &Slot,
    ) -> Ran<Slot> {
        let method = match receiver {
            Value::Time(_) => Time::method(name),
            _ if name == "String" && receiver.own_text().is_some() => Some(Params::exactly(0)),
            _ => None,
        };
        if let Some(params) = method {
            let at = At::Operand(operand);
            return self.call(&Callee::Method(receiver), name, params, at, arguments, dot);
        }
        let has_arguments = !arguments.operands.is_empty() || arguments.piped.is_some();
        match receiver {
            Value::Struct(it) => {
                if let Some(value) = it.get(name) {
                    if has_arguments {
                        return Err(
                            self.error([name, " has arguments but cannot be invoked as function"].concat())
                        );
                    }
                    return Ok(Some(value.clone()));
                }
            }
            Value::Map(map) => {
                if has_arguments {
                    return Err(self.error([name, " is not a method but has arguments"].concat()));
                }
                return Ok(map.entries.get(name).cloned());
            }
            Value::NilPointer(of) if of.position(name).is_none() => {}
            Value::Nil | Value::NilPointer(_) => {
                return Err(
                    self.error(["nil pointer evaluating ", &receiver.type_name(), ".", name].concat())
                );
            }
            _ => {}
        }
        let type_name = if is_interface { Value::ANY.into() } else { receiver.type_name() };
        Err(self.error(["can't evaluate field ", name, " in type ", &type_name].concat()))
    }

    fn function(
        &mut self,
        name: &'t str,
        operand: &'t Operand,
        at: At<'t>,
        arguments: Arguments<'t, '_>,
        dot: &Slot,
    ) -> Ran<Slot> {
        self.at = At::Operand(operand);
        let Some((function, is_builtin)) = self.template.functions.find(name) else {
            return Err(self.error([name, " is not a defined function"].concat()));
        };
        if is_builtin && matches!(name, "and" | "or") {
            self.check_count(name, function.params, arguments)?;
            return self.and_or(name == "or", arguments, dot);
        }
        self.call(&Callee::Function(function.call), name, function.params, at, arguments, dot)
    }

    /// The first argument that is true (for `or`) or false (for `and`), or else the last one.
    ///
    /// What comes after the deciding argument is not evaluated.
    fn and_or(&mut self, is_or: bool, arguments: Arguments<'t, '_>, dot: &Slot) -> Ran<Slot> {
        let mut value = None;
        for operand in arguments.operands {
            value = self.operand(operand, dot)?;
            if value.as_ref().is_some_and(Value::is_true) == is_or {
                return Ok(value);
            }
        }
        Ok(arguments.piped.cloned().unwrap_or(value))
    }

    fn check_count(&self, name: &str, params: Params, arguments: Arguments<'_, '_>) -> Ran<()> {
        let operands = arguments.operands.len();
        let count = operands + usize::from(arguments.piped.is_some());
        let (least, got) = match params {
            Params { is_variadic: true, count: min, .. } if count < min => ("at least ", operands),
            Params { is_variadic: false, count: want, .. } if count != want => ("", count),
            _ => return Ok(()),
        };
        let (want, got) = (params.count.to_string(), got.to_string());
        Err(self.error(["wrong number of args for ", name, ": want ", least, &want, " got ", &got].concat()))
    }

    fn call(
        &mut self,
        callee: &Callee<'_>,
        name: &str,
        params: Params,
        at: At<'t>,
        arguments: Arguments<'t, '_>,
        dot: &Slot,
    ) -> Ran<Slot> {
        self.check_count(name, params, arguments)?;
        let mut values = Vec::with_capacity(arguments.operands.len() + 1);
        for operand in arguments.operands {
            let value = self.argument(operand, values.len() < params.strings, dot)?;
            values.push(value);
        }
        if let Some(piped) = arguments.piped {
            let value = self.checked(piped.clone(), values.len() < params.strings)?;
            values.push(value);
        }
        if let (Callee::Function(call), "call") = (callee, name)
            && std::ptr::fn_addr_eq(*call, crate::builtins::call as Call)
        {
            let text = match arguments.operands.first() {
                Some(first) => first.text(),
                None => match &values[0] {
                    Value::String(text) => text.to_string(),
                    other => ["<", &other.type_name(), " Value>"].concat(),
                },
            };
            values.insert(0, text.into());
        }
        let bytes = values.iter().filter_map(Value::as_str).map(str::len).sum();
        self.step_bytes(bytes)?;
        let bytes_max = self.template.limits.output_bytes_max;
        let result = match callee {
            Callee::Function(call) => call(&values, bytes_max),
            Callee::Method(Value::Time(time)) => time.call(name, &values),
            Callee::Method(other) => Ok(other.own_text().map_or(Value::Nil, Value::String)),
        };
        match result {
            Ok(value) => {
                let bytes = value.as_str().map_or(0, str::len);
                self.step_bytes(bytes)?;
                if bytes > bytes_max { Err(self.too_large()) } else { Ok(Some(value)) }
            }
            Err(error) => {
                self.at = at;
                Err(match error {
                    CallError::TooLarge => self.too_large(),
                    CallError::Refused(reason) => {
                        self.error(["error calling ", name, ": ", &reason].concat())
                    }
                })
            }
        }
    }

    /// An argument of a function, which may ask for a string.
    fn argument(&mut self, operand: &'t Operand, is_string: bool, dot: &Slot) -> Ran<Value> {
        if is_string {
            self.at = At::Operand(operand);
            match operand.term {
                Term::Nil => return Err(self.error("cannot assign nil to string".to_owned())),
                Term::Bool(_) | Term::Number { .. } => {
                    return Err(self.error(["expected string; found ", &operand.text()].concat()));
                }
                _ => {}
            }
        }
        let value = self.operand(operand, dot)?;
        self.checked(value, is_string)
    }

    fn checked(&self, value: Slot, is_string: bool) -> Ran<Value> {
        match value {
            Some(value) if !is_string || matches!(value, Value::String(_)) => Ok(value),
            Some(value) => {
                let reason = ["wrong type for value; expected string; got ", &value.type_name()].concat();
                Err(self.error(reason))
            }
            None if is_string => Err(self.error("invalid value; expected string".to_owned())),
            None => Ok(Value::Nil),
        }
    }

    /// An operand where any value will do.
    fn operand(&mut self, operand: &'t Operand, dot: &Slot) -> Ran<Slot> {
        self.step(1)?;
        self.at = At::Operand(operand);
        match &operand.term {
            Term::Field(fields) => self.chain(dot.clone(), fields, operand, NO_ARGUMENTS, dot),
            Term::Variable(name, fields) => self.variable(name, fields, operand, NO_ARGUMENTS, dot),
            Term::Pipe(pipe) => self.inner_pipe(pipe, dot),
            Term::Function(name) => self.function(name, operand, At::Operand(operand), NO_ARGUMENTS, dot),
            Term::Chain(inner, fields) => self.chain_term(inner, fields, operand, NO_ARGUMENTS, dot),
            Term::Nil => Ok(None),
            Term::Dot | Term::Bool(_) | Term::Number { .. } | Term::String { .. } => {
                self.constant(operand, dot)
            }
        }
    }
}
