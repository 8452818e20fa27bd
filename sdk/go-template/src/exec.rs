//! Walks a template's nodes and writes what they give.

use crate::{
    ExecError, ExecErrorKind, Template, Value, builtins,
    escape::shown,
    format,
    limits::BYTES_PER_STEP,
    node::{Branch, Call, Command, List, Node, Operand, Pipe, Range},
    output::Output,
};

/// What an expression gives; `None` is Go's invalid value, such as a map's missing key.
pub(crate) type Slot = Option<Value>;

pub(crate) type Ran<T> = Result<T, Fault>;

/// An error on its way out: small, because every step of a rendering may return it.
pub(crate) struct Fault(pub(crate) Box<ExecError>);

/// One rendering.
pub(crate) struct Run<'t> {
    pub(crate) template: &'t Template,
    /// The name of the template that executes.
    executing: &'t str,
    /// The variables in scope, the innermost last.
    pub(crate) variables: Vec<(&'t str, Slot)>,
    out: Output,
    steps: u32,
    depth: u32,
    /// Where we are, for errors.
    pub(crate) at: At<'t>,
}

/// The part of the template that an error is about.
#[derive(Clone, Copy)]
pub(crate) enum At<'t> {
    Start,
    Action(&'t Pipe),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
    Call(&'t Call),
}

/// How a body ended.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'t> Run<'t> {
    pub(crate) fn new(template: &'t Template) -> Self {
        Self {
            template,
            executing: &template.name,
            variables: Vec::new(),
            out: Output::new(template.limits.output_bytes_max),
            steps: 0,
            depth: 0,
            at: At::Start,
        }
    }

    pub(crate) fn render(mut self, value: &Value) -> Ran<String> {
        // Data that is nil is no value at all, so its fields are none either.
        let dot = Some(value.clone()).filter(|value| !matches!(value, Value::Nil));
        self.variables.push(("$", dot.clone()));
        if let Some((_, nodes)) = self.template.tree(&self.template.name) {
            self.list(nodes, &dot)?;
        }
        Ok(self.out.into_string())
    }

    fn list(&mut self, nodes: &'t List, dot: &Slot) -> Ran<Flow> {
        self.enter()?;
        for node in nodes {
            self.step(1)?;
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                self.leave();
                return Ok(flow);
            }
        }
        self.leave();
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'t Node, dot: &Slot) -> Ran<Flow> {
        match node {
            Node::Text(text) => {
                self.out.push_str(text);
                self.check_output()?;
            }
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    self.at = At::Action(pipe);
                    self.print(value.as_ref())?;
                }
            }
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(range) => return self.range(range, dot),
            Node::Template(call) => self.call_template(call, dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: Option<&Value>) -> Ran<()> {
        match value {
            Some(Value::String(text)) => self.out.push_str(text),
            Some(value) => {
                let before = self.out.len();
                format::write(&mut self.out, &shown(value));
                self.step_bytes(self.out.len() - before)?;
            }
            None => self.out.push_str("<no value>"),
        }
        self.check_output()
    }

    fn branch(&mut self, branch: &'t Branch, dot: &Slot, sets_dot: bool) -> Ran<Flow> {
        let outside = self.variables.len();
        let mut flow = None;
        for (pipe, body) in &branch.arms {
            let value = self.pipe(pipe, dot)?;
            if value.as_ref().is_some_and(Value::is_true) {
                flow = Some(self.list(body, if sets_dot { &value } else { dot })?);
                break;
            }
        }
        let flow = match flow {
            Some(flow) => flow,
            None => self.list(&branch.otherwise, dot)?,
        };
        self.variables.truncate(outside);
        Ok(flow)
    }

    fn range(&mut self, range: &'t Range, dot: &Slot) -> Ran<Flow> {
        let outside = self.variables.len();
        let over = self.pipe(&range.over, dot)?;
        let mut ran = false;
        match over.as_ref().map(Value::plain) {
            None => {}
            Some(Value::List(list)) => {
                for (i, item) in list.items.iter().enumerate() {
                    ran = true;
                    let index = Value::Int(i64::try_from(i).unwrap_or(i64::MAX));
                    if !self.iteration(range, Some(index), item.clone())? {
                        break;
                    }
                }
            }
            Some(Value::Map(map)) => {
                for (key, item) in &map.entries {
                    ran = true;
                    if !self.iteration(range, Some(key.as_str().into()), item.clone())? {
                        break;
                    }
                }
            }
            Some(number @ (Value::Int(_) | Value::Uint(_))) => {
                if range.over.variables.len() > 1 {
                    let text = over.as_ref().map(builtins::text).unwrap_or_default();
                    let reason = ["can't use ", &text, " to iterate over more than one variable"];
                    return Err(self.error(reason.concat()));
                }
                let mut next = number.clone();
                next = if let Value::Int(_) = next { Value::Int(0) } else { Value::Uint(0) };
                while let Some(after) = successor(&next, number) {
                    ran = true;
                    if !self.iteration(range, None, next)? {
                        break;
                    }
                    next = after;
                }
            }
            Some(other) => {
                return Err(
                    self.error(["range can't iterate over ", &builtins::text(&shown(other))].concat())
                );
            }
        }
        let flow = if ran { Flow::Next } else { self.list(&range.otherwise, dot)? };
        self.variables.truncate(outside);
        Ok(flow)
    }

    /// Runs the body once; false if the loop is to end.
    fn iteration(&mut self, range: &'t Range, index: Slot, item: Value) -> Ran<bool> {
        self.step(1)?;
        let inside = self.variables.len();
        let item = Some(item);
        match &range.over.variables[..] {
            [] => {}
            [one] => self.set_loop_variable(range, one, 1, item.clone())?,
            [first, second, ..] => {
                self.set_loop_variable(range, first, 2, index)?;
                self.set_loop_variable(range, second, 1, item.clone())?;
            }
        }
        let flow = self.list(&range.body, &item)?;
        self.variables.truncate(inside);
        Ok(flow != Flow::Break)
    }

    /// A declared variable is on top of the others, an assigned one anywhere.
    fn set_loop_variable(&mut self, range: &'t Range, name: &str, from_top: usize, value: Slot) -> Ran<()> {
        if range.over.assigns {
            return self.set_variable(name, value);
        }
        if let Some(place) = self.variables.len().checked_sub(from_top) {
            self.variables[place].1 = value;
        }
        Ok(())
    }

    pub(crate) fn set_variable(&mut self, name: &str, value: Slot) -> Ran<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.error(["undefined variable: ", name].concat())),
        }
    }

    fn call_template(&mut self, call: &'t Call, dot: &Slot) -> Ran<()> {
        self.at = At::Call(call);
        let Some((name, nodes)) = self.template.tree(&call.name) else {
            let mut reason = String::from("template ");
            crate::quote::double(&mut reason, &call.name, false);
            reason.push_str(" not defined");
            return Err(self.error(reason));
        };
        self.check_depth()?;
        let dot = match &call.with {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => None,
        };
        // A template sees no variables of its caller.
        let outer = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let caller = std::mem::replace(&mut self.executing, name);
        self.list(nodes, &dot)?;
        self.variables = outer;
        self.executing = caller;
        Ok(())
    }
}

/// Errors and limits.
impl Run<'_> {
    /// Counts work, and ends it where it is too much.
    pub(crate) fn step(&mut self, count: u32) -> Ran<()> {
        self.steps = self.steps.saturating_add(count);
        let max = self.template.limits.steps_max;
        if self.steps <= max {
            return Ok(());
        }
        let reason = ["exceeded maximum number of steps (", &max.to_string(), ")"].concat();
        Err(self.failure(ExecErrorKind::Steps, reason))
    }

    /// Counts a text that went through a function.
    pub(crate) fn step_bytes(&mut self, bytes: usize) -> Ran<()> {
        self.step(u32::try_from(bytes / BYTES_PER_STEP).unwrap_or(u32::MAX))
    }

    /// Goes one level deeper into the template, as far as the stack allows.
    pub(crate) fn enter(&mut self) -> Ran<()> {
        self.check_depth()?;
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    fn check_depth(&self) -> Ran<()> {
        let max = self.template.limits.depth_max;
        if self.depth < max {
            return Ok(());
        }
        let reason = ["exceeded maximum template depth (", &max.to_string(), ")"].concat();
        Err(self.failure(ExecErrorKind::Depth, reason))
    }

    fn check_output(&self) -> Ran<()> {
        if self.out.is_full() { Err(self.too_large()) } else { Ok(()) }
    }

    pub(crate) fn too_large(&self) -> Fault {
        let max = self.template.limits.output_bytes_max.to_string();
        self.failure(ExecErrorKind::Output, ["output is larger than ", &max, " bytes"].concat())
    }

    pub(crate) fn error(&self, reason: String) -> Fault {
        self.failure(ExecErrorKind::Template, reason)
    }

    fn failure(&self, kind: ExecErrorKind, reason: String) -> Fault {
        let mut at = String::new();
        let start = match self.at {
            At::Start => 0,
            At::Action(pipe) => {
                at.push_str("{{");
                pipe.write(&mut at);
                at.push_str("}}");
                pipe.start
            }
            At::Pipe(pipe) => {
                pipe.write(&mut at);
                pipe.start
            }
            At::Command(command) => {
                command.write(&mut at);
                command.start
            }
            At::Operand(operand) => {
                operand.write(&mut at);
                operand.start
            }
            At::Call(call) => {
                call.write(&mut at);
                call.start
            }
        };
        let before = &self.template.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Fault(Box::new(ExecError {
            kind,
            name: self.template.name.clone(),
            line: 1 + before.bytes().filter(|&byte| byte == b'\n').count(),
            column: start - line_start,
            executing: self.executing.to_owned(),
            at,
            reason,
        }))
    }
}

/// The number after `number`, while `number` is below `end`.
fn successor(number: &Value, end: &Value) -> Option<Value> {
    match (number, end) {
        (Value::Int(number), Value::Int(end)) if number < end => Some(Value::Int(number + 1)),
        (Value::Uint(number), Value::Uint(end)) if number < end => Some(Value::Uint(number + 1)),
        _ => None,
    }
}
