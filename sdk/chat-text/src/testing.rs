//! Notifications of the systems that this crate knows, as their doors hand them over; for tests of channels.

use sandbell_sdk::{Link, Notification, Severity, Source};

fn from(system: &str, payload: &str) -> Notification {
    let source = Source { system: system.to_owned(), payload: payload.to_owned() };
    let mut notification = Notification { source, incident: None, ..Notification::example() };
    notification.object.tags.clear();
    notification
}

/// An image that is `new` or was updated (`update`).
pub fn diun(status: &str) -> Notification {
    let payload = r#"{"diun_version":"4.33.0","hostname":"myserver","status":"STATUS","provider":"docker","image":"docker.io/library/alpine:latest","hub_link":"https://hub.docker.com/_/alpine","mime_type":"application/vnd.docker.distribution.manifest.list.v2+json","digest":"sha256:216e3ae7de4c","created":"2020-03-26T12:23:56+02:00","platform":"linux/amd64","metadata":{"ctn_names":"web_1"}}"#;
    let mut notification = from("diun", &payload.replace("STATUS", status));
    status.clone_into(&mut notification.event.kind);
    "docker.io/library/alpine:latest".clone_into(&mut notification.object.name);
    "https://hub.docker.com/_/alpine".clone_into(&mut notification.object.url);
    notification
}

/// A push to a repository.
pub fn quay() -> Notification {
    let payload = r#"{"repository":"devtable/api","namespace":"devtable","name":"api","docker_url":"quay.example/devtable/api","homepage":"https://quay.example/repository/devtable/api","updated_tags":["latest"]}"#;
    let mut notification = from("quay", payload);
    "repo_push".clone_into(&mut notification.event.kind);
    notification.event.title = Some("Repository devtable/api updated".to_owned());
    "Repository devtable/api has been updated with tags <latest> & more"
        .clone_into(&mut notification.event.message);
    notification.event.severity = Some(Severity::Ok);
    "devtable/api".clone_into(&mut notification.object.name);
    "https://quay.example/repository/devtable/api".clone_into(&mut notification.object.url);
    notification
}

/// An incident that began.
pub fn argus() -> Notification {
    let payload = r#"{"event":{"pk":2,"incident":1,"actor":{"pk":5,"username":"labsource"},"timestamp":"2026-11-22T06:01:00+01:00","type":{"value":"STA","display":"Incident start"},"description":"db <is> down"},"incident":{"pk":1,"start_time":"2026-11-22T06:00:00+01:00","end_time":"infinity","source_incident_id":"17","details_url":"https://zino.example.com/17","description":"db is down","level":1,"ticket_url":"","metadata":{},"tags":[{"tag":"host=db1"},{"tag":"site=oslo"}]}}"#;
    let mut notification = from("argus", payload);
    "db <is> down".clone_into(&mut notification.event.message);
    notification.event.severity = Some(Severity::Crit);
    notification
}

/// An alert with tags, a button and an image.
pub fn cloudforet() -> Notification {
    let payload = r#"{"notification_type":"ERROR","message":{"title":"This is sample notification","image_url":"https://picsum.photos/200/300","tags":[{"key":"project_id","value":"project-xxxxx","options":{"short":true}},{"key":"resource_id","value":"net/af83"}]}}"#;
    let mut notification = from("cloudforet", payload);
    notification.event.title = Some("This is sample notification".to_owned());
    "1 out of [0.52] was <less> than & the threshold".clone_into(&mut notification.event.message);
    notification.event.severity = Some(Severity::Err);
    "2022-06-27T09:22:00Z".clone_into(&mut notification.event.time);
    "https://console.example.com/alert".clone_into(&mut notification.object.url);
    let (label, url) = ("Acknowledge".to_owned(), "https://monitoring.example.com/ack".to_owned());
    notification.links = vec![Link { label, url }];
    notification
}
