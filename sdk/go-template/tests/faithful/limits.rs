//! What a template must not do: run for ever, nest without end, grow without end.

use std::sync::Arc;

use sandbell_go_template::{
    DEPTH_MAX, ExecError, ExecErrorKind, Functions, Limits, OUTPUT_BYTES_MAX, STEPS_MAX, TEXT_BYTES_MAX,
    Template, Value,
};

fn render(text: &str, limits: Limits) -> Result<String, ExecError> {
    let functions = Functions::new().with_json().with_text_helpers();
    let value: Value = [("Word".to_owned(), "word".to_owned())].into_iter().collect();
    Template::parse_with("t", text, functions).unwrap().with_limits(limits).render(&value)
}

/// Renders within the default limits; gives what went wrong.
fn failure(text: &str) -> ExecError {
    render(text, Limits::DEFAULT).unwrap_err()
}

#[test]
fn output_has_a_limit() {
    let ten_bytes = Limits { output_bytes_max: 10, ..Limits::DEFAULT };
    let check = |text: &str, want: Result<&str, ExecErrorKind>| {
        let got = render(text, ten_bytes).map_err(|error| error.kind);
        assert_eq!(got.as_deref(), want.as_ref().map(|want| *want), "{text}");
    };
    check("0123456789", Ok("0123456789"));
    check("0123456789a", Err(ExecErrorKind::Output));
    check("{{range 10}}{{.}}{{end}}", Ok("0123456789"));
    check("{{range 11}}{{.}}{{end}}", Err(ExecErrorKind::Output));
    check("{{.Word}}{{.Word}}", Ok("wordword"));
    check("{{.Word}}{{.Word}}{{.Word}}", Err(ExecErrorKind::Output));
    // A text on the way counts too, even where nothing is written.
    check("{{$x := print .Word .Word .Word}}", Err(ExecErrorKind::Output));
    check("{{len (html \"<<<\")}}", Err(ExecErrorKind::Output));
    check("{{len (js \"<<<\")}}", Err(ExecErrorKind::Output));
    check("{{len (urlquery \"<<<<\")}}", Err(ExecErrorKind::Output));
    check("{{len (json .)}}", Err(ExecErrorKind::Output));
    check("{{len (replace \"o\" \"long text\" .Word)}}", Err(ExecErrorKind::Output));
    check("{{len (printf \"%11d\" 1)}}", Err(ExecErrorKind::Output));
    check("{{len (printf \"%.11d\" 1)}}", Err(ExecErrorKind::Output));
    check("{{len (printf \"%.11f\" 1.0)}}", Err(ExecErrorKind::Output));
    check("{{len (println .Word .Word .Word)}}", Err(ExecErrorKind::Output));
}

#[test]
fn growth_is_stopped() {
    let doubling = "{{$x := .Word}}{{range 100}}{{$x = print $x $x}}{{end}}";
    assert_eq!(failure(doubling).kind, ExecErrorKind::Output);
    let padded = ["{{len (printf \"", &"%.9999999d".repeat(50), "\"", &" 1".repeat(50), ")}}"].concat();
    assert_eq!(failure(&padded).kind, ExecErrorKind::Output);
    let replaced = "{{$x := printf \"%100000d\" 1}}{{$x = replace \" \" $x $x}}";
    assert_eq!(failure(replaced).kind, ExecErrorKind::Output);
    let written = ["{{range 100000}}", &"x".repeat(100), "{{end}}"].concat();
    assert_eq!(failure(&written).kind, ExecErrorKind::Output);
    const { assert!(OUTPUT_BYTES_MAX < 10_000_000, "or this test shows nothing") };
}

#[cfg(feature = "regex")]
#[test]
fn regular_expressions_have_limits() {
    let references = "$0".repeat(20_000);
    let text =
        ["{{$x := printf \"%1000000d\" 1}}{{$x = regexReplaceAll \".*\" \"", &references, "\" $x}}"].concat();
    assert_eq!(failure(&text).kind, ExecErrorKind::Output);
    let error = failure("{{regexReplaceAll \"(x{1000}){1000}\" \"\" \"x\"}}");
    assert_eq!(error.kind, ExecErrorKind::Template);
    assert!(error.reason.starts_with("error calling regexReplaceAll: error parsing regexp: "), "{error}");
    let error = failure("{{regexReplaceAll \"(\" \"\" \"x\"}}");
    assert!(error.reason.starts_with("error calling regexReplaceAll: error parsing regexp: "), "{error}");
}

#[test]
fn steps_have_a_limit() {
    let check = |text: &str| assert_eq!(failure(text).kind, ExecErrorKind::Steps, "{text}");
    check("{{range 9223372036854775807}}{{end}}");
    check("{{range 10000}}{{range 10000}}{{end}}{{end}}");
    check("{{range 2000000}}{{continue}}{{end}}");
    check("{{define \"a\"}}{{end}}{{range 1000000}}{{template \"a\"}}{{end}}");
    // Two calls per level: exponential without ever being deep.
    let level = |level: usize| {
        let below = level + 1;
        format!(r#"{{{{define "{level}"}}}}{{{{template "{below}"}}}}{{{{template "{below}"}}}}{{{{end}}}}"#)
    };
    let wide = (0..40).map(level).collect::<Vec<_>>().concat();
    check(&[&wide, "{{define \"40\"}}{{end}}{{template \"0\"}}"].concat());
    // Long texts cost more than short ones.
    check("{{$x := printf \"%1000000d\" 1}}{{range 1000}}{{$y := len (print $x)}}{{end}}");
    check("{{$x := printf \"%1000000d\" 1}}{{range 1000}}{{$y := eq $x $x}}{{end}}");
    assert!(render("{{range 100000}}{{end}}", Limits::DEFAULT).is_ok());
    let few = Limits { steps_max: 100, ..Limits::DEFAULT };
    assert!(render("{{range 10}}{{.}}{{end}}", few).is_ok());
    let error = render("{{range 100}}{{.}}{{end}}", few).unwrap_err();
    assert!(error.to_string().ends_with(": exceeded maximum number of steps (100)"), "{error}");
    assert_eq!(STEPS_MAX, Limits::default().steps_max);
}

#[test]
fn depth_has_a_limit() {
    let recursive = "{{define \"a\"}}{{template \"a\" .}}{{end}}{{template \"a\" .}}";
    let error = failure(recursive);
    assert_eq!(error.kind, ExecErrorKind::Depth);
    assert_eq!(
        error.to_string(),
        "template: t:1:25: executing \"a\" at <{{template \"a\" .}}>: exceeded maximum template depth (100)"
    );
    let mutual = "{{define \"a\"}}{{if true}}{{template \"b\"}}{{end}}{{end}}{{define \"b\"}}{{template \"a\"}}{{end}}{{template \"a\"}}";
    assert_eq!(failure(mutual).kind, ExecErrorKind::Depth);
    let ends =
        "{{define \"a\"}}{{if .}}{{template \"a\" slice . 1}}.{{end}}{{end}}{{template \"a\" \"abcdef\"}}";
    assert_eq!(render(ends, Limits::DEFAULT).unwrap(), "......");
}

#[test]
fn nesting_has_a_limit_when_parsing() {
    let nested = |open: &str, close: &str, count: usize| [open.repeat(count), close.repeat(count)].concat();
    let check = |text: String, want: Result<(), &str>| {
        let got = Template::parse("t", &text).map(|_| ()).map_err(|error| error.reason);
        assert_eq!(got, want.map_err(str::to_owned), "{}…", &text[..20]);
    };
    let max = usize::try_from(DEPTH_MAX).unwrap();
    check(nested("{{if true}}", "{{end}}", max), Ok(()));
    check(nested("{{if true}}", "{{end}}", max + 1), Err("max expression depth exceeded"));
    check(nested("{{range 1}}", "{{end}}", 10_000 / 4), Err("max expression depth exceeded"));
    check(["{{", &nested("(", ")", max).replacen("()", "(1)", 1), "}}"].concat(), Ok(()));
    check(["{{", &nested("(", ")", 5_000), "}}"].concat(), Err("max expression depth exceeded"));
    // A long chain is not deep.
    check(["{{if 0}}", &"{{else if 0}}".repeat(1000), "{{end}}"].concat(), Ok(()));
    check(["{{1", &" | print".repeat(1000), "}}"].concat(), Ok(()));
    check("x".repeat(TEXT_BYTES_MAX), Ok(()));
    check("x".repeat(TEXT_BYTES_MAX + 1), Err("template is larger than 65536 bytes"));
}

/// The deepest template that is allowed, on a stack of half of what a WebAssembly guest has.
#[test]
fn the_deepest_template_fits_the_stack() {
    let body = "{{with (print (print (print .)))}}".repeat(48);
    let text = [&body, "{{.}}", &"{{end}}".repeat(48)].concat();
    let recursive =
        "{{define \"a\"}}{{with (print .)}}{{template \"a\" .}}{{end}}{{end}}{{template \"a\" .}}";
    let run = move || {
        assert!(render(&text, Limits::DEFAULT).is_ok());
        assert_eq!(failure(recursive).kind, ExecErrorKind::Depth);
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn values_are_shared_and_not_copied() {
    let text: Arc<str> = "x".repeat(100_000).into();
    let value: Value = [("Long".to_owned(), Value::String(text))].into_iter().collect();
    let template = Template::parse("t", "{{range 50000}}{{$x := $.Long}}{{$y := $x}}{{end}}done").unwrap();
    assert_eq!(template.render(&value).unwrap(), "done");
}
