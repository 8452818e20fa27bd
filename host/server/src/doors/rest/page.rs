//! Long lists, a page at a time.

use std::num::NonZeroUsize;

use sandbell_store::Cursor;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use super::limits::{PAGE_DEFAULT, PAGE_MAX};

/// Some of a list, and where the rest begins.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// To be handed in as `cursor`; `null` on the last page.
    #[schema(schema_with = cursor_or_null)]
    pub(super) next: Option<String>,
}

/// A list that is never long.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct All<T> {
    pub(super) items: Vec<T>,
}

/// No parameters: whatever is handed in is a mistake.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// How many entries of a list are wanted.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub(super) struct Limit(NonZeroUsize);

#[derive(Debug, thiserror::Error)]
#[error("must be between 1 and {PAGE_MAX}")]
pub(super) struct BadLimit;

impl TryFrom<usize> for Limit {
    type Error = BadLimit;

    fn try_from(limit: usize) -> Result<Self, BadLimit> {
        NonZeroUsize::new(limit).filter(|limit| limit.get() <= PAGE_MAX).map(Self).ok_or(BadLimit)
    }
}

/// How many, if nobody says.
pub(super) fn count_max(limit: Option<Limit>) -> NonZeroUsize {
    limit.map_or(NonZeroUsize::new(PAGE_DEFAULT).unwrap_or(NonZeroUsize::MIN), |Limit(limit)| limit)
}

/// A place in a list, as it goes over the wire: any 16 hexadecimal digits are one.
pub(super) fn cursor_text(cursor: Cursor) -> String {
    format!("{:016x}", cursor.get().cast_unsigned())
}

pub(super) fn cursor_from_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cursor>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_hex = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let place = u64::from_str_radix(&text, 16).ok().filter(|_| is_hex);
    let place = place.ok_or_else(|| de::Error::custom("is no cursor; take the `next` of the page before"))?;
    Ok(Some(Cursor::new(place.cast_signed())))
}

const CURSOR: &str = "^[0-9a-f]{16}$";

pub(super) fn cursor() -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).pattern(Some(CURSOR)).build()
}

fn cursor_or_null() -> Object {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).pattern(Some(CURSOR)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PageParams {
        #[serde(default)]
        limit: Option<Limit>,
        #[serde(default, deserialize_with = "cursor_from_text")]
        cursor: Option<Cursor>,
    }

    fn params(query: &str) -> Result<PageParams, String> {
        serde_urlencoded::from_str(query).map_err(|error| error.to_string())
    }

    #[test]
    fn a_cursor_reads_back() {
        for place in [0, 1, -1, i64::MAX, i64::MIN] {
            let text = cursor_text(Cursor::new(place));
            let read = params(&format!("cursor={text}")).unwrap();
            assert_eq!(read.cursor, Some(Cursor::new(place)));
        }
        assert_eq!(params("").unwrap().cursor, None);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        assert_eq!(count_max(params("limit=1000").unwrap().limit).get(), 1_000);
        assert_eq!(count_max(params("").unwrap().limit).get(), 100);
        for bad in ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1&limit=2", "limt=1"] {
            assert!(params(bad).is_err(), "{bad}");
        }
        for bad in [
            "cursor=",
            "cursor=x",
            "cursor=00000000000000000",
            "cursor=00000000000000G0",
            "cursor=+0000000000000f0",
        ] {
            assert!(params(bad).is_err(), "{bad}");
        }
    }
}
