//! Messages to AMQP 0-9-1 brokers for a guest: the grant, the limits, one session, one confirmed message.

mod session;
mod wire;

use sandbell_domain::{AmqpRule, Capability, Mode, escape};
use tokio::time::{Instant, timeout_at};

use crate::attempt::AttemptState;
use crate::power::Common;
use crate::publish::{self, Note, PublishPower, check_headers, check_text, invalid, shown};
use crate::value::{AmqpBroker, AmqpMessage, AmqpServer, Credentials, PublishError};

use session::{Plan, SessionError};

/// Names of exchanges, keys and headers are counted in one byte.
const NAME_BYTES_MAX: usize = 255;

/// What a client is without a login, as every client of `RabbitMQ` has it.
const NOBODY: &[u8] = b"\0guest\0guest";

/// Publishes one message in a session of its own; ends before the attempt's deadline.
pub(crate) async fn publish(
    power: &PublishPower<AmqpRule>,
    common: &Common,
    attempt: &AttemptState,
    broker: AmqpBroker,
    message: AmqpMessage,
) -> Result<(), PublishError> {
    let server = match broker {
        AmqpBroker::Named(name) => return Err(publish::not_declared(&name)),
        AmqpBroker::Server(server) => server,
    };
    let started = Instant::now();
    let outcome = attempt_to_publish(power, common, attempt, &server, &message).await;
    note(&server, message).finish(common, attempt, outcome, started)
}

async fn attempt_to_publish(
    power: &PublishPower<AmqpRule>,
    common: &Common,
    attempt: &AttemptState,
    server: &AmqpServer,
    message: &AmqpMessage,
) -> Result<String, PublishError> {
    let target = power.reach.amqp(&power.rules, server, message)?;
    let bytes = checked(server, message)?;
    let number = attempt.take_publish(&common.limits, bytes)?;
    let login = match &server.login {
        Some(Credentials { user, password }) => {
            publish::check_user(user)?;
            common.secrets.password(password, Some(user))?
        }
        None => NOBODY.to_vec().into(),
    };
    if attempt.mode == Mode::DryRun {
        return Ok(String::new());
    }
    if server.login.is_some() && !server.tls {
        publish::warn_of_plain(&target.host(), target.port());
    }
    let id = attempt.delivery.to_string();
    let plan = Plan {
        target: &target,
        is_encrypted: server.tls,
        tls: &power.tls,
        vhost: &server.vhost,
        login,
        message_id: &if number == 1 { id } else { format!("{id}.{number}") },
        message,
    };
    let mut is_sent = false;
    let outcome = timeout_at(attempt.deadline, session::publish(&plan, &mut is_sent))
        .await
        .unwrap_or(Err(SessionError::Deadline));
    match outcome {
        Ok(()) => Ok("confirmed".to_owned()),
        Err(error) => {
            let mut said = escape::line(&error.to_string());
            if is_sent && !error.is_certain() {
                said.push_str("; the message had left by then, so it may have been taken");
            }
            Err(PublishError { code: error.code(), message: said })
        }
    }
}

/// Everything that the wire has a bound for; gives the bytes of the message.
fn checked(server: &AmqpServer, message: &AmqpMessage) -> Result<usize, PublishError> {
    let AmqpMessage { exchange, routing_key, content_type, headers, body, persistent: _, mandatory: _ } =
        message;
    check_text("the virtual host", &server.vhost, NAME_BYTES_MAX)?;
    check_text("the exchange", exchange, NAME_BYTES_MAX)?;
    check_text("the routing key", routing_key, NAME_BYTES_MAX)?;
    check_text("the content type", content_type, NAME_BYTES_MAX)?;
    check_headers(headers)?;
    for (name, _) in headers {
        check_text("a header's name", name, NAME_BYTES_MAX)?;
        // RabbitMQ sends copies to the keys in `CC` and `BCC`, which no grant names; `x-` is the broker's own.
        let lower = name.to_ascii_lowercase();
        if name.is_empty() || matches!(lower.as_str(), "cc" | "bcc") || lower.starts_with("x-") {
            return Err(invalid(format!("the header `{}` is not the channel's to set", shown(name))));
        }
    }
    let head: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    Ok(exchange.len() + routing_key.len() + content_type.len() + head + body.len())
}

fn note(server: &AmqpServer, message: AmqpMessage) -> Note {
    let AmqpServer { host, port, tls, vhost, login } = server;
    let scheme = if *tls { "amqps" } else { "amqp" };
    Note {
        capability: Capability::Amqp,
        broker: format!("{scheme}://{}:{port}/{}", shown(host), shown(vhost)),
        login: publish::login_shown(login.as_ref()),
        place: format!("exchange:{} key:{}", shown(&message.exchange), shown(&message.routing_key)),
        headers: message.headers,
        body: message.body,
    }
}
