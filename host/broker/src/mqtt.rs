//! Messages to MQTT brokers for a guest: the grant, the limits, one session, one message that was taken.

mod session;
mod wire;

use sandbell_domain::{Capability, Mode, MqttRule, escape};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::attempt::AttemptState;
use crate::power::Common;
use crate::publish::{self, Note, PublishPower, check_headers, check_text, invalid, shown};
use crate::value::{Credentials, MqttBroker, MqttMessage, MqttServer, PublishError};

use session::{Login, Plan, SessionError};
use wire::Version;

/// Texts of MQTT are counted in two bytes; nobody needs a longer one than this.
const TEXT_BYTES_MAX: usize = 1024;

/// The power to publish by MQTT.
pub(crate) struct MqttPower {
    pub(crate) publish: PublishPower<MqttRule>,
    /// A broker ends the older of two connections with one client id, so the attempts of a channel take turns.
    pub(crate) turn: Semaphore,
}

/// Publishes one message in a session of its own; ends before the attempt's deadline.
pub(crate) async fn publish(
    power: &MqttPower,
    common: &Common,
    attempt: &AttemptState,
    broker: MqttBroker,
    message: MqttMessage,
) -> Result<(), PublishError> {
    let server = match broker {
        MqttBroker::Named(name) => return Err(publish::not_declared(&name)),
        MqttBroker::Server(server) => server,
    };
    let started = Instant::now();
    let outcome = attempt_to_publish(power, common, attempt, &server, &message).await;
    note(&server, message).finish(common, attempt, outcome, started)
}

async fn attempt_to_publish(
    MqttPower { publish: power, turn }: &MqttPower,
    common: &Common,
    attempt: &AttemptState,
    server: &MqttServer,
    message: &MqttMessage,
) -> Result<String, PublishError> {
    let target = power.reach.mqtt(&power.rules, server, message)?;
    let version = match server.version.as_str() {
        "3.1.1" => Version::V311,
        "5" => Version::V5,
        other => return Err(invalid(format!("`{}` is no version of MQTT; write 3.1.1 or 5", shown(other)))),
    };
    attempt.take_publish(&common.limits, checked(server, message, version)?)?;
    let login = server.login.as_ref().map(|Credentials { user, password }| {
        publish::check_user(user)?;
        let password = common.secrets.password(password, None)?;
        check_text(
            "the password",
            std::str::from_utf8(&password).unwrap_or_default(),
            usize::from(u16::MAX),
        )?;
        Ok::<_, PublishError>(Login { user: user.clone(), password })
    });
    let login = login.transpose()?;
    if attempt.mode == Mode::DryRun {
        return Ok(String::new());
    }
    if login.is_some() && !server.tls {
        publish::warn_of_plain(&target.host(), target.port());
    }
    let client_id = server.client_id.as_str();
    let plan = Plan {
        target: &target,
        is_encrypted: server.tls,
        tls: &power.tls,
        version,
        client_id,
        login,
        message,
    };
    let mut is_sent = false;
    let session = async {
        // The semaphore is never closed, and a client without an id disturbs nobody.
        let _turn = if client_id.is_empty() { None } else { turn.acquire().await.ok() };
        session::publish(&plan, &mut is_sent).await
    };
    let outcome = timeout_at(attempt.deadline, session).await.unwrap_or(Err(SessionError::Deadline));
    match outcome {
        Ok(taken) => Ok(taken.to_owned()),
        Err(error) => {
            let mut said = escape::line(&error.to_string());
            if is_sent && !error.is_certain() {
                said.push_str("; the message had left by then, so it may have been taken");
            }
            Err(PublishError { code: error.code(), message: said })
        }
    }
}

/// Everything that the protocol has a bound for; gives the bytes of the message.
fn checked(server: &MqttServer, message: &MqttMessage, version: Version) -> Result<usize, PublishError> {
    let MqttMessage { topic, content_type, headers, body, qos, retain: _ } = message;
    check_text("the client id", &server.client_id, TEXT_BYTES_MAX)?;
    check_text("the topic", topic, TEXT_BYTES_MAX)?;
    check_text("the content type", content_type, TEXT_BYTES_MAX)?;
    check_headers(headers)?;
    if *qos > 2 {
        return Err(invalid(format!("{qos} is no QoS; write 0, 1 or 2")));
    }
    if topic.is_empty() || topic.contains(['+', '#']) {
        return Err(invalid("a topic to publish to is not empty and has neither `+` nor `#`".to_owned()));
    }
    if version == Version::V311 && (!content_type.is_empty() || !headers.is_empty()) {
        return Err(invalid("MQTT 3.1.1 has neither a content type nor headers; use version 5".to_owned()));
    }
    // Texts of MQTT have no control characters (§1.5.4), and a broker closes the connection on one.
    let texts = headers.iter().flat_map(|(name, value)| [name, value]).chain([
        topic,
        content_type,
        &server.client_id,
    ]);
    if let Some(text) = texts.into_iter().find(|text| text.chars().any(char::is_control)) {
        return Err(invalid(format!("`{}` holds a control character; remove it", shown(text))));
    }
    let head: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    Ok(topic.len() + content_type.len() + head + body.len())
}

fn note(server: &MqttServer, message: MqttMessage) -> Note {
    let MqttServer { host, port, tls, version, client_id, login } = server;
    let scheme = if *tls { "mqtts" } else { "mqtt" };
    let MqttMessage { topic, content_type: _, headers, body, qos, retain } = message;
    let retained = if retain { ", retained" } else { "" };
    Note {
        capability: Capability::Mqtt,
        broker: format!(
            "{scheme}://{}:{port} (MQTT {} as `{}`)",
            shown(host),
            shown(version),
            shown(client_id)
        ),
        login: publish::login_shown(login.as_ref()),
        place: format!("topic:{} (QoS {qos}{retained})", shown(&topic)),
        headers,
        body,
    }
}
