//! `sandbell inspect FILE`: what a component is, before anybody trusts it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sandbell_domain::{ConfigOption, DefaultValue, Localized, PluginInfo, Want};
use sandbell_sandbox::Inspected;
use serde_json::{Value as Json, json};

use super::args;
use super::exit::Exit;
use super::output::{size, table};
use super::problem::Problem;
use super::run::{Context, Done};
use crate::install::{InfoV1, State};

/// Largest component, in bytes (DESIGN §9).
const COMPONENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(super) fn run(context: &Context, args: &args::Inspect) -> Done {
    let state = context.app.state().ok();
    let (_, info) = inspect(context, state.as_ref(), &args.file)?;
    context.output.result(|| describe(&info), || to_json(&info));
    Ok(Exit::Ok)
}

/// Reads the file and lets the sandbox look at it, with no power granted.
pub(super) fn inspect(
    context: &Context,
    state: Option<&State>,
    file: &Path,
) -> Result<(Vec<u8>, InfoV1), Problem> {
    let bytes = read(file)?;
    let engine = context.app.engine(state, context.log_level);
    let sandbox = engine.sandbox()?;
    let inspected = engine.block_on(sandbox.inspect(&bytes))?;
    let Inspected { digest, size_bytes, world, imports, exports, info } = inspected.map_err(|error| {
        Problem::new(Exit::Failed, "no_plugin", format!("`{}` is no plugin", file.display()))
            .because(error.to_string())
    })?;
    let info = InfoV1 { version: 1, digest, size_bytes: size_bytes as u64, world, imports, exports, info };
    Ok((bytes, info))
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let failed = |error: std::io::Error| Problem::file(path, "read", &error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(COMPONENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > COMPONENT_BYTES_MAX {
        let what = format!("`{}` has more than {COMPONENT_BYTES_MAX} bytes", path.display());
        return Err(Problem::new(Exit::Failed, "too_large", what)
            .hint("build it with `--profile channel`, and keep large data out of a plugin"));
    }
    Ok(bytes)
}

/// Everything about a component, for people.
pub(super) fn describe(stored: &InfoV1) -> String {
    let InfoV1 { version: _, digest, size_bytes, world, imports, exports, info } = stored;
    let PluginInfo { name, version, author, config_attrs, address_types, wants, extra } = info;
    let facts = [
        ("name", name.clone()),
        ("version", version.clone()),
        ("author", author.clone()),
        ("digest", digest.to_string()),
        ("size", size(*size_bytes)),
        ("world", world.clone()),
        ("imports", imports.join(", ")),
        ("exports", exports.join(", ")),
        ("addresses", address_types.join(", ")),
    ];
    let facts = facts.into_iter().map(|(key, value)| [key.to_owned(), or_dash(value)]);
    let extra = extra.iter().map(|(key, value)| [key.clone(), value.clone()]);
    let mut text = table(["PLUGIN", ""], facts.chain(extra));
    text.push_str("\n\n");
    text.push_str(&wants_table(wants));
    text.push_str("\n\n");
    if config_attrs.is_empty() {
        text.push_str("It has no options.\n");
    } else {
        let header = ["OPTION", "TYPE", "REQUIRED", "DEFAULT", "VALUES", "LABEL"];
        text.push_str(&table(header, config_attrs.iter().map(option_row)));
        text.push('\n');
    }
    text
}

pub(super) fn wants_table(wants: &[Want]) -> String {
    if wants.is_empty() {
        return "It wants nothing.".to_owned();
    }
    let row = |want: &Want| {
        [want.capability.as_str().to_owned(), want.target.clone(), or_dash(want.reason.clone())]
    };
    table(["WANTS", "TARGET", "REASON"], wants.iter().map(row))
}

fn option_row(option: &ConfigOption) -> [String; 6] {
    let range = match (option.min, option.max) {
        (None, None) => String::new(),
        (min, max) => {
            let bound = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
            format!("{}..{}", bound(min), bound(max))
        }
    };
    let choices: Vec<_> = option.choices.iter().map(|choice| choice.value.as_str()).collect();
    let values = if choices.is_empty() { range } else { choices.join(", ") };
    let default = match &option.default {
        None => String::new(),
        Some(DefaultValue::Boolean(value)) => value.to_string(),
        Some(DefaultValue::Integer(value)) => value.to_string(),
        Some(DefaultValue::Text(text)) => text.clone(),
        Some(DefaultValue::Many(texts)) => texts.join(", "),
    };
    [
        option.name.clone(),
        option.kind.as_str().to_owned(),
        if option.required { "yes" } else { "no" }.to_owned(),
        or_dash(default),
        or_dash(values),
        label(&option.label).to_owned(),
    ]
}

fn label(texts: &[Localized]) -> &str {
    let english = texts.iter().find(|text| text.locale == "en_US");
    english.or(texts.first()).map_or("", |text| text.text.as_str())
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// Everything about a component, for programs.
pub(super) fn to_json(stored: &InfoV1) -> Json {
    let InfoV1 { version: _, digest, size_bytes, world, imports, exports, info } = stored;
    json!({
        "digest": digest, "size_bytes": size_bytes, "world": world, "imports": imports, "exports": exports,
        "info": info,
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_domain::{Capability, Choice, Digest, OptionKind};

    use super::*;

    fn option(name: &str, kind: OptionKind) -> ConfigOption {
        ConfigOption {
            name: name.to_owned(),
            kind,
            label: vec![Localized { locale: "en_US".to_owned(), text: format!("The {name}") }],
            help: vec![],
            default: None,
            required: false,
            choices: vec![],
            min: None,
            max: None,
            hints: vec![],
        }
    }

    #[test]
    fn a_component_is_described_in_tables_and_cannot_move_the_cursor() {
        let choice = |value: &str| Choice { value: value.to_owned(), label: value.to_owned() };
        let stored = InfoV1 {
            version: 1,
            digest: Digest::of(b""),
            size_bytes: 119_700,
            world: "sandbell:channel@0.1.0".to_owned(),
            imports: vec!["sandbell:channel/http@0.1.0".to_owned()],
            exports: vec!["sandbell:channel/plugin@0.1.0".to_owned()],
            info: PluginInfo {
                name: "Sl\x1b[2Jack".to_owned(),
                version: "1.2.0".to_owned(),
                author: "Jane Doe".to_owned(),
                config_attrs: vec![
                    ConfigOption { required: true, ..option("webhook", OptionKind::Secret) },
                    ConfigOption {
                        default: Some(DefaultValue::Integer(10)),
                        min: Some(1),
                        max: Some(30),
                        ..option("timeout", OptionKind::Number)
                    },
                    ConfigOption {
                        choices: vec![choice("blocks"), choice("text")],
                        ..option("style", OptionKind::Option)
                    },
                ],
                address_types: vec!["slack".to_owned()],
                wants: vec![Want {
                    capability: Capability::Http,
                    target: "POST {webhook}".to_owned(),
                    reason: "delivers the message".to_owned(),
                }],
                extra: vec![],
            },
        };
        assert_snapshot!(describe(&stored), @r"
        PLUGIN
        name       Sl\u{1b}[2Jack
        version    1.2.0
        author     Jane Doe
        digest     sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        size       117 KiB
        world      sandbell:channel@0.1.0
        imports    sandbell:channel/http@0.1.0
        exports    sandbell:channel/plugin@0.1.0
        addresses  slack

        WANTS  TARGET          REASON
        http   POST {webhook}  delivers the message

        OPTION   TYPE    REQUIRED  DEFAULT  VALUES        LABEL
        webhook  secret  yes       -        -             The webhook
        timeout  number  no        10       1..30         The timeout
        style    option  no        -        blocks, text  The style
        ");
    }
}
