//! One notification through every channel of the repository at once, each with the configuration of its folder.
//!
//! In each `example.json`, addresses and logins give way to those of servers on this machine, and nothing else does. Where the
//! host of a service is part of the channel, nothing can be sent: what would be is shown.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};
use sandbell_peers::{
    Dialect, MOSQUITTO_USER, Mosquitto, Postfix, RABBITMQ_USER, RABBITMQ_VHOST, RECIPIENT, RabbitMq,
    Receiver, Reply, Serving, USER, example_request, wait_for,
};
use serde_json::{Value as Json, json};

use crate::host::Host;
use crate::peer::{Peer, answer};
use crate::table::{Row, beginning, say};

/// Where `cargo xtask` works: the root of the repository.
const CHANNELS: &str = "channels-wasm";
const HERE: &str = "127.0.0.1";
const QUEUE: &str = "all";
const TOPIC: &str = "alerts/db";

/// The servers.
struct Peers {
    postfix: Postfix,
    rabbit: RabbitMq,
    mosquitto: Mosquitto,
}

/// A channel that waits for the notification.
struct Ready {
    name: String,
    config: Json,
    catcher: Catcher,
}

/// Who looks for what arrives.
enum Catcher {
    Http(Receiver),
    /// To this address, which is in the head of the mail.
    Mail(String),
    Amqp,
    Mqtt,
}

/// What a channel did.
#[derive(Debug)]
struct Sent {
    to: String,
    arrived: String,
    verdict: &'static str,
}

/// A row for each channel, and how many failed.
pub(crate) fn show(host: &Host) -> Result<(Vec<Row>, usize)> {
    let mut names: Vec<String> = fs::read_dir(CHANNELS)
        .with_context(|| format!("there is no {CHANNELS} here; `cargo xtask demo --all` starts this"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    say("Starting Postfix, RabbitMQ and mosquitto on loopback ports …");
    let peers =
        Peers { postfix: Postfix::start()?, rabbit: RabbitMq::start()?, mosquitto: Mosquitto::start()? };
    say(&format!("Installing and approving {} channels …", names.len()));
    let (mut ready, mut done) = (Vec::new(), Vec::new());
    for name in names {
        match prepare(host, &peers, &name) {
            Ok(Some(it)) => ready.push(it),
            Ok(None) => done.push((name.clone(), shown(host, &name))),
            Err(error) => done.push((name, Err(error))),
        }
    }
    say(&format!("Handing one notification to a host that serves {} of them …", ready.len()));
    let serving = host.serve("")?;
    create(host, &serving, &ready)?;
    let subscriber = peers.mosquitto.subscribe(TOPIC)?;
    let deliveries = notify(host, &ready)?;
    let heard = subscriber.message();
    for Ready { name, catcher, .. } in ready {
        let sent = delivered(&deliveries, &name).and_then(|()| caught(&peers, &heard, catcher));
        done.push((name, sent));
    }
    let status = serving.stop()?;
    ensure!(status.success(), "the host ended with {status}");
    done.sort_by(|(one, _), (other, _)| one.cmp(other));
    let failed = done.iter().filter(|(_, sent)| sent.is_err()).count();
    Ok((done.into_iter().map(row).collect(), failed))
}

fn row((name, sent): (String, Result<Sent>)) -> Row {
    let failed = |error| Sent { to: "–".to_owned(), arrived: format!("{error:#}"), verdict: "FAILED" };
    let Sent { to, arrived, verdict } = sent.unwrap_or_else(failed);
    [name, to, arrived, verdict.to_owned()]
}

/// Installs a channel and points the configuration of its folder to this machine; nothing if its service's host is fixed.
fn prepare(host: &Host, peers: &Peers, name: &str) -> Result<Option<Ready>> {
    host.install(&host.built.channel(name)?, name)?;
    let config = example(name)?;
    let (ours, catcher) = match Peer::of(name)? {
        Peer::Http(option, path) => {
            let channel = name.to_owned();
            let receiver = Receiver::start(move |request| {
                let (status, body) = answer(&channel, request);
                Reply::new(status, body).header("content-type", "application/json")
            })?;
            (json!({ option: receiver.url(path) }), Catcher::Http(receiver))
        }
        Peer::Mail => {
            host.trust(name, peers.postfix.authority())?;
            by_mail(&peers.postfix, &config)
        }
        Peer::Amqp => {
            host.trust(name, peers.rabbit.authority())?;
            let login =
                json!({ "username": RABBITMQ_USER.0, "password": RABBITMQ_USER.1, "vhost": RABBITMQ_VHOST });
            let place = json!({ "host": HERE, "port": peers.rabbit.amqps_port, "queue": QUEUE });
            (with(login, place), Catcher::Amqp)
        }
        Peer::Mqtt => {
            host.trust(name, peers.mosquitto.authority())?;
            let login = json!({ "username": MOSQUITTO_USER.0, "password": MOSQUITTO_USER.1 });
            let place = json!({ "host": HERE, "port": peers.mosquitto.mqtts_port, "topic": TOPIC });
            (with(login, place), Catcher::Mqtt)
        }
        Peer::Fixed => return Ok(None),
    };
    Ok(Some(Ready { name: name.to_owned(), config: with(config, ours), catcher }))
}

/// With a login, which takes TLS, if the example has one; through a gateway to telephones, if it has one.
fn by_mail(postfix: &Postfix, example: &Json) -> (Json, Catcher) {
    let server = if example["user"].is_string() {
        json!({ "host": HERE, "port": postfix.smtp_port, "user": USER.0, "password": USER.1 })
    } else {
        json!({ "host": HERE, "port": postfix.plain_port })
    };
    match example["phone_number"].as_str() {
        Some(number) => {
            let gateway = json!({ "mail_to": "{number}@example.com" });
            (with(server, gateway), Catcher::Mail(format!("{number}@example.com")))
        }
        None => (server, Catcher::Mail(RECIPIENT.to_owned())),
    }
}

fn create(host: &Host, serving: &Serving, ready: &[Ready]) -> Result<()> {
    let mut operator = serving.operator();
    for Ready { name, config, .. } in ready {
        let (settings, secrets) = apart(host, name, config)?;
        let channel = json!({ "name": name, "plugin": name, "settings": settings, "secrets": secrets });
        let answer = operator.json("POST", "/api/v1/channels", &channel)?;
        ensure!(answer.status == 201, "the channel {name} is not made: {}", answer.text());
    }
    Ok(())
}

/// Hands the notification in, and waits; its deliveries.
fn notify(host: &Host, ready: &[Ready]) -> Result<Vec<Json>> {
    let file = host.file("notification.json", &for_a_host(&notification()).to_string())?;
    let names = ready.iter().map(|it| it.name.as_str());
    let mut arguments = vec!["notify", "--file", &file, "--wait", "60", "--json"];
    arguments.extend(names);
    // It says by its code how the worst of them ended; each is looked at below.
    let accepted = host.run(&arguments, "")?.json()?;
    let deliveries = accepted["notifications"][0]["deliveries"].as_array();
    Ok(deliveries.with_context(|| format!("nothing is accepted: {accepted}"))?.clone())
}

/// The options that are secrets are set apart from the others.
fn apart(host: &Host, name: &str, config: &Json) -> Result<(Json, Json)> {
    let component = host.built.channel(name)?;
    let inspected = host.run(&["inspect", "--json", &component.to_string_lossy()], "")?.expect(0)?.json()?;
    let options = inspected["info"]["config_attrs"].as_array().context("a list of options")?;
    let is_secret =
        |option: &str| options.iter().any(|known| known["name"] == option && known["kind"] == "secret");
    let all = config.as_object().context("an example is an object")?.clone();
    let (secrets, settings): (Vec<_>, Vec<_>) = all.into_iter().partition(|(option, _)| is_secret(option));
    Ok((settings.into_iter().collect(), secrets.into_iter().collect()))
}

/// Fails with what the channel said, unless its delivery was delivered.
fn delivered(deliveries: &[Json], channel: &str) -> Result<()> {
    let mut of_channel = deliveries.iter().filter(|delivery| delivery["channel"] == channel);
    let delivery = of_channel.next().context("there is no delivery")?;
    let (state, failure) = (&delivery["state"], &delivery["failure"]["detail"]);
    ensure!(state == "delivered", "{}: {}", state.as_str().unwrap_or("?"), failure.as_str().unwrap_or("?"));
    Ok(())
}

/// What came to a channel's peer; `heard` is what came to the topic.
fn caught(peers: &Peers, heard: &Result<Json>, catcher: Catcher) -> Result<Sent> {
    match catcher {
        Catcher::Http(receiver) => {
            let requests = receiver.requests();
            let to: Vec<String> =
                requests.iter().map(|request| format!("{} {}", request.method, request.target)).collect();
            let last = requests.last().context("it is delivered, and nothing arrived")?;
            sent(to.join("\n"), &last.body_text())
        }
        Catcher::Mail(address) => {
            let mail = wait_for("the mail", || {
                let mails = peers.postfix.mails().ok()?;
                mails.into_iter().find(|mail| header(mail, "To").contains(&address))
            })?;
            let text = mail.split_once("\n\n").map_or("", |(_, text)| text);
            let subject = header(&mail, "Subject");
            let shown = if is_about_it(subject) { subject } else { text };
            sent(format!("mail to {}", header(&mail, "To")), shown)
        }
        Catcher::Amqp => {
            let message = peers.rabbit.take(QUEUE)?.context("it is delivered, and the queue is empty")?;
            sent(format!("queue {QUEUE}"), message["body"].as_str().unwrap_or_default())
        }
        Catcher::Mqtt => {
            let message = heard.as_ref().map_err(|error| anyhow!("{error:#}"))?;
            sent(format!("topic {TOPIC}"), message["payload"].as_str().unwrap_or_default())
        }
    }
}

/// A header of a mail that is not folded.
fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let mut values = mail.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    values.next().unwrap_or_default().trim()
}

/// The request that would go to a service whose name is part of the channel.
fn shown(host: &Host, name: &str) -> Result<Sent> {
    let config = example(name)?;
    let key =
        if config["private_key"].is_string() { json!({ "private_key": rsa_key()? }) } else { json!({}) };
    let report = host.send(name, &with(config, key), &notification(), &["--dry-run"])?;
    ensure!(report["outcome"]["complete"] == true, "{}", outcome(&report));
    ensure!(report["usage"]["sent_bytes"] == 0, "a dry run sent something: {report}");
    let exchanges = report["exchanges"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |exchange: &Json, key: &str| exchange[key].as_str().unwrap_or_default().to_owned();
    let to: Vec<String> = exchanges
        .iter()
        .map(|exchange| format!("{} {}", text(exchange, "method"), text(exchange, "url")))
        .collect();
    let last = exchanges.last().context("it makes no request")?;
    let sent = sent(to.join("\n"), &text(last, "body"))?;
    let arrived = format!("nothing, because its host is fixed; it would be\n{}", sent.arrived);
    Ok(Sent { arrived, verdict: "shown", ..sent })
}

/// The one notification of them all. Channels have their addresses in their configuration, but for mail.
fn notification() -> Json {
    example_request(Dialect::JsonRpc, "email", RECIPIENT)
}

/// The same, as the API of a host takes it.
fn for_a_host(icinga: &Json) -> Json {
    let contact = &icinga["contact"];
    let addresses = contact["addresses"].as_array().into_iter().flatten();
    let addresses: Vec<Json> =
        addresses.map(|it| json!({ "kind": it["type"], "address": it["address"] })).collect();
    json!({
        "contacts": [{ "full_name": contact["full_name"], "addresses": addresses }],
        "object": icinga["object"],
        "incident": icinga["incident"],
        "event": icinga["event"],
    })
}

/// The configuration in a channel's folder.
fn example(name: &str) -> Result<Json> {
    let file = Path::new(CHANNELS).join(name).join("example.json");
    let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

fn outcome(report: &Json) -> String {
    report["outcome"]["detail"].as_str().map_or_else(|| beginning(&report.to_string()), str::to_owned)
}

/// What arrived must be about what was sent.
fn sent(to: String, body: &str) -> Result<Sent> {
    let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    ensure!(is_about_it(body), "what arrived says nothing of what happened: {}", beginning(body));
    Ok(Sent { to, arrived: beginning(first), verdict: "delivered" })
}

/// Whether a text names the object or the incident of the notification, in whatever encoding.
fn is_about_it(text: &str) -> bool {
    ["dummy-809", "1437"].iter().any(|word| text.contains(word))
}

/// A configuration with other values for some of its options.
fn with(mut config: Json, others: Json) -> Json {
    if let (Some(config), Json::Object(others)) = (config.as_object_mut(), others) {
        config.extend(others);
    }
    config
}

/// A key that signs what nobody reads.
fn rsa_key() -> Result<String> {
    let output = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .context("`openssl` cannot be started; `cargo xtask setup` installs it")?;
    ensure!(output.status.success(), "openssl makes no key: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::{delivered, header, sent, with};

    #[test]
    fn a_configuration_keeps_what_is_not_replaced() {
        let config = json!({ "url": "https://chat.example.com", "token": "s3cret" });
        let config = with(config, json!({ "url": "http://127.0.0.1:1" }));
        assert_eq!(config, json!({ "url": "http://127.0.0.1:1", "token": "s3cret" }));
    }

    #[test]
    fn only_what_was_delivered_is() {
        let failure = json!({ "detail": "HTTP 404 Not Found" });
        let deliveries = [
            json!({ "channel": "slack", "state": "delivered" }),
            json!({ "channel": "ntfy", "state": "dead", "failure": failure }),
        ];
        assert!(delivered(&deliveries, "slack").is_ok());
        assert_snapshot!(delivered(&deliveries, "ntfy").unwrap_err(), @"dead: HTTP 404 Not Found");
        assert_snapshot!(delivered(&deliveries, "fax").unwrap_err(), @"there is no delivery");
        assert_eq!(header("X: 1\nTo: <a@example.com>\n\nTo: b", "To"), "<a@example.com>");
    }

    #[test]
    fn what_arrives_must_be_about_what_was_sent() {
        let row = sent("POST /".to_owned(), "\n{\"object\":\"dummy-809\"}\nmore").unwrap();
        assert_eq!((row.arrived.as_str(), row.verdict), ("{\"object\":\"dummy-809\"}", "delivered"));
        assert_snapshot!(
            sent("POST /".to_owned(), "hello").unwrap_err(),
            @"what arrived says nothing of what happened: hello"
        );
    }
}
