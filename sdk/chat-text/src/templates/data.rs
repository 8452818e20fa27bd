//! The data that Diun's templates see: `.Meta` and `.Entry` with Go's field names, and Icinga's four beside them.
//!
//! A notification of another source is shown in the same shape: its object is the image, its kind of event the status.

use std::sync::Arc;

use sandbell_go_template::{Field, List, StructType, Time, Value};
use sandbell_sdk::Notification;

use super::icinga::icinga_parts;
use crate::diun::{DiunEntry, diun_meta};

static DATA: StructType = StructType::new(
    "msg.Data",
    &[
        Field::hidden("Meta"),
        Field::hidden("Entry"),
        Field::new("Contact", "contact"),
        Field::new("Object", "object"),
        Field::new("Incident", "incident"),
        Field::new("Event", "event"),
    ],
);
static META: StructType = StructType::new(
    "model.Meta",
    &[
        Field::hidden("ID"),
        Field::hidden("Name"),
        Field::hidden("Desc"),
        Field::hidden("URL"),
        Field::hidden("Logo"),
        Field::hidden("Author"),
        Field::hidden("Version"),
        Field::hidden("UserAgent"),
        Field::hidden("Hostname"),
    ],
);
static ENTRY: StructType = StructType::new(
    "model.NotifEntry",
    &[
        Field::new("Status", "status"),
        Field::new("Provider", "provider"),
        Field::new("Image", "image"),
        Field::new("Manifest", "manifest"),
        Field::new("Metadata", "metadata"),
    ],
);
static IMAGE: StructType = StructType::new(
    "registry.Image",
    &[
        Field::hidden("Domain"),
        Field::hidden("Path"),
        Field::hidden("Tag"),
        Field::hidden("Digest"),
        Field::hidden("HubLink"),
    ],
);
static MANIFEST: StructType = StructType::new(
    "registry.Manifest",
    &[
        Field::hidden("Name"),
        Field::hidden("Tag"),
        Field::hidden("MIMEType"),
        Field::hidden("Digest"),
        Field::hidden("Created"),
        Field::hidden("DockerVersion"),
        Field::hidden("Labels"),
        Field::hidden("Layers"),
        Field::hidden("Platform"),
    ],
);

/// The value of `.` in a template of Diun's kind.
pub fn diun_data(notification: &Notification) -> Value {
    let entry = DiunEntry::of(notification).unwrap_or_else(|| stand_in(notification));
    let mut parts = vec![meta(&entry), value_of(&entry)];
    parts.extend(icinga_parts(notification));
    DATA.value(parts).into()
}

fn stand_in(notification: &Notification) -> DiunEntry {
    let Notification { object, event, source, .. } = notification;
    DiunEntry {
        status: event.kind.clone(),
        provider: source.system.clone(),
        image: object.name.clone(),
        hub_link: object.url.clone(),
        created: event.time.clone(),
        metadata: object.tags.clone(),
        ..DiunEntry::default()
    }
}

fn meta(entry: &DiunEntry) -> Value {
    let agent = format!("diun/{}", entry.version);
    let texts = [
        "diun",
        diun_meta::NAME,
        diun_meta::DESC,
        diun_meta::URL,
        diun_meta::LOGO,
        diun_meta::AUTHOR,
        &entry.version,
        &agent,
        &entry.hostname,
    ];
    META.value(texts.map(Value::from).into()).into()
}

fn value_of(entry: &DiunEntry) -> Value {
    let text = |text: &str| Value::from(text);
    let image = [entry.domain(), entry.path(), entry.tag(), "", &entry.hub_link].map(text);
    let created = Time::parse_rfc3339(&entry.created).map_or(Value::Nil, |time| Value::Time(Arc::new(time)));
    let no_labels: Value = std::iter::empty::<(String, String)>().collect();
    let manifest = vec![
        text(&[entry.domain(), "/", entry.path()].concat()),
        text(entry.tag()),
        text(&entry.mime_type),
        text(&entry.digest),
        created,
        text(""),
        no_labels,
        List::nil("string").into(),
        text(&entry.platform),
    ];
    ENTRY
        .value(vec![
            text(&entry.status),
            text(&entry.provider),
            IMAGE.value(image.into()).with_text(&entry.image).into(),
            MANIFEST.value(manifest).into(),
            entry.metadata.iter().cloned().collect(),
        ])
        .into()
}
