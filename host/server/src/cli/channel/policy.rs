//! How deliveries are tried, as it is written: what is absent has its default.

use sandbell_domain::ChannelPolicy;
use serde_json::{Map, Value as Json};

use crate::doors::rest::form::{Pointer, PolicyForm};

/// The whole policy that a written one means, each value in one spelling; or where it is wrong, and why.
pub(super) fn whole(written: &Map<String, Json>) -> Result<Map<String, Json>, (String, String)> {
    let written = Json::Object(written.clone());
    match serde_path_to_error::deserialize::<_, PolicyForm>(written) {
        Ok(form) => Ok(map(&form)),
        Err(error) => Err((Pointer::from(error.path()).as_str().to_owned(), error.inner().to_string())),
    }
}

/// What differs from the default.
pub(super) fn own(policy: &Map<String, Json>) -> Map<String, Json> {
    different(policy, &map(&PolicyForm::from(&ChannelPolicy::default())))
}

fn map(form: &PolicyForm) -> Map<String, Json> {
    match serde_json::to_value(form) {
        Ok(Json::Object(map)) => map,
        Ok(_) | Err(_) => unreachable!("a policy is an object of texts and numbers"),
    }
}

fn different(map: &Map<String, Json>, default: &Map<String, Json>) -> Map<String, Json> {
    let mut own = Map::new();
    for (key, value) in map {
        match (value, default.get(key)) {
            (Json::Object(inner), Some(Json::Object(default))) => {
                let inner = different(inner, default);
                if !inner.is_empty() {
                    own.insert(key.clone(), Json::Object(inner));
                }
            }
            (value, default) if default == Some(value) => {}
            (value, _) => {
                own.insert(key.clone(), value.clone());
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn written(json: &Json) -> Map<String, Json> {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn a_policy_has_one_spelling() {
        let policy = whole(&written(&json!({ "retry": { "age_max": "360m", "attempts_max": 5 } }))).unwrap();
        assert_eq!(policy["retry"]["age_max"], "6h");
        assert_eq!(policy["is_ordered"], false);
        assert_eq!(Json::Object(own(&policy)), json!({ "retry": { "age_max": "6h", "attempts_max": 5 } }));
        assert!(own(&whole(&Map::new()).unwrap()).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (pointer, message) = whole(&written(&json!({ "retry": { "age_max": "long" } }))).unwrap_err();
        assert_eq!(pointer, "/retry/age_max");
        assert_snapshot!(message, @"`long` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`");
        assert_eq!(whole(&written(&json!({ "is_sorted": true }))).unwrap_err().0, "/is_sorted");
    }
}
