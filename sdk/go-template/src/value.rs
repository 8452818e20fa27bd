//! The data a template sees, with as much of Go's typing as a template can notice.
//!
//! A clone is cheap: everything that can be large is shared.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::Time;

/// A Go value, as a template, `printf` or `json` sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A nil `interface {}`: prints `<no value>` as an action and `<nil>` inside other values.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint64`
    Uint(u64),
    /// `float64`
    Float(f64),
    /// `string`
    String(Arc<str>),
    /// A slice.
    List(Arc<List>),
    /// A map with string keys.
    Map(Arc<Map>),
    /// A struct, or a pointer to one.
    Struct(Arc<Struct>),
    /// A nil pointer to a struct: `.Field` on it is an error, not `<no value>`.
    NilPointer(&'static StructType),
    /// `time.Time`
    Time(Arc<Time>),
    /// A named scalar type with a `String` method, like `time.Month`.
    Named(Arc<Named>),
}

/// A Go slice: its items and the type they were declared with.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub items: Vec<Value>,
    /// Go's name of the item type, for messages and `%T`: `string`, `interface {}`, `plugin.Address`.
    pub item_type: &'static str,
    /// A slice that was never made: `json` writes `null`, everything else sees an empty list.
    pub is_nil: bool,
}

/// A Go map with string keys, in the order in which Go prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub entries: BTreeMap<String, Value>,
    /// Go's name of the value type. It decides what `index` gives for a missing key: `""` in a map of
    /// `string`, nothing in a map of `interface {}`.
    pub item_type: &'static str,
    /// A map that was never made: `json` writes `null`, everything else sees an empty map.
    pub is_nil: bool,
}

/// A Go struct: a description shared by all values of the type, and the values of its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Struct {
    pub of: &'static StructType,
    /// One value for each of the type's fields, in the same order.
    pub values: Vec<Value>,
    /// What the type's `String` method returns, if it has one; then the struct prints as this text.
    pub text: Option<Arc<str>>,
    /// Whether the value is a pointer to the struct. `print` then writes `&{…}`.
    pub is_pointer: bool,
}

/// What all values of one struct type have in common.
#[derive(Debug, PartialEq)]
pub struct StructType {
    /// Go's name of the type, such as `plugin.Incident`.
    pub name: &'static str,
    pub fields: &'static [Field],
}

/// A field of a struct type.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// The name a template uses: `FullName`.
    pub name: &'static str,
    /// The name in JSON, `full_name`; `None` leaves the field out (Go's `json:"-"`).
    pub json: Option<&'static str>,
    /// Whether JSON leaves out a false, zero, nil or empty value.
    pub omit_empty: bool,
}

/// A scalar of a named type with a `String` method.
///
/// Verbs for text (`%v`, `%s`, `%q`, `%x`) use the text; comparisons and `%d` use the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Go's name of the type, such as `time.Month`.
    pub type_name: &'static str,
    pub text: Arc<str>,
    pub value: Value,
    /// Whether the type also has a `MarshalJSON` or `MarshalText` that gives the text.
    pub json_is_text: bool,
}

impl Field {
    /// A field that JSON always writes.
    pub const fn new(name: &'static str, json: &'static str) -> Self {
        Self { name, json: Some(json), omit_empty: false }
    }

    /// A field that JSON never writes.
    pub const fn hidden(name: &'static str) -> Self {
        Self { name, json: None, omit_empty: false }
    }

    /// The same field, left out of JSON where it is empty.
    #[must_use]
    pub const fn omit_empty(self) -> Self {
        Self { omit_empty: true, ..self }
    }
}

impl StructType {
    /// Describes a type; meant for a `static`.
    pub const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        Self { name, fields }
    }

    /// The place of the field with this Go name.
    pub fn position(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|known| known.name == field)
    }

    /// A struct of this type. Missing values are nil; values beyond the last field are dropped.
    pub fn value(&'static self, mut values: Vec<Value>) -> Struct {
        values.resize(self.fields.len(), Value::Nil);
        Struct { of: self, values, text: None, is_pointer: false }
    }
}

impl Struct {
    /// Gives the struct a `String` method that returns this text.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Makes the value a pointer to the struct.
    #[must_use]
    pub fn behind_pointer(mut self) -> Self {
        self.is_pointer = true;
        self
    }

    /// The value of the field with this Go name.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.values.get(self.of.position(field)?)
    }
}

impl List {
    /// A list of items that were declared with this Go type.
    pub fn new(item_type: &'static str, items: Vec<Value>) -> Self {
        Self { items, item_type, is_nil: false }
    }

    /// A slice that was never made.
    pub fn nil(item_type: &'static str) -> Self {
        Self { items: Vec::new(), item_type, is_nil: true }
    }
}

impl Map {
    /// A map of values that were declared with this Go type.
    pub fn new(item_type: &'static str, entries: BTreeMap<String, Value>) -> Self {
        Self { entries, item_type, is_nil: false }
    }

    /// A map that was never made.
    pub fn nil(item_type: &'static str) -> Self {
        Self { entries: BTreeMap::new(), item_type, is_nil: true }
    }

    /// What Go gives for a key that is not there: the zero of the declared type.
    ///
    /// For types other than Go's basic ones this is nil.
    pub(crate) fn zero(&self) -> Value {
        match self.item_type {
            "string" => Value::String("".into()),
            "bool" => Value::Bool(false),
            "int" => Value::Int(0),
            "uint64" => Value::Uint(0),
            "float64" => Value::Float(0.0),
            _ => Value::Nil,
        }
    }
}

impl Value {
    /// The declared name of Go's empty interface, the type of what came from JSON.
    pub const ANY: &'static str = "interface {}";

    /// Go's name of the value's type, as `%T` prints it.
    pub fn type_name(&self) -> Cow<'static, str> {
        let name = match self {
            Self::Nil => Self::ANY,
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint64",
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::Time(_) => "time.Time",
            Self::Named(named) => named.type_name,
            Self::List(list) => return ["[]", list.item_type].concat().into(),
            Self::Map(map) => return ["map[string]", map.item_type].concat().into(),
            Self::NilPointer(of) => return ["*", of.name].concat().into(),
            Self::Struct(it) if it.is_pointer => return ["*", it.of.name].concat().into(),
            Self::Struct(it) => it.of.name,
        };
        Cow::Borrowed(name)
    }

    /// Go's name of the type that a pointer points to; of anything else, its own.
    pub(crate) fn target_type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Struct(it) => Cow::Borrowed(it.of.name),
            other => other.type_name(),
        }
    }

    /// Whether `if` takes the value for true: not the zero of its type, not empty; structs always.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil | Self::NilPointer(_) => false,
            Self::Bool(it) => *it,
            Self::Int(it) => *it != 0,
            Self::Uint(it) => *it != 0,
            Self::Float(it) => *it != 0.0,
            Self::String(it) => !it.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Struct(_) | Self::Time(_) => true,
            Self::Named(named) => named.value.is_true(),
        }
    }

    /// What the type's `String` method returns, where there is one.
    pub(crate) fn own_text(&self) -> Option<Arc<str>> {
        match self {
            Self::Time(time) => Some(time.to_string().into()),
            Self::Named(named) => Some(named.text.clone()),
            Self::Struct(it) => it.text.clone(),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Uint(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::NilPointer(_) => None,
        }
    }

    /// The value under its names: a named scalar's value, everything else itself.
    pub(crate) fn plain(&self) -> &Self {
        match self {
            Self::Named(named) => &named.value,
            other => other,
        }
    }

    /// The text, if this is a `string`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}

impl From<i64> for Value {
    fn from(it: i64) -> Self {
        Self::Int(it)
    }
}

impl From<u64> for Value {
    fn from(it: u64) -> Self {
        Self::Uint(it)
    }
}

impl From<f64> for Value {
    fn from(it: f64) -> Self {
        Self::Float(it)
    }
}

impl From<&str> for Value {
    fn from(it: &str) -> Self {
        Self::String(it.into())
    }
}

impl From<String> for Value {
    fn from(it: String) -> Self {
        Self::String(it.into())
    }
}

impl From<List> for Value {
    fn from(it: List) -> Self {
        Self::List(Arc::new(it))
    }
}

impl From<Map> for Value {
    fn from(it: Map) -> Self {
        Self::Map(Arc::new(it))
    }
}

impl From<Struct> for Value {
    fn from(it: Struct) -> Self {
        Self::Struct(Arc::new(it))
    }
}

impl From<Time> for Value {
    fn from(it: Time) -> Self {
        Self::Time(Arc::new(it))
    }
}

impl From<Named> for Value {
    fn from(it: Named) -> Self {
        Self::Named(Arc::new(it))
    }
}

/// A slice of `string`.
impl FromIterator<String> for Value {
    fn from_iter<I: IntoIterator<Item = String>>(items: I) -> Self {
        List::new("string", items.into_iter().map(Self::from).collect()).into()
    }
}

/// A slice of `interface {}`.
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        List::new(Self::ANY, items.into_iter().collect()).into()
    }
}

/// A `map[string]string`.
impl FromIterator<(String, String)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key, Self::from(value))).collect();
        Map::new("string", entries).into()
    }
}

/// A `map[string]interface {}`.
impl FromIterator<(String, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Map::new(Self::ANY, entries.into_iter().collect()).into()
    }
}
