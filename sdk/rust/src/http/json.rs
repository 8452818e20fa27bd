//! JSON with secrets in it.

use serde::Serialize;

use crate::{Secret, Template};

/// A JSON object whose values may be secrets, which the host escapes and puts in.
///
/// ```
/// # use sandbell_sdk::prelude::*;
/// # fn send(token: &Secret) -> http::Request {
/// http::post("https://api.example.com/push").json_object(
///     http::object().secret("token", token).value("title", "Disk full").value("priority", &5),
/// )
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Object {
    /// Everything but the closing brace.
    open: Template,
    is_empty: bool,
}

/// Starts an empty object.
pub fn object() -> Object {
    Object { open: Template::from("{"), is_empty: true }
}

impl Object {
    /// Adds a value; one that cannot be written as JSON becomes `null`.
    pub fn value<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.key(key);
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        self.open.push_text(&json);
        self
    }

    /// Adds a secret as a string.
    pub fn secret(self, key: &str, secret: &Secret) -> Self {
        self.template(key, Template::json_escaped(secret))
    }

    /// Adds an object inside this one.
    pub fn object(mut self, key: &str, inner: Self) -> Self {
        self.key(key);
        self.open = self.open.with(inner);
        self
    }

    fn template(mut self, key: &str, value: Template) -> Self {
        self.key(key);
        self.open = self.open.with("\"").with(value).with("\"");
        self
    }

    fn key(&mut self, key: &str) {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.open.push_text(",");
        }
        self.open.push_text(&serde_json::Value::from(key).to_string());
        self.open.push_text(":");
    }
}

impl From<Object> for Template {
    fn from(object: Object) -> Self {
        object.open.with("}")
    }
}
