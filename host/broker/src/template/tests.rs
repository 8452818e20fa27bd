//! Templates as tables: where a secret may stand, how it is written there, what people see.

use super::*;
use crate::value::Field;

/// Secrets of a test; the same ones as a configuration would give.
pub(crate) fn secrets(values: &[(&str, &str)]) -> Secrets {
    let values =
        values.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from((*value).to_owned())));
    Secrets { values: values.collect(), now: || Timestamp::UNIX_EPOCH }
}

fn literal(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

fn secret(name: &str) -> Part {
    Part::Secret(name.to_owned())
}

fn derived(how: &str, of: &[Atom]) -> Part {
    Part::Derived(Derived { how: how.to_owned(), of: of.to_vec() })
}

fn atom(text: &str) -> Atom {
    Atom::Literal(text.to_owned())
}

fn known() -> Secrets {
    secrets(&[("t", "a/b c&\"é"), ("bot", "123:xyz"), ("hook", " https://h.example/x?k=1 "), ("key", "key")])
}

fn body(template: &[Part]) -> String {
    match known().body(template, 1000) {
        Ok(out) => {
            format!("{} | {}", String::from_utf8_lossy(&out.real), String::from_utf8_lossy(&out.masked))
        }
        Err(error) => format!("{}: {error}", error.code()),
    }
}

fn url(template: &[Part], query: &[Field]) -> String {
    match known().url(template, query) {
        Ok(out) => format!("{} | {}", *out.real, out.masked),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

#[test]
fn both_renderings_say_the_same_and_never_mix() {
    let check = |template: &[Part], want: &str| assert_eq!(body(template), want);
    check(&[], " | ");
    check(&[literal("x="), secret("t")], "x=a/b c&\"é | x=<secret:t>");
    let t = Atom::Secret("t".to_owned());
    check(&[derived("url", std::slice::from_ref(&t))], "a%2Fb%20c%26%22%C3%A9 | <url of secret:t>");
    check(&[derived("json", &[t.clone(), atom("\n")])], "a/b c&\\\"é\\n | <json of secret:t>");
    let pair = [atom("user:"), Atom::Secret("bot".to_owned())];
    check(
        &[literal("Basic "), derived("base64", &pair)],
        "Basic dXNlcjoxMjM6eHl6 | Basic <base64 of secret:bot>",
    );
    check(&[derived("base64", &[atom("plain")])], "cGxhaW4= | cGxhaW4=");
}

/// The first value of each is the known answer for "The quick brown fox jumps over the lazy dog" under `key`.
#[test]
fn signatures_are_right() {
    let of = [Atom::Secret("key".to_owned()), atom("The quick brown fox "), atom("jumps over the lazy dog")];
    let check = |how: &str, want: &str| {
        assert_eq!(body(&[derived(how, &of)]), format!("{want} | <{how} of secret:key>"));
    };
    check("hmac-sha256-hex", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    check("hmac-sha256-base64", "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=");
    check("hmac-sha1-base64", "3nybhbi3iqa8ino29wqQcBydtNk=");
}

#[test]
fn what_cannot_be_rendered_is_named() {
    let check = |template: &[Part], want: &str| assert_eq!(body(template), want);
    check(
        &[secret("nope")],
        "secret: `nope` names no secret that is set; write the name of an option of kind `secret`",
    );
    check(
        &[derived("rot13", &[])],
        "invalid-request: `rot13` is no way to derive a value; write url, json, base64, hmac-sha256-hex, hmac-sha256-base64, hmac-sha1-base64, jwt-rs256 or jwt-es256",
    );
    check(
        &[derived("hmac-sha1-base64", &[])],
        "invalid-request: `hmac-sha1-base64` needs a key as its first atom",
    );
    check(&[literal(&"x".repeat(1001))], "too-large: the body has more than 1000 bytes");
    check(&[derived("json", &[atom(&"\u{1}".repeat(500))])], "too-large: the body has more than 1000 bytes");
    check(&vec![literal(""); 4097], "invalid-request: a template has more than 4096 parts");
}

#[test]
fn a_gigabyte_is_refused_before_it_is_made() {
    let large = secrets(&[("s", &"x".repeat(64 * 1024))]);
    let template = vec![secret("s"); 4096];
    let started = std::time::Instant::now();
    let error = large.body(&template, 1024 * 1024).err().unwrap();
    assert_eq!(error.to_string(), "the body has more than 1048576 bytes");
    let atoms = vec![Atom::Secret("s".to_owned()); 4096];
    for how in ["url", "json", "base64", "hmac-sha256-hex"] {
        assert!(large.body(&[derived(how, &atoms)], 1024 * 1024).is_err());
    }
    assert!(started.elapsed().as_secs() < 5);
    let long = secrets(&[("s", "xxxx")]);
    let masked = long.body(&vec![secret("s"); 4096], 1024 * 1024).unwrap().masked;
    assert_eq!(masked.len(), 4096 * "<secret:s>".len());
}

#[test]
fn a_secret_stays_within_its_place_in_a_url() {
    let check = |template: &[Part], want: &str| assert_eq!(url(template, &[]), want);
    check(
        &[literal("https://h.example/bot"), secret("bot"), literal("/send")],
        "https://h.example/bot123:xyz/send | https://h.example/bot<secret:bot>/send",
    );
    check(
        &[literal("https://h.example/"), secret("t")],
        "https://h.example/a%2Fb%20c&%22%C3%A9 | https://h.example/<secret:t>",
    );
    check(
        &[literal("https://h.example/?t="), secret("t")],
        "https://h.example/?t=a%2Fb%20c%26%22%C3%A9 | https://h.example/?t=<secret:t>",
    );
    check(
        &[literal("https://h.example/?t="), derived("url", &[Atom::Secret("bot".to_owned())])],
        "https://h.example/?t=123%3Axyz | https://h.example/?t=<url of secret:bot>",
    );
    check(
        &[secret("hook"), literal("&a=b")],
        "https://h.example/x?k=1&a=b | https://h.example/<secret:hook>&a=b",
    );
    let refused =
        "secret: a secret may open a URL or stand in its path or query, not in scheme, host or port";
    for template in [
        &[literal(""), secret("hook")][..],
        &[literal("https://"), secret("bot"), literal("/")],
        &[literal("https://h.example:"), secret("bot")],
        &[literal("https://h.example"), secret("bot")],
        &[literal("https://h.example"), derived("url", &[Atom::Secret("bot".to_owned())])],
    ] {
        check(template, refused);
    }
    check(
        &[secret("bot")],
        "secret: the secret `bot` is not a URL of its own, so it cannot open one; enter a whole `https://…` URL",
    );
    check(
        &[literal(&format!("https://h/{}", "x".repeat(2048)))],
        "too-large: the URL has more than 2048 bytes",
    );
}

#[test]
fn a_query_is_appended_in_its_encoding() {
    let field = |name: &str, value: Part| Field { name: name.to_owned(), value: vec![value] };
    let check = |start: &str, want: &str| {
        let query = [field("a b", literal("c&d=é")), field("t", secret("t"))];
        assert_eq!(url(&[literal(start)], &query), want);
    };
    check(
        "https://h/",
        "https://h/?a%20b=c%26d%3D%C3%A9&t=a%2Fb%20c%26%22%C3%A9 | https://h/?a%20b=c%26d%3D%C3%A9&t=<secret:t>",
    );
    check(
        "https://h/?x=1",
        "https://h/?x=1&a%20b=c%26d%3D%C3%A9&t=a%2Fb%20c%26%22%C3%A9 | https://h/?x=1&a%20b=c%26d%3D%C3%A9&t=<secret:t>",
    );
    check(
        "https://h/?",
        "https://h/?a%20b=c%26d%3D%C3%A9&t=a%2Fb%20c%26%22%C3%A9 | https://h/?a%20b=c%26d%3D%C3%A9&t=<secret:t>",
    );
}
