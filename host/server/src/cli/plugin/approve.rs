//! `sandbell plugin approve NAME`: shows what a plugin wants and asks; without a terminal, `--yes` is the answer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sandbell_domain::target::allowed;
use sandbell_domain::{Approval, PluginInfo, Want};
use serde_json::json;

use super::super::args;
use super::super::exit::Exit;
use super::super::inspect::wants_table;
use super::super::output::{Output, ask};
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::install::difference_text;
use super::show::{approval_json, beyond_wants};
use crate::install::{Installed, Standing, changes, tls_material, user_name};

pub(in crate::cli) fn run(context: &Context, args: args::Approve) -> Done {
    let state = context.app.state()?;
    let installed = state.get(&args.name)?;
    let is_sure = args.yes;
    let approval = approval(context, &installed, args)?;
    tls_material(&approval)?;
    if !is_sure {
        let question = format!("{}\nAllow this?", question(&installed, &approval));
        match ask(&question) {
            Some(true) => {}
            Some(false) => {
                return Err(Problem::new(Exit::NotAllowed, "declined", "nothing was approved"));
            }
            None => {
                Output::note(&question);
                return Err(Problem::new(Exit::NotAllowed, "no_terminal", "there is nobody to ask").hint(
                    format!("`sandbell plugin approve {} --yes` approves without asking", installed.name),
                ));
            }
        }
    }
    state.approve(&installed.name, approval.clone())?;
    let name = &installed.name;
    context.output.result(
        || {
            let version = &installed.info.info.version;
            format!("{name} {version} is approved\n{}", beyond_wants(&approval))
        },
        || json!({ "name": name.as_str(), "approval": approval_json(&approval) }),
    );
    Ok(Exit::Ok)
}

/// What was typed, on top of what an earlier approval said.
fn approval(context: &Context, installed: &Installed, args: args::Approve) -> Result<Approval, Problem> {
    let args::Approve {
        name: _,
        yes: _,
        reset,
        network,
        allow,
        ca_file,
        client_certificate_file,
        client_key_file,
        proxy,
    } = args;
    let info = &installed.info.info;
    let earlier = installed.approval.as_ref().filter(|_| !reset);
    let allow = allow.iter().map(|target| parse_allow(target, info)).collect::<Result<Vec<_>, _>>()?;
    let or_earlier = |file: Option<PathBuf>, earlier: Option<&PathBuf>| match file {
        Some(file) => absolute(&file).map(Some),
        None => Ok(earlier.cloned()),
    };
    Ok(Approval {
        digest: installed.plugin.digest,
        wants: info.wants.clone(),
        allow: joined(earlier.map(|earlier| &earlier.allow), allow),
        networks: joined(earlier.map(|earlier| &earlier.networks), network),
        ca_file: or_earlier(ca_file, earlier.and_then(|earlier| earlier.ca_file.as_ref()))?,
        client_certificate_file: or_earlier(
            client_certificate_file,
            earlier.and_then(|earlier| earlier.client_certificate_file.as_ref()),
        )?,
        client_key_file: or_earlier(
            client_key_file,
            earlier.and_then(|earlier| earlier.client_key_file.as_ref()),
        )?,
        proxy: match proxy {
            Some(proxy) => Some(check_proxy(proxy)?),
            None => earlier.and_then(|earlier| earlier.proxy.clone()),
        },
        approved_at: context.app.clock.now(),
        approved_by: user_name(rustix::process::getuid().as_raw()),
    })
}

/// What was there and what is new, each once.
fn joined<T: Clone + PartialEq>(earlier: Option<&Vec<T>>, new: Vec<T>) -> Vec<T> {
    let mut all = earlier.cloned().unwrap_or_default();
    for item in new {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}

fn question(installed: &Installed, approval: &Approval) -> String {
    let Installed { name, info, approval: earlier, .. } = installed;
    let mut text = format!("{name}: {} {} ({})\n\n", info.info.name, info.info.version, info.digest);
    text.push_str(&wants_table(&info.info.wants));
    text.push('\n');
    if let (Some(earlier), Standing::Upgrade { running }) = (earlier, installed.standing()) {
        let _ = writeln!(text, "\nWhat differs from {running}:");
        text.push_str(&difference_text(&changes(&earlier.wants, &info.info.wants)));
    }
    let beyond = beyond_wants(approval);
    if !beyond.is_empty() {
        text.push_str("\nBeyond what it wants:\n");
        text.push_str(&beyond);
    }
    text
}

fn parse_allow(text: &str, info: &PluginInfo) -> Result<Want, Problem> {
    allowed(text, info).map_err(|because| {
        Problem::new(Exit::Usage, "target", format!("`{text}` cannot be allowed"))
            .because(because)
            .hint("write e.g. `http POST https://api.example.com/*` or `smtp mail.example.com:587`")
    })
}

fn absolute(path: &Path) -> Result<PathBuf, Problem> {
    path.canonicalize().map_err(|error| Problem::file(path, "read", &error))
}

fn check_proxy(proxy: url::Url) -> Result<url::Url, Problem> {
    if matches!(proxy.scheme(), "http" | "https") && proxy.host().is_some() {
        return Ok(proxy);
    }
    Err(Problem::new(Exit::Usage, "proxy", format!("`{proxy}` is no proxy"))
        .hint("write e.g. `http://proxy.example.com:3128`"))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::install::fixture::{approval, installed, want};

    #[test]
    fn the_question_shows_the_wants_the_difference_and_what_goes_beyond() {
        let old = [want("POST {url}", "delivers")];
        let new = [want("POST {url}", "delivers"), want("POST https://count.example/*", "counts")];
        let upgrade = installed(b"two", &new, Some(approval(b"one", &old)));
        let approval = Approval {
            allow: vec![want("POST https://*.example.com/*", "")],
            networks: vec!["10.20.0.0/16:443".parse().unwrap()],
            ca_file: Some("/etc/ssl/own.pem".into()),
            proxy: Some("http://me:hunter2@proxy.example.com:3128".parse().unwrap()),
            ..approval(b"two", &new)
        };
        assert_snapshot!(question(&upgrade, &approval), @"
        test: Test 1.0.0 (sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3)

        WANTS  TARGET                        REASON
        http   POST {url}                    delivers
        http   POST https://count.example/*  counts

        What differs from sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed:
            http POST {url}  delivers
          + http POST https://count.example/*  counts

        Beyond what it wants:
          also http POST https://*.example.com/*
          private network 10.20.0.0/16:443
          trusts only /etc/ssl/own.pem
          proxy http://me:***@proxy.example.com:3128/
        ");
    }

    #[test]
    fn what_is_allowed_beyond_the_wants_is_checked_as_it_is_typed() {
        let info = PluginInfo {
            name: String::new(),
            version: String::new(),
            author: String::new(),
            config_attrs: vec![],
            address_types: vec![],
            wants: vec![],
            extra: vec![],
        };
        let check = |text: &str| match parse_allow(text, &info) {
            Ok(want) => format!("{} {}", want.capability.as_str(), want.target),
            Err(problem) => problem.to_text().lines().nth(1).unwrap().to_owned(),
        };
        assert_eq!(check("http POST https://*.example.com/*"), "http POST https://*.example.com/*");
        assert_eq!(check("smtp mail.example.com:25"), "smtp mail.example.com:25");
        assert_eq!(check("nats x"), "because: `nats` is no capability");
        assert_eq!(check("mqtt mqtt://mq topic:a/*"), "mqtt mqtt://mq topic:a/*");
        assert_eq!(check("http POST {url}"), "because: `{url}` names no option of this plugin");
        assert_eq!(
            check("http POST https://*/"),
            "because: `*` may stand for the first label of a host or the end of a path, not inside `https://*/`"
        );
    }

    #[test]
    fn a_proxy_is_an_http_url() {
        assert!(check_proxy("http://proxy.example.com:3128".parse().unwrap()).is_ok());
        assert!(check_proxy("ftp://proxy.example.com".parse().unwrap()).is_err());
    }
}
