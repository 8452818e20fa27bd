//! Schemas of the texts that stand in many forms: names, ids, times, objects of texts.

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Array, Object};

pub(super) const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,62}$";

pub(super) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

fn string_or_null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

/// What a tenant, a channel, a plugin or a token is called.
pub(crate) fn name() -> Object {
    string().pattern(Some(NAME)).build()
}

pub(crate) fn name_or_null() -> Object {
    string_or_null().pattern(Some(NAME)).build()
}

pub(super) fn names(items_max: usize) -> Array {
    ArrayBuilder::new().items(name()).max_items(Some(items_max)).build()
}

fn id(prefix: &str) -> ObjectBuilder {
    string().pattern(Some(format!("^{prefix}_[0-9a-f]{{32}}$")))
}

pub(crate) fn channel_id() -> Object {
    id("chn").build()
}

pub(crate) fn notification_id() -> Object {
    id("ntf").build()
}

pub(crate) fn delivery_id() -> Object {
    id("dlv").build()
}

pub(crate) fn tenant_id() -> Object {
    id("tnt").build()
}

pub(crate) fn token_id() -> Object {
    id("tok").build()
}

/// A revision as an entity tag.
pub(crate) fn entity_tag() -> Object {
    string().pattern(Some("^(\"[0-9]{1,9}\"|[0-9]{1,9})$")).build()
}

pub(crate) fn any_tag() -> Object {
    words(string(), &["*"]).build()
}

/// SHA-256 of a component.
pub(crate) fn digest() -> Object {
    string().pattern(Some("^sha256:[0-9a-f]{64}$")).build()
}

pub(crate) fn time() -> Object {
    string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build()
}

pub(crate) fn time_or_null() -> Object {
    string_or_null().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build()
}

fn words(string: ObjectBuilder, words: &[&str]) -> ObjectBuilder {
    string.enum_values(Some(words.iter().copied()))
}

const SEVERITIES: [&str; 9] = ["ok", "debug", "info", "notice", "warning", "err", "crit", "alert", "emerg"];

pub(crate) fn severity_or_null() -> Object {
    let words = SEVERITIES.iter().map(|word| Some(*word)).chain([None]);
    string_or_null().enum_values(Some(words)).build()
}

pub(crate) fn scope() -> Object {
    words(string(), &["send", "read", "manage", "operate"]).build()
}

pub(crate) fn scopes() -> Array {
    ArrayBuilder::new().items(scope()).min_items(Some(1)).max_items(Some(4)).unique_items(true).build()
}

pub(crate) fn dead_reason() -> Object {
    words(string(), &sandbell_domain::DeadReason::ALL.map(sandbell_domain::DeadReason::as_str)).build()
}

pub(crate) fn dead_reason_or_null() -> Object {
    let words = sandbell_domain::DeadReason::ALL.map(|reason| Some(reason.as_str()));
    string_or_null().enum_values(Some(words.into_iter().chain([None]))).build()
}

pub(crate) fn failure_kind() -> Object {
    words(string(), &["transient", "permanent", "misconfigured", "denied", "trapped", "timed-out"]).build()
}

/// An object of texts: keys and values have a longest length, and there are not too many.
pub(super) fn table(value: impl Into<Schema>, keys_max: usize, key_chars_max: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .additional_properties(Some(AdditionalProperties::RefOr(utoipa::openapi::RefOr::T(value.into()))))
        .property_names(Some(string().max_length(Some(key_chars_max)).build()))
        .max_properties(Some(keys_max))
        .build()
}

#[cfg(test)]
mod tests {
    use sandbell_domain::{FailureKind, Severity};

    use super::*;

    #[test]
    fn the_words_of_the_schemas_are_the_domains() {
        for word in SEVERITIES {
            serde_json::from_value::<Severity>(word.into()).unwrap();
        }
        let kinds = serde_json::to_value(failure_kind()).unwrap();
        for kind in kinds["enum"].as_array().unwrap() {
            serde_json::from_value::<FailureKind>(kind.clone()).unwrap();
        }
        let scopes = serde_json::to_value(scope()).unwrap();
        let all: Vec<_> = sandbell_domain::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        assert_eq!(scopes["enum"], serde_json::json!(all));
    }
}
