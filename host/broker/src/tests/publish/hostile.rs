//! Brokers that mean harm: each ends in a named error, soon, and never in the end of the process.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{amqp, mqtt, said};
use crate::tests::peer::{Case, listen};
use crate::value::{AmqpBroker, MqttBroker};

/// A broker that answers each thing said to it by the next of these, and then hangs or closes.
async fn broker(answers: Vec<Vec<u8>>, hangs: bool) -> u16 {
    listen(move |mut stream| {
        let answers = answers.clone();
        async move {
            for answer in answers {
                let mut heard = vec![0; 64 * 1024];
                if !matches!(stream.read(&mut heard).await, Ok(1..))
                    || stream.write_all(&answer).await.is_err()
                {
                    return;
                }
            }
            if hangs {
                std::future::pending::<()>().await;
            }
            // What is closed with something unread is reset, and may lose what was said.
            let _ = stream.shutdown().await;
            while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {}
        }
    })
    .await
}

/// Who hangs is waited for; nobody else needs the time.
const fn time(hangs: bool) -> Duration {
    Duration::from_secs(if hangs { 2 } else { 20 })
}

/// A method of the broker, on the connection's or on our channel.
fn method(channel: u8, id: (u8, u8), arguments: &[u8]) -> Vec<u8> {
    let length = u32::try_from(arguments.len() + 4).unwrap();
    let mut frame = vec![1, 0, channel];
    frame.extend(length.to_be_bytes());
    frame.extend([0, id.0, 0, id.1]);
    frame.extend(arguments);
    frame.push(0xce);
    frame
}

fn start(properties: &[u8]) -> Vec<u8> {
    method(0, (10, 10), &[b"\0\x09", properties, b"\0\0\0\x05PLAIN\0\0\0\x05en_US"].concat())
}

/// A table in a table in a table.
fn nested(depth: usize) -> Vec<u8> {
    let mut table = vec![0; 4];
    for _ in 0..depth {
        let mut outer = u32::try_from(table.len() + 3).unwrap().to_be_bytes().to_vec();
        outer.extend(b"\x01aF");
        outer.extend(table);
        table = outer;
    }
    table
}

const TUNE: &[u8] = b"\0\0\0\x02\0\0\0\0";
const NO_TABLE: &[u8] = b"\0\0\0\0";

/// The answers up to the message, and `last` to the message.
fn until_message(last: Vec<u8>) -> Vec<Vec<u8>> {
    let channel = [method(1, (20, 11), NO_TABLE), method(1, (85, 11), b"")].concat();
    vec![start(NO_TABLE), method(0, (10, 30), TUNE), method(0, (10, 41), b"\0"), channel, last]
}

async fn published(case: &Case, port: u16) -> String {
    let broker = AmqpBroker::Server(amqp::server(port));
    said(case.brokers().amqp(broker, amqp::message("alerts", "db")).await, port)
}

async fn amqp_said(answers: Vec<Vec<u8>>, hangs: bool) -> String {
    let port = broker(answers, hangs).await;
    let case = Case { time: time(hangs), ..amqp::case(port) };
    published(&case, port).await
}

#[tokio::test]
async fn no_amqp_broker_ends_more_than_its_message() {
    let garbage = "protocol: what the broker said is no AMQP 0-9-1";
    let closed = "protocol: the broker closed the connection";
    let late = "timeout: the attempt's time was up";
    let ends = async |answers: Vec<Vec<u8>>, want: &str| {
        assert_eq!(amqp_said(answers, false).await, want);
    };
    let hangs = async |answers: Vec<Vec<u8>>, want: &str| {
        assert_eq!(amqp_said(answers, true).await, want);
    };
    ends(vec![], closed).await;
    hangs(vec![], late).await;
    ends(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()], garbage).await;
    ends(vec![b"AMQP\0\0\x09\x01".to_vec()], garbage).await;
    ends(
        vec![b"\x01\0\0\xff\xff\xff\xff".to_vec()],
        "protocol: the broker sent more than 131072 bytes in one frame or more than 1000 frames",
    )
    .await;
    ends(vec![method(0, (10, 99), b"")], garbage).await;
    ends(vec![start(b"\xff\xff\xff\xff")], garbage).await;
    // A table of this depth ends every client that reads it.
    hangs(vec![start(&nested(15_000)), method(0, (10, 30), TUNE)], late).await;
    ends(vec![start(NO_TABLE), method(0, (10, 30), b"\0\0\0\0\0\x01\0\0")], garbage).await;
    let heartbeats = b"\x08\0\0\0\0\0\0\xce".repeat(2000);
    ends(
        vec![[start(NO_TABLE), heartbeats].concat()],
        "protocol: the broker sent more than 131072 bytes in one frame or more than 1000 frames",
    )
    .await;
    ends(
        vec![method(0, (10, 10), b"\0\x09\0\0\0\0\0\0\0\x08EXTERNAL\0\0\0\0")],
        "auth: the broker offers no login by PLAIN, but EXTERNAL",
    )
    .await;
    let refusal = method(0, (10, 50), b"\x02\x12\x0cno \x1b[2J \n ok\0\0\0\0");
    ends(vec![start(NO_TABLE), refusal], r"rejected: the broker refused the login: 530 no \u{1b}[2J \n ok")
        .await;
    let tail = "; the message had left by then, so it may have been taken";
    hangs(until_message(vec![]), &format!("{late}{tail}")).await;
    ends(until_message(vec![]), &format!("{closed}{tail}")).await;
    ends(
        until_message(method(0, (10, 60), b"\x06memory")),
        &format!("rate-limited: the broker lets nobody publish: memory{tail}"),
    )
    .await;
    ends(
        until_message(method(1, (60, 120), &[0; 9])),
        "nacked: the broker did not take responsibility for the message (nack); is the queue full?",
    )
    .await;
    ends(
        until_message(method(1, (20, 40), b"\x01\x93\x02no\0\0\0\0")),
        "auth: the broker refused the message: 403 no",
    )
    .await;
    ends(until_message(method(1, (60, 80), &[0; 9])), "published").await;
}

async fn mqtt_said(answers: Vec<&[u8]>, hangs: bool, qos: u8) -> String {
    let port = broker(answers.into_iter().map(<[u8]>::to_vec).collect(), hangs).await;
    let case = Case { time: time(hangs), ..mqtt::case(port) };
    let broker = MqttBroker::Server(mqtt::server(port, "5"));
    said(case.brokers().mqtt(broker, mqtt::message("alerts/a", qos)).await, port)
}

#[tokio::test]
async fn no_mqtt_broker_ends_more_than_its_message() {
    let garbage = "protocol: what the broker said is no MQTT of this version";
    let closed = "protocol: the broker closed the connection";
    let late = "timeout: the attempt's time was up";
    let tail = "; the message had left by then, so it may have been taken";
    let ok: &[u8] = b"\x20\x03\0\0\0";
    let check = async |answers: Vec<&[u8]>, hangs, qos, want: &str| {
        assert_eq!(mqtt_said(answers, hangs, qos).await, want);
    };
    check(vec![], false, 1, closed).await;
    check(vec![], true, 1, late).await;
    check(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n"], false, 1, garbage).await;
    check(vec![b"\x20\xff\xff\xff\x7f"], false, 1, "protocol: the broker sent more than 65536 bytes at once")
        .await;
    check(vec![b"\x20\xff\xff\xff\xff\xff"], false, 1, garbage).await;
    check(vec![b"\x20\x05\0\0\x02\x7f\0"], false, 1, garbage).await;
    check(
        vec![b"\x20\x0b\0\x97\x08\x1f\0\x05a\x1b\n\r "],
        false,
        1,
        r"rate-limited: the broker refused the login: a quota is exceeded (151): a\u{1b}",
    )
    .await;
    check(vec![b"\x40\x02\0\x01"], false, 1, garbage).await;
    check(
        vec![b"\x20\x05\0\0\x02\x24\0"],
        false,
        1,
        "rejected: the broker takes no message like this: its QoS is higher than the broker offers",
    )
    .await;
    check(
        vec![b"\x20\x08\0\0\x05\x27\0\0\0\x08"],
        false,
        1,
        "rejected: the broker takes no message like this: it is longer than the broker allows",
    )
    .await;
    check(vec![ok], true, 1, &format!("{late}{tail}")).await;
    check(vec![ok, b"\x40\x02\0\x02"], false, 1, &format!("{garbage}{tail}")).await;
    check(
        vec![ok, b"\xe0\x01\x8b"],
        false,
        1,
        "connect: the broker refused the message: the server is shutting down (139)",
    )
    .await;
    check(
        vec![ok, b"\x40\x04\0\x01\x99\0"],
        false,
        1,
        "rejected: the broker refused the message: the payload has not the format that was promised (153)",
    )
    .await;
    check(vec![ok, b"\x50\x02\0\x01", b"\x70\x02\0\x01"], false, 2, "published").await;
    check(vec![ok, b"\x50\x02\0\x01"], true, 2, &format!("{late}{tail}")).await;
    check(vec![ok, b"\xd0\0"], false, 0, "published").await;
}
