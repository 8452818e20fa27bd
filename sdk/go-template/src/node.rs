//! The parsed template, and how its parts print in error texts.

use crate::quote;

pub(crate) type Name = Box<str>;

/// A sequence of nodes: a template, or the body of a control structure.
pub(crate) type List = Vec<Node>;

pub(crate) enum Node {
    Text(Name),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Box<Range>),
    Template(Call),
    Break,
    Continue,
}

/// `if … else if … else`, or the same with `with`.
pub(crate) struct Branch {
    pub(crate) arms: Vec<(Pipe, List)>,
    pub(crate) otherwise: List,
}

pub(crate) struct Range {
    pub(crate) over: Pipe,
    pub(crate) body: List,
    pub(crate) otherwise: List,
}

/// `{{template "name" pipeline}}`
pub(crate) struct Call {
    pub(crate) start: usize,
    pub(crate) name: Name,
    pub(crate) with: Option<Pipe>,
}

/// Commands joined by `|`, with the variables that take the result.
pub(crate) struct Pipe {
    pub(crate) start: usize,
    pub(crate) variables: Vec<Name>,
    /// Whether the variables exist already (`=`), or are new (`:=`).
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
}

/// Operands separated by spaces; the first one is what is called, or the value itself.
pub(crate) struct Command {
    pub(crate) start: usize,
    pub(crate) operands: Vec<Operand>,
}

pub(crate) struct Operand {
    pub(crate) start: usize,
    pub(crate) term: Term,
}

pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number {
        text: Name,
        value: Number,
    },
    String {
        literal: Name,
        text: std::sync::Arc<str>,
    },
    /// `.A.B`
    Field(Vec<Name>),
    /// `$x.A.B`: the name with its `$`, then the fields.
    Variable(Name, Vec<Name>),
    Function(Name),
    Pipe(Box<Pipe>),
    /// `(pipeline).A.B` or `function.A.B`
    Chain(Box<Operand>, Vec<Name>),
}

/// What a number stands for where nothing asks for a certain type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
    /// Larger than an `int`: legal, but an error when it is used.
    TooLarge,
}

impl Pipe {
    pub(crate) fn write(&self, out: &mut String) {
        for (i, variable) in self.variables.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            out.push_str(variable);
        }
        if !self.variables.is_empty() {
            out.push_str(if self.assigns { " = " } else { " := " });
        }
        for (i, command) in self.commands.iter().enumerate() {
            out.push_str(if i > 0 { " | " } else { "" });
            command.write(out);
        }
    }
}

impl Command {
    pub(crate) fn write(&self, out: &mut String) {
        for (i, operand) in self.operands.iter().enumerate() {
            out.push_str(if i > 0 { " " } else { "" });
            operand.write_grouped(out);
        }
    }
}

impl Operand {
    pub(crate) fn write(&self, out: &mut String) {
        match &self.term {
            Term::Dot => out.push('.'),
            Term::Nil => out.push_str("nil"),
            Term::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
            Term::Number { text, .. } => out.push_str(text),
            Term::String { literal, .. } => out.push_str(literal),
            Term::Field(fields) => write_fields(fields, out),
            Term::Function(name) => out.push_str(name),
            Term::Variable(name, fields) => {
                out.push_str(name);
                write_fields(fields, out);
            }
            Term::Pipe(pipe) => pipe.write(out),
            Term::Chain(operand, fields) => {
                operand.write_grouped(out);
                write_fields(fields, out);
            }
        }
    }

    /// Writes the operand, a pipeline in parentheses.
    fn write_grouped(&self, out: &mut String) {
        let is_pipe = matches!(self.term, Term::Pipe(_));
        out.push_str(if is_pipe { "(" } else { "" });
        self.write(out);
        out.push_str(if is_pipe { ")" } else { "" });
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

impl Call {
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("{{template ");
        quote::double(out, &self.name, false);
        if let Some(pipe) = &self.with {
            out.push(' ');
            pipe.write(out);
        }
        out.push_str("}}");
    }
}

fn write_fields(fields: &[Name], out: &mut String) {
    for field in fields {
        out.push('.');
        out.push_str(field);
    }
}
