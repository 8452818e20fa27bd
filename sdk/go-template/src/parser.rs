//! Turns a text into trees: the template itself, and one for each `define` and `block`.
//!
//! This file is about structure: text, blocks and control; `pipeline.rs` is about what an action says.

use crate::{
    Functions, ParseError,
    lexer::{Keyword, Kind, Lexer, Token},
    limits::{DEPTH_MAX, TEXT_BYTES_MAX},
    node::{Branch, Call, List, Name, Node, Pipe, Range},
    quote,
};

/// A template and its name, as `{{template}}` finds it.
pub(crate) type Tree = (Name, List);

/// Parses the text. One of the trees has the given name: that is the template itself.
pub(crate) fn parse(name: &str, text: &str, functions: &Functions) -> Result<Vec<Tree>, ParseError> {
    if text.len() > TEXT_BYTES_MAX {
        let reason = ["template is larger than ", &TEXT_BYTES_MAX.to_string(), " bytes"].concat();
        return Err(ParseError { name: name.to_owned(), line: 1, reason });
    }
    let mut parser = Parser {
        name,
        functions,
        lexer: Lexer::new(text),
        pending: Vec::new(),
        line: 1,
        scope: Scope::new(),
        nesting: 0,
        trees: Vec::new(),
    };
    let root = parser.top_level()?;
    parser.add(name, root)?;
    Ok(parser.trees)
}

pub(crate) struct Parser<'t> {
    name: &'t str,
    pub(crate) functions: &'t Functions,
    lexer: Lexer<'t>,
    /// Tokens that were put back; the last one comes next.
    pending: Vec<Token<'t>>,
    /// The line of the last token that was cut from the text.
    line: usize,
    pub(crate) scope: Scope,
    /// How deep blocks and parentheses are nested here.
    pub(crate) nesting: u32,
    trees: Vec<Tree>,
}

/// What does not reach into a `define` or `block`.
pub(crate) struct Scope {
    pub(crate) variables: Vec<Name>,
    ranges: usize,
    /// The line on which the action being parsed began, for errors far from it.
    action_line: usize,
}

impl Scope {
    fn new() -> Self {
        Self { variables: vec!["$".into()], ranges: 0, action_line: 0 }
    }
}

pub(crate) type Parsed<T> = Result<T, ParseError>;

/// What a body is made of, and what ends it.
enum Item {
    Node(Node),
    End,
    Else,
}

impl Item {
    fn text(&self) -> &'static str {
        if matches!(self, Self::Else) { "{{else}}" } else { "{{end}}" }
    }
}

impl<'t> Parser<'t> {
    /// Everything up to the end of the text.
    fn top_level(&mut self) -> Parsed<List> {
        let mut list = List::new();
        loop {
            let first = self.next();
            if first.kind == Kind::End {
                return Ok(list);
            }
            if first.kind == Kind::LeftDelim {
                let second = self.next_non_space();
                if second.kind == Kind::Keyword(Keyword::Define) {
                    self.define()?;
                    continue;
                }
                self.put_back(second);
            }
            self.put_back(first);
            match self.text_or_action()? {
                Item::Node(node) => list.push(node),
                end => return Err(self.error(["unexpected ", end.text()].concat())),
            }
        }
    }

    fn define(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect_right_delim(CONTEXT)?;
        let body = self.body_to_end(CONTEXT)?;
        self.scope = outer;
        self.add(&name, body)
    }

    /// A body that must end with `end`, not with `else`.
    fn body_to_end(&mut self, context: &str) -> Parsed<List> {
        match self.body()? {
            (list, Item::Else) => {
                drop(list);
                Err(self.error(["unexpected {{else}} in ", context].concat()))
            }
            (list, _) => Ok(list),
        }
    }

    fn body(&mut self) -> Parsed<(List, Item)> {
        self.deeper(|parser| {
            let mut list = List::new();
            loop {
                if parser.peek_non_space().kind == Kind::End {
                    return Err(parser.error("unexpected EOF"));
                }
                match parser.text_or_action()? {
                    Item::Node(node) => list.push(node),
                    end => return Ok((list, end)),
                }
            }
        })
    }

    /// Runs `inner` one level deeper, as far as the stack allows.
    pub(crate) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= DEPTH_MAX {
            return Err(self.error("max expression depth exceeded"));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text.into()))),
            Kind::LeftDelim => {
                self.scope.action_line = token.line;
                let item = self.action();
                self.scope.action_line = 0;
                item
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Keyword(Keyword::Block) => self.block()?,
            Kind::Keyword(Keyword::Break) => self.loop_control(Node::Break, "{{break}}")?,
            Kind::Keyword(Keyword::Continue) => self.loop_control(Node::Continue, "{{continue}}")?,
            Kind::Keyword(Keyword::If) => Node::If(self.branch(Keyword::If, "if")?),
            Kind::Keyword(Keyword::With) => Node::With(self.branch(Keyword::With, "with")?),
            Kind::Keyword(Keyword::Range) => self.range()?,
            Kind::Keyword(Keyword::Template) => self.call()?,
            Kind::Keyword(Keyword::End) => {
                self.expect_right_delim("end")?;
                return Ok(Item::End);
            }
            Kind::Keyword(Keyword::Else) => {
                // In `else if` and `else with` the second word stays, for the one who began the block.
                let next = self.peek_non_space().kind;
                if !matches!(next, Kind::Keyword(Keyword::If | Keyword::With)) {
                    self.expect_right_delim("else")?;
                }
                return Ok(Item::Else);
            }
            _ => {
                self.put_back(token);
                Node::Action(self.pipeline("command", Kind::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn loop_control(&mut self, node: Node, text: &str) -> Parsed<Node> {
        self.expect_right_delim(text)?;
        if self.scope.ranges == 0 { Err(self.error([text, " outside {{range}}"].concat())) } else { Ok(node) }
    }

    /// `if` or `with`. Variables live to the `end`, so a later arm sees those of the earlier ones.
    fn branch(&mut self, keyword: Keyword, context: &str) -> Parsed<Branch> {
        let outside = self.scope.variables.len();
        let mut arms = Vec::new();
        let otherwise = loop {
            let pipe = self.pipeline(context, Kind::RightDelim)?;
            let (body, end) = self.body()?;
            arms.push((pipe, body));
            if !matches!(end, Item::Else) {
                break List::new();
            }
            let next = self.next();
            if next.kind != Kind::Keyword(keyword) {
                self.put_back(next);
                break self.last_body()?;
            }
        };
        self.scope.variables.truncate(outside);
        Ok(Branch { arms, otherwise })
    }

    /// The body after `else`.
    fn last_body(&mut self) -> Parsed<List> {
        match self.body()? {
            (list, Item::End) => Ok(list),
            (list, end) => {
                drop(list);
                Err(self.error(["expected end; found ", end.text()].concat()))
            }
        }
    }

    fn range(&mut self) -> Parsed<Node> {
        let outside = self.scope.variables.len();
        let over = self.pipeline("range", Kind::RightDelim)?;
        self.scope.ranges += 1;
        let (body, end) = self.body()?;
        self.scope.ranges -= 1;
        let otherwise = if matches!(end, Item::Else) { self.last_body()? } else { List::new() };
        self.scope.variables.truncate(outside);
        Ok(Node::Range(Box::new(Range { over, body, otherwise })))
    }

    /// `{{block "name" pipeline}} … {{end}}`: a definition and its first use in one.
    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let with = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let body = self.body_to_end(CONTEXT)?;
        self.scope = outer;
        self.add(&name, body)?;
        Ok(Node::Template(Call { start: token.start, name, with: Some(with) }))
    }

    fn call(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let next = self.next_non_space();
        let with: Option<Pipe> = if next.kind == Kind::RightDelim {
            None
        } else {
            self.put_back(next);
            Some(self.pipeline(CONTEXT, Kind::RightDelim)?)
        };
        Ok(Node::Template(Call { start: token.start, name, with }))
    }

    fn template_name(&mut self, token: &Token<'t>, context: &str) -> Parsed<Name> {
        if token.kind != Kind::String {
            return Err(self.unexpected(token, context));
        }
        quote::unquote(&token.text).map(Name::from).ok_or_else(|| self.error("invalid syntax"))
    }

    /// Keeps a tree. A second one of the same name is an error unless one of the two is blank.
    fn add(&mut self, name: &str, list: List) -> Parsed<()> {
        let Some(index) = self.trees.iter().position(|(known, _)| **known == *name) else {
            self.trees.push((name.into(), list));
            return Ok(());
        };
        if is_blank(&self.trees[index].1) {
            self.trees[index].1 = list;
        } else if !is_blank(&list) {
            let mut reason = String::from("template: multiple definition of template ");
            quote::double(&mut reason, name, false);
            return Err(self.error(reason));
        }
        Ok(())
    }
}

/// The stream of tokens, and errors about it.
impl<'t> Parser<'t> {
    pub(crate) fn next(&mut self) -> Token<'t> {
        self.pending.pop().unwrap_or_else(|| {
            let token = self.lexer.next_token();
            self.line = token.line;
            token
        })
    }

    pub(crate) fn put_back(&mut self, token: Token<'t>) {
        self.pending.push(token);
    }

    pub(crate) fn peek(&mut self) -> Token<'t> {
        let token = self.next();
        self.put_back(token.clone());
        token
    }

    pub(crate) fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    pub(crate) fn peek_non_space(&mut self) -> Token<'t> {
        let token = self.next_non_space();
        self.put_back(token.clone());
        token
    }

    fn expect_right_delim(&mut self, context: &str) -> Parsed<()> {
        let token = self.next_non_space();
        if token.kind == Kind::RightDelim { Ok(()) } else { Err(self.unexpected(&token, context)) }
    }

    pub(crate) fn error(&self, reason: impl Into<String>) -> ParseError {
        ParseError { name: self.name.to_owned(), line: self.line, reason: reason.into() }
    }

    pub(crate) fn unexpected(&self, token: &Token<'t>, context: &str) -> ParseError {
        let mut reason = String::new();
        match token.kind {
            Kind::Error => {
                reason.push_str(&token.text);
                let began = self.scope.action_line;
                if began != 0 && began != token.line {
                    // "unclosed action" already has the word.
                    reason.push_str(if reason.ends_with(" action") {
                        " started at "
                    } else {
                        " in action started at "
                    });
                    reason.push_str(self.name);
                    reason.push(':');
                    reason.push_str(&began.to_string());
                }
                return self.error(reason);
            }
            Kind::End => reason.push_str("unexpected EOF"),
            Kind::Keyword(_) => {
                reason.push_str("unexpected <");
                reason.push_str(&token.text);
                reason.push('>');
            }
            _ => {
                reason.push_str("unexpected ");
                let cut = token.text.char_indices().nth(10).map_or(token.text.len(), |(at, _)| at);
                quote::double(&mut reason, &token.text[..cut], false);
                reason.push_str(if token.text.len() > 10 { "..." } else { "" });
            }
        }
        reason.push_str(" in ");
        reason.push_str(context);
        self.error(reason)
    }
}

fn is_blank(list: &List) -> bool {
    list.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}
