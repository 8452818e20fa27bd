//! Messages, and every field through which a plugin could smuggle something into one.

use insta::assert_snapshot;

use super::*;
use crate::value::{Attachment, Mailbox};

fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
    Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
}

fn mail() -> Mail {
    Mail {
        sender: Some(mailbox(Some("Icinga"), "icinga@example.com")),
        to: vec![mailbox(Some("Jürgen Ä"), "j@example.com")],
        subject: "Größe: 漢字".to_owned(),
        text: "hi".to_owned(),
        ..Mail::default()
    }
}

fn built(mail: &Mail) -> Result<Letter, MailError> {
    letter(mail, "dlv_1", Timestamp::UNIX_EPOCH, &Limits::default())
}

fn shown(mail: &Mail) -> String {
    String::from_utf8(built(mail).unwrap().bytes).unwrap().replace("\r\n", "\n")
}

fn picture(inline_id: Option<&str>) -> Attachment {
    Attachment {
        filename: "grün.png".to_owned(),
        content_type: "image/png".to_owned(),
        data: b"\x89PNG\n.\n".to_vec(),
        inline_id: inline_id.map(str::to_owned),
    }
}

#[test]
fn a_whole_mail_has_all_its_parts() {
    let mail = Mail {
        reply_to: Some(mailbox(None, "noc@example.com")),
        cc: vec![mailbox(None, "c@example.com")],
        bcc: vec![mailbox(None, "hidden@example.com")],
        html: Some("<b>hi</b> <img src=\"cid:p1\">".to_owned()),
        headers: vec![
            ("X-Icinga-Object".to_owned(), "db".to_owned()),
            ("References".to_owned(), "<a@b>".to_owned()),
        ],
        attachments: vec![picture(Some("p1")), picture(None)],
        ..mail()
    };
    assert_snapshot!(shown(&mail), @r##"
    Date: Thu, 01 Jan 1970 00:00:00 +0000
    Message-ID: <dlv_1@example.com>
    From: Icinga <icinga@example.com>
    Reply-To: noc@example.com
    To: =?utf-8?b?SsO8cmdlbiDDhA==?= <j@example.com>
    Cc: c@example.com
    Subject: =?utf-8?b?R3LDtsOfZTog5ryi5a2X?=
    Auto-Submitted: auto-generated
    X-Icinga-Object: db
    References: <a@b>
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary="=_m_dlv_1"

    --=_m_dlv_1
    Content-Type: multipart/alternative; boundary="=_a_dlv_1"

    --=_a_dlv_1
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable

    hi
    --=_a_dlv_1
    Content-Type: multipart/related; boundary="=_r_dlv_1"

    --=_r_dlv_1
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable

    <b>hi</b> <img src=3D"cid:p1">
    --=_r_dlv_1
    Content-ID: <p1>
    Content-Disposition: inline;
     filename*0*=utf-8''gr%C3%BCn.png
    Content-Type: image/png
    Content-Transfer-Encoding: base64

    iVBORwouCg==
    --=_r_dlv_1--
    --=_a_dlv_1--
    --=_m_dlv_1
    Content-Disposition: attachment;
     filename*0*=utf-8''gr%C3%BCn.png
    Content-Type: image/png
    Content-Transfer-Encoding: base64

    iVBORwouCg==
    --=_m_dlv_1--
    "##);
    let letter = built(&mail).unwrap();
    let to: Vec<_> = letter.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["j@example.com", "c@example.com", "hidden@example.com"]);
    assert_eq!(letter.bytes, built(&mail).unwrap().bytes, "every attempt has the same bytes");
}

#[test]
fn no_text_can_end_the_message_or_a_line() {
    for text in [
        "a\n.\nQUIT\n",
        "a\r.\r\n",
        ".",
        "..\n",
        "a\r\n.\r\nMAIL FROM:<x@y>\r\n",
        "\r",
        "\n",
        "\0",
        "--=_a_dlv_1--\n",
        &"x".repeat(5000),
        &"é\n.\r".repeat(1000),
        "",
    ] {
        let mail = Mail { text: text.to_owned(), html: Some(text.to_owned()), ..mail() };
        let bytes = built(&mail).unwrap().bytes;
        assert!(is_safe(&bytes), "{text:?}");
        let shown = String::from_utf8(bytes).unwrap();
        assert_eq!(shown.matches("--=_a_dlv_1").count(), 3, "{text:?}");
    }
}

#[test]
fn a_line_end_is_refused_in_every_field() {
    type Set = fn(&mut Mail, String);
    let evil = "x\r\nBcc: victim@example.com";
    let sets: [(&str, Set); 12] = [
        ("sender name", |mail, text| mail.sender = Some(mailbox(Some(&text), "a@b.example"))),
        ("sender address", |mail, text| mail.sender = Some(mailbox(None, &text))),
        ("reply name", |mail, text| mail.reply_to = Some(mailbox(Some(&text), "a@b.example"))),
        ("to name", |mail, text| mail.to = vec![mailbox(Some(&text), "a@b.example")]),
        ("cc address", |mail, text| mail.cc = vec![mailbox(None, &text)]),
        ("bcc name", |mail, text| mail.bcc = vec![mailbox(Some(&text), "a@b.example")]),
        ("subject", |mail, text| mail.subject = text),
        ("header name", |mail, text| mail.headers = vec![(format!("X-{text}"), String::new())]),
        ("header value", |mail, text| mail.headers = vec![("X-A".to_owned(), text)]),
        ("file name", |mail, text| mail.attachments = vec![Attachment { filename: text, ..picture(None) }]),
        ("content type", |mail, text| {
            mail.attachments = vec![Attachment { content_type: text, ..picture(None) }];
        }),
        ("inline id", |mail, text| {
            mail.html = Some(String::new());
            mail.attachments = vec![picture(Some(&text))];
        }),
    ];
    for (field, set) in sets {
        for text in [evil, "x\ny", "x\ry", "x\0y", "x\x7fy", "x\u{85}y"] {
            let mut mail = mail();
            set(&mut mail, text.to_owned());
            assert!(built(&mail).is_err(), "{field} {text:?}");
        }
    }
}

#[test]
fn what_a_mail_may_not_be_is_said() {
    let check = |change: fn(&mut Mail), want: &str| {
        let mut mail = mail();
        change(&mut mail);
        assert_eq!(built(&mail).unwrap_err().to_string(), want);
    };
    check(|mail| mail.to.clear(), "the mail has no recipient");
    check(
        |mail| mail.sender = None,
        "the mail has no sender, and only a relay that the operator declared has one of its own",
    );
    check(
        |mail| mail.to = vec![mailbox(None, "a@b.example"); 51],
        "the mail has 51 recipients; at most 50 are allowed",
    );
    check(
        |mail| mail.attachments = vec![picture(None); 33],
        "the mail has 33 attachments; at most 32 are allowed",
    );
    check(|mail| mail.text = "x".repeat(11 << 20), "the mail has more than 10485760 bytes");
    check(|mail| mail.text = "é".repeat(4 << 20), "the mail has more than 10485760 bytes");
    check(
        |mail| mail.subject = "x".repeat(1500),
        "the mail cannot be built: a header is too long to be folded or holds what cannot be sent",
    );
    check(
        |mail| mail.attachments = vec![Attachment { filename: "../x".to_owned(), ..picture(None) }],
        "`../x` is no file name of an attachment; write one without a path",
    );
    check(
        |mail| {
            mail.attachments =
                vec![Attachment { content_type: "message/rfc822".to_owned(), ..picture(None) }];
        },
        "`message/rfc822` is no content type of an attachment; write e.g. `image/png`",
    );
    for name in
        ["From", "Bcc", "Content-Type", "DKIM-Signature", "X-", "X-A:", "X A", "Received", "Message-ID"]
    {
        let mut mail = mail();
        mail.headers = vec![(name.to_owned(), "x".to_owned())];
        let want = format!(
            "the header `{name}` is not a plugin's to set; write X-…, List-…, In-Reply-To, References or Auto-Submitted"
        );
        assert_eq!(built(&mail).unwrap_err().to_string(), want);
    }
}

#[test]
fn the_gate_knows_what_is_safe() {
    let check = |bytes: &[u8], want: bool| assert_eq!(is_safe(bytes), want, "{}", bytes.escape_ascii());
    check(b"a\r\n\r\nb\r\n", true);
    check(b"\r\n", true);
    check(b"a", false);
    check(b"a\n", false);
    check(b"a\nb\r\n", false);
    check(b"a\rb\r\n", false);
    check(b"a\r\r\n", false);
    check(b"a\0\r\n", false);
    check("é\r\n".as_bytes(), false);
    check(&[&b"x".repeat(998)[..], b"\r\n"].concat(), true);
    check(&[&b"x".repeat(999)[..], b"\r\n"].concat(), false);
    check(&[&b"x".repeat(999)[..], b"\r\na\r\n"].concat(), false);
}
