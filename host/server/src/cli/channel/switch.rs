//! `sandbell channel enable|disable|delete`.

use sandbell_domain::Name;
use serde_json::json;

use super::super::exit::Exit;
use super::super::output::confirm;
use super::super::run::{Context, Done};
use crate::client::{Client, Request};

pub(super) fn enable(context: &Context, client: &Client, name: &Name) -> Done {
    let json = client.call(&Request::post(&["channels", name.as_str(), "enable"]))?;
    context.output.result(|| format!("{name} is enabled; what waits is delivered\n"), || json);
    Ok(Exit::Ok)
}

pub(super) fn disable(context: &Context, client: &Client, name: &Name, reason: Option<String>) -> Done {
    let mut request = Request::post(&["channels", name.as_str(), "disable"]);
    if let Some(reason) = reason {
        request = request.body(json!({ "reason": reason }));
    }
    let json = client.call(&request)?;
    context.output.result(|| format!("{name} is disabled; what arrives waits\n"), || json);
    Ok(Exit::Ok)
}

pub(super) fn delete(context: &Context, client: &Client, name: &Name, is_sure: bool) -> Done {
    if !is_sure {
        confirm(
            &format!("Delete {name}, its revisions and its secrets?"),
            &format!("`sandbell channel delete {name} --yes` deletes without asking"),
        )?;
    }
    client.call(&Request::delete(&["channels", name.as_str()]))?;
    context.output.result(|| format!("{name} is deleted\n"), || json!({ "name": name, "deleted": true }));
    Ok(Exit::Ok)
}
