//! Which URLs and servers a channel reaches: the permission and every way to be refused before a connection.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;

use super::peer::{Case, Web, egress, field, get, listen, literal, ok, post, secret};
use crate::dial::Reach;
use crate::value::{Encryption, HttpRequest, Mail, Relay, Server};

async fn refused(case: &Case, request: HttpRequest) -> String {
    let brokers = case.brokers();
    let error = brokers.http(request).await.unwrap_err();
    assert!(!error.request_sent, "{error:?}");
    format!("{}: {}", error.code, error.message)
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_url_is_refused_by_its_text_before_any_rule() {
    let case = Case::http(&["GET https://a.example/*", "GET http://a.example/*"]);
    let mut lines = Vec::new();
    for url in [
        "",
        "a.example",
        "//a.example/",
        "https:a.example",
        "https:///a.example",
        "https://a.example/a b",
        "https://a.example/\n",
        "https://a.example/\t",
        "https://a.example\\@evil.example/",
        "https://user@a.example/",
        "https://a.example/#part",
        "https://%61.example/",
        "https://a..example/",
        "https://.example/",
        "https://a.example:0/",
        "ftp://a.example/",
        "file:///etc/passwd",
    ] {
        lines.push(format!("{url:?}: {}", refused(&case, get(url)).await));
    }
    let long = format!("https://a.example/{}", "x".repeat(2048));
    lines.push(refused(&case, get(&long)).await);
    assert_snapshot!(lines.join("\n"), @r##"
    "": invalid-request: the URL is not absolute; write `https://`, a host and a path
    "a.example": invalid-request: the URL is not absolute; write `https://`, a host and a path
    "//a.example/": invalid-request: the URL is not absolute; write `https://`, a host and a path
    "https:a.example": invalid-request: the URL is not absolute; write `https://`, a host and a path
    "https:///a.example": invalid-request: the URL is not absolute; write `https://`, a host and a path
    "https://a.example/a b": invalid-request: the URL holds a blank, a control character or a backslash; percent-encode it
    "https://a.example/\n": invalid-request: the URL holds a blank, a control character or a backslash; percent-encode it
    "https://a.example/\t": invalid-request: the URL holds a blank, a control character or a backslash; percent-encode it
    "https://a.example\\@evil.example/": invalid-request: the URL holds a blank, a control character or a backslash; percent-encode it
    "https://user@a.example/": invalid-request: the URL holds a user name or a password; send an `authorization` header instead
    "https://a.example/#part": invalid-request: the URL holds a fragment, which is never sent; leave out `#` and what follows
    "https://%61.example/": invalid-request: the URL's host is percent-encoded; write it plainly
    "https://a..example/": invalid-request: the URL's host is no host name; labels have 1 to 63 letters, digits and hyphens
    "https://.example/": invalid-request: the URL's host is no host name; labels have 1 to 63 letters, digits and hyphens
    "https://a.example:0/": invalid-request: the URL's port is 0
    "ftp://a.example/": invalid-request: the URL is neither `https://` nor `http://`
    "file:///etc/passwd": invalid-request: the URL is not absolute; write `https://`, a host and a path
    too-large: the URL has more than 2048 bytes
    "##);
}

#[tokio::test]
async fn what_no_rule_covers_names_the_missing_want() {
    let case = Case::http(&["POST https://hooks.example.com/services/*"]);
    let mut lines = Vec::new();
    for request in [
        get("https://hooks.example.com/services/x"),
        post("http://hooks.example.com/services/x", ""),
        post("https://hooks.example.com:8443/services/x", ""),
        post("https://evil.example/x?to=1", ""),
        post("https://hooks.example.com.evil.example/services/", ""),
        post("https://hooks.example.com/services/../admin", ""),
        post("https://hooks.example.com/services/%2e%2e/admin", ""),
        post("https://hooks.example.com/services/a%2fb", ""),
        HttpRequest { method: "CONNECT".to_owned(), ..get("https://hooks.example.com/") },
        HttpRequest { method: "post".to_owned(), ..get("https://hooks.example.com/") },
    ] {
        lines.push(refused(&case, request).await);
    }
    assert_snapshot!(lines.join("\n"), @r##"
    denied: `GET https://hooks.example.com/services/x` is not granted; the missing want is `http GET https://hooks.example.com/services/x`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST http://hooks.example.com/services/x` is not granted; the missing want is `http POST http://hooks.example.com/services/x`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST https://hooks.example.com:8443/services/x` is not granted; the missing want is `http POST https://hooks.example.com:8443/services/x`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST https://evil.example/x?to=1` is not granted; the missing want is `http POST https://evil.example/x`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST https://hooks.example.com.evil.example/services/` is not granted; the missing want is `http POST https://hooks.example.com.evil.example/services/`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST https://hooks.example.com/services/../admin` is not granted; the missing want is `http POST https://hooks.example.com/services/../admin`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST https://hooks.example.com/services/%2e%2e/admin` is not granted; the missing want is `http POST https://hooks.example.com/services/%2e%2e/admin`, granted is `POST https://hooks.example.com/services/*`
    denied: `POST https://hooks.example.com/services/a%2fb` is not granted; the missing want is `http POST https://hooks.example.com/services/a%2fb`, granted is `POST https://hooks.example.com/services/*`; `*` never stands for an encoded slash or backslash
    invalid-request: `CONNECT` is no method that a plugin can use; write one of GET, HEAD, POST, PUT, PATCH, DELETE in capitals
    invalid-request: `post` is no method that a plugin can use; write one of GET, HEAD, POST, PUT, PATCH, DELETE in capitals
    "##);
    let nothing =
        Case::smtp(&["mail.example.com:25"]).brokers().http(get("https://a.example/")).await.unwrap_err();
    assert_eq!(
        nothing.message,
        "http is not granted: the plugin has no want of http that applies to this configuration"
    );
}

#[tokio::test]
async fn a_private_address_is_refused_with_the_flag_that_opens_it() {
    let case = Case {
        names: vec![
            ("mail.example.com", addresses(&["10.1.2.3"])),
            ("mixed.example.com", addresses(&["93.184.216.34", "169.254.169.254"])),
            ("six.example.com", addresses(&["::ffff:192.168.0.1"])),
        ],
        networks: vec![],
        ..Case::http(&[
            "GET http://mail.example.com:25/*",
            "GET http://mixed.example.com/*",
            "GET http://six.example.com/*",
            "GET http://127.0.0.1/*",
            "GET http://[::1]/*",
            "GET http://gone.example.com/*",
            "GET http://169.254.169.254/*",
        ])
    };
    let mut lines = Vec::new();
    for url in [
        "http://mail.example.com:25/",
        "http://mixed.example.com/",
        "http://six.example.com/",
        "http://gone.example.com/",
        // However an address is written, the parser reads it and the check sees it.
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://[::1]/",
        "http://169.254.169.254/latest/",
    ] {
        lines.push(format!("{url}: {}", refused(&case, get(url)).await));
    }
    assert_snapshot!(lines.join("\n"), @r##"
    http://mail.example.com:25/: denied: `mail.example.com` is 10.1.2.3, a private address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 10.1.2.3:25`
    http://mixed.example.com/: denied: `mixed.example.com` is 169.254.169.254, a cloud's metadata service; no plugin may reach it
    http://six.example.com/: denied: `six.example.com` is 192.168.0.1, a private address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 192.168.0.1:80`
    http://gone.example.com/: dns: `gone.example.com` has no address; is the name right, and does the resolver answer?
    http://127.0.0.1/: denied: `127.0.0.1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 127.0.0.1:80`
    http://2130706433/: denied: `127.0.0.1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 127.0.0.1:80`
    http://0x7f.1/: denied: `127.0.0.1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 127.0.0.1:80`
    http://127.1/: denied: `127.0.0.1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 127.0.0.1:80`
    http://①②⑦.⓪.⓪.①/: denied: `127.0.0.1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 127.0.0.1:80`
    http://[::1]/: denied: `::1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network [::1]:80`
    http://169.254.169.254/latest/: denied: `169.254.169.254` is a cloud's metadata service; no plugin may reach it
    "##);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_at_every_connection() {
    let web =
        Web::start(|_, _| b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec())
            .await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let lookup: crate::dial::Lookup = Arc::new(move |_| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let address: IpAddr = if first { "127.0.0.1" } else { "10.0.0.1" }.parse().unwrap();
        Box::pin(async move { Ok(vec![address]) })
    });
    let case = Case::http(&[&format!("GET http://rebind.example.com:{}/*", web.port)]);
    let channel = egress(lookup).channel(&case.channel()).unwrap();
    let url = format!("http://rebind.example.com:{}/", web.port);
    assert_eq!(case.attempt(&channel).http(get(&url)).await.unwrap().status, 200);
    let error = case.attempt(&channel).http(get(&url)).await.unwrap_err();
    assert!(error.message.starts_with("`rebind.example.com` is 10.0.0.1, a private address"), "{error}");
    assert_eq!((error.code, web.seen().len(), count.load(Ordering::SeqCst)), ("denied", 1, 2));
}

#[tokio::test]
async fn an_address_is_opened_for_its_port_only() {
    let web = Web::start(|_, _| ok("")).await;
    let other = Web::start(|_, _| ok("")).await;
    let case = Case {
        networks: vec![format!("127.0.0.1:{}", web.port)],
        names: vec![("two.example.com", addresses(&["127.0.0.1"]))],
        ..Case::http(&[
            &format!("GET http://two.example.com:{}/*", web.port),
            &format!("GET http://two.example.com:{}/*", other.port),
        ])
    };
    let brokers = case.brokers();
    assert_eq!(
        brokers.http(get(&format!("http://two.example.com:{}/", web.port))).await.unwrap().status,
        200
    );
    let error = brokers.http(get(&format!("http://two.example.com:{}/", other.port))).await.unwrap_err();
    let flag = format!("allow it with `sandbell plugin approve plug --network 127.0.0.1:{}`", other.port);
    assert!(error.message.ends_with(&flag), "{error}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn the_allow_list_is_asked_before_the_resolver() {
    let lookup: crate::dial::Lookup = Arc::new(|name| panic!("{name} was looked up"));
    let case = Case::http(&["GET http://a.example/*"]);
    let channel = egress(lookup).channel(&case.channel()).unwrap();
    let error = case.attempt(&channel).http(get("http://secret-data.evil.example/")).await.unwrap_err();
    assert_eq!(error.code, "denied");
}

#[tokio::test]
async fn a_secret_url_opens_its_own_host_and_no_other() {
    let web = Web::start(|_, _| ok("")).await;
    let hook = web.url("/services/T0/hunter2");
    let case = Case { secrets: vec![("hook", hook.clone())], ..Case::http(&[&format!("POST {hook}")]) };
    let brokers = case.brokers();
    let request = HttpRequest { url: vec![secret("hook")], ..post("", "") };
    assert_eq!(brokers.http(request.clone()).await.unwrap().status, 200);
    assert!(web.seen()[0].starts_with("POST /services/T0/hunter2 HTTP/1.1"));
    let record = format!("{:?}", brokers.take_record());
    assert!(record.contains(&web.url("/<secret:hook>")) && !record.contains("hunter2"), "{record}");
    let mut more = request.clone();
    more.url.extend(literal("/more"));
    let error = brokers.http(more).await.unwrap_err();
    assert!(error.message.contains("/<secret:hook>/more` is not granted"), "{error}");
    assert!(!error.message.contains("hunter2"), "{error}");
    // The secret ends inside the host's name, and the guest goes on.
    let case = Case {
        secrets: vec![("hook", "http://127.0.0.1".to_owned())],
        names: vec![("127.0.0.1.evil.example", addresses(&["127.0.0.1"]))],
        ..Case::http(&[&format!("POST http://127.0.0.1.evil.example:{}/*", web.port)])
    };
    let mut request = HttpRequest { url: vec![secret("hook")], ..post("", "") };
    request.url.extend(literal(&format!(".evil.example:{}/", web.port)));
    let error = case.brokers().http(request).await.unwrap_err();
    assert_eq!((error.code, web.seen().len()), ("secret", 1), "{error}");
}

#[tokio::test]
async fn the_host_speaks_for_itself() {
    let case = Case::http(&["GET http://127.0.0.1/*"]);
    for name in [
        "host",
        "Content-Length",
        "transfer-encoding",
        "TE",
        "trailer",
        "connection",
        "keep-alive",
        "upgrade",
        "http2-settings",
        "expect",
        "accept-encoding",
        "via",
        "forwarded",
        "x-real-ip",
        "cookie2",
        "proxy-authorization",
        "x-forwarded-for",
        "sec-fetch-site",
        "x-delivery-id",
        "x-notify-hops",
    ] {
        let request = HttpRequest { headers: vec![field(name, literal("1"))], ..get("http://127.0.0.1/") };
        let want = format!(
            "invalid-request: the header `{}` is the host's to set; leave it out",
            name.to_lowercase()
        );
        assert_eq!(refused(&case, request).await, want);
    }
    for (name, value) in
        [("a b", "1"), ("a\r\nb", "1"), ("", "1"), ("x", "a\r\nhost: evil"), ("x", "\0"), ("x", "\x7f")]
    {
        let request = HttpRequest { headers: vec![field(name, literal(value))], ..get("http://127.0.0.1/") };
        assert!(refused(&case, request).await.starts_with("invalid-request: "), "{name:?} {value:?}");
    }
    let ended = Case { secrets: vec![("token", "abcdef\n".to_owned())], ..case };
    let request =
        HttpRequest { headers: vec![field("x", vec![secret("token")])], ..get("http://127.0.0.1/") };
    assert_eq!(
        refused(&ended, request).await,
        "secret: the secret `token` holds a control character, e.g. a line feed at its end; enter it anew"
    );
}

#[tokio::test]
async fn a_mail_server_is_reached_by_name_and_port() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = accepted.clone();
    let port = listen(move |stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { drop(stream) }
    })
    .await;
    let case = Case {
        networks: vec![],
        names: vec![("mail.example.com", addresses(&["10.1.2.3"]))],
        ..Case::smtp(&["mail.example.com:25", &format!("127.0.0.1:{port}"), "[::1]:25"])
    };
    let mut lines = Vec::new();
    for (host, port) in [
        ("mail.example.com", 25),
        ("MAIL.example.com.", 25),
        ("mail.example.com", 26),
        ("other.example.com", 25),
        ("::1", 25),
        ("", 25),
        ("a b", 25),
        ("mail.example.com\r\n", 25),
        ("user@mail.example.com", 25),
    ] {
        let relay =
            Relay::Server(Server { host: host.to_owned(), port, encryption: Encryption::None, login: None });
        let mail = Mail {
            sender: Some(crate::value::Mailbox { name: None, address: "a@b.example".to_owned() }),
            to: vec![crate::value::Mailbox { name: None, address: "c@d.example".to_owned() }],
            ..Mail::default()
        };
        let error = case.brokers().smtp(relay, mail).await.unwrap_err();
        lines.push(format!("{host:?}:{port} {}: {}", error.code, error.message));
    }
    let error = case.brokers().smtp(Relay::Named("default".to_owned()), Mail::default()).await.unwrap_err();
    lines.push(format!("{}: {}", error.code, error.message));
    assert_snapshot!(lines.join("\n").replace(&port.to_string(), "PORT"), @r##"
    "mail.example.com":25 denied: `mail.example.com` is 10.1.2.3, a private address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 10.1.2.3:25`
    "MAIL.example.com.":25 denied: `mail.example.com` is 10.1.2.3, a private address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network 10.1.2.3:25`
    "mail.example.com":26 denied: `mail.example.com:26` is not granted; the missing want is `smtp mail.example.com:26`, granted is `mail.example.com:25`, `127.0.0.1:PORT`, `[::1]:25`
    "other.example.com":25 denied: `other.example.com:25` is not granted; the missing want is `smtp other.example.com:25`, granted is `mail.example.com:25`, `127.0.0.1:PORT`, `[::1]:25`
    "::1":25 denied: `::1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve plug --network [::1]:25`
    "":25 invalid-mail: `` is no host name; write e.g. `mail.example.com`
    "a b":25 invalid-mail: `a b` is no host name; write e.g. `mail.example.com`
    "mail.example.com\r\n":25 invalid-mail: `mail.example.com\r\n` is no host name; write e.g. `mail.example.com`
    "user@mail.example.com":25 invalid-mail: `user@mail.example.com` is no host name; write e.g. `mail.example.com`
    denied: no relay named `default` is declared
    "##);
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
}

#[test]
fn a_target_comes_from_a_rule() {
    let reach =
        Arc::new(Reach { networks: vec![], kind: "plug".to_owned(), lookup: Case::default().lookup() });
    assert!(reach.server(&[], "mail.example.com", 25).is_err());
    assert!(reach.url(&[], "GET", "https://a.example/", "https://a.example/").is_err());
}
