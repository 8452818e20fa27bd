//! The value that the golden cases are rendered over: the same as in `main.go`.

use jiff::{Timestamp, tz::Offset};
use sandbell_go_template::{Field, List, Map, Named, StructType, Time, Value};

static ADDRESS: StructType =
    StructType::new("main.Address", &[Field::new("Type", "type"), Field::new("Address", "address")]);
static CONTACT: StructType = StructType::new(
    "main.Contact",
    &[Field::new("FullName", "full_name"), Field::new("Addresses", "addresses")],
);
static OBJECT: StructType = StructType::new(
    "main.Object",
    &[
        Field::new("Name", "name"),
        Field::new("Url", "url"),
        Field::new("Tags", "tags"),
        Field::new("ExtraTags", "extra_tags").omit_empty(),
    ],
);
static INCIDENT: StructType = StructType::new(
    "main.Incident",
    &[Field::new("Id", "id"), Field::new("Url", "url"), Field::new("Severity", "severity")],
);
static EVENT: StructType = StructType::new(
    "main.Event",
    &[Field::new("Time", "time"), Field::new("Message", "message"), Field::hidden("Secret")],
);
static IMAGE: StructType =
    StructType::new("main.Image", &[Field::new("Domain", "Domain"), Field::new("Path", "Path")]);
static REQUEST: StructType = StructType::new(
    "main.Request",
    &[
        Field::new("Contact", "contact"),
        Field::new("Object", "object"),
        Field::new("Incident", "incident"),
        Field::new("Event", "event"),
        Field::new("Missing", "missing"),
        Field::new("Image", "image"),
        Field::new("Any", "any"),
        Field::new("List", "list"),
        Field::new("Words", "words"),
        Field::new("Empty", "empty"),
        Field::new("NilList", "nil_list"),
        Field::new("NilMap", "nil_map"),
        Field::new("Int", "int"),
        Field::new("Uint", "uint"),
        Field::new("Float", "float"),
        Field::new("Yes", "yes"),
        Field::new("No", "no"),
        Field::new("Text", "text"),
        Field::new("Blank", "blank"),
        Field::new("Nothing", "nothing"),
        Field::new("Local", "local"),
    ],
);

pub(crate) fn request() -> Value {
    REQUEST
        .value(vec![
            contact(),
            object(),
            incident(),
            event(),
            Value::NilPointer(&INCIDENT),
            IMAGE
                .value(vec!["docker.io".into(), "library/nginx".into()])
                .with_text("docker.io/library/nginx")
                .into(),
            any(),
            [1i64.into(), "two".into(), 3.5.into(), true.into(), Value::Nil].into_iter().collect(),
            ["alpha", "beta", "gamma"].map(String::from).into_iter().collect(),
            List::new("string", Vec::new()).into(),
            List::nil("string").into(),
            Map::nil("int").into(),
            42i64.into(),
            7u64.into(),
            2.5.into(),
            true.into(),
            false.into(),
            "tick ' quote \" <b>&</b> ünï \\ end".into(),
            "".into(),
            Value::Nil,
            local(),
        ])
        .into()
}

fn contact() -> Value {
    let address = |kind: &str, address: &str| ADDRESS.value(vec![kind.into(), address.into()]).into();
    let addresses = vec![address("email", "admin@example.com"), address("sms", "+49 1")];
    CONTACT
        .value(vec!["Icinga Admin".into(), List::new("main.Address", addresses).into()])
        .behind_pointer()
        .into()
}

fn object() -> Value {
    let tags = [("host", "dummy"), ("service", "disk"), ("a-b", "dash")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    OBJECT
        .value(vec![
            "dummy!disk".into(),
            "http://localhost/x?a=1&b=2".into(),
            tags.into_iter().collect(),
            Map::nil("string").into(),
        ])
        .behind_pointer()
        .into()
}

fn incident() -> Value {
    let severity =
        Named { type_name: "main.Severity", text: "crit".into(), value: 7u64.into(), json_is_text: true };
    INCIDENT
        .value(vec![1437i64.into(), "http://localhost/i?id=1437".into(), severity.into()])
        .behind_pointer()
        .into()
}

fn event() -> Value {
    let time = Time::parse_rfc3339("2026-11-22T04:49:53.181747244Z").unwrap();
    EVENT
        .value(vec![time.into(), "Something <went> wrong & \"é\"".into(), "hidden".into()])
        .behind_pointer()
        .into()
}

fn any() -> Value {
    let inner: Value = [("k".to_owned(), Value::from("v"))].into_iter().collect();
    let list: Value = [1i64.into(), "two".into(), Value::Nil].into_iter().collect();
    [
        ("s", Value::from("text")),
        ("n", 3i64.into()),
        ("f", 1.5.into()),
        ("nil", Value::Nil),
        ("m", inner),
        ("l", list),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}

fn local() -> Value {
    let offset = Offset::from_seconds(19_800).unwrap();
    let civil = jiff::civil::date(2026, 3, 5).at(14, 3, 9, 70_000_000);
    let timestamp: Timestamp = offset.to_timestamp(civil).unwrap();
    Time::new(timestamp, offset, "").into()
}
