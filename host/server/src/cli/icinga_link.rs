//! `sandbell icinga link PLUGIN --dir CHANNELS_DIR`: makes the link, then starts it as the daemon does.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sandbell_domain::escape;
use serde_json::{Value as Json, json};

use super::args;
use super::exit::Exit;
use super::output::Output;
use super::problem::Problem;
use super::run::{Context, Done};
use crate::doors::icinga::{BadLinkName, Connect, LinkError, LinkName, keep_connect, make_link};
use crate::install::Standing;

/// How long the daemon would be held up at its start if the plugin said nothing.
const GET_INFO: Duration = Duration::from_secs(5);

pub(super) fn run(context: &Context, args: args::Link) -> Done {
    let args::Link { plugin, dir, name, replace, connect } = args;
    let state = context.app.state()?;
    let installed = state.get(&plugin)?;
    let name = match name {
        Some(name) => name,
        None => plugin.as_str().parse().map_err(|error| bad_name(&error))?,
    };
    let dir = dir.canonicalize().map_err(|error| Problem::file(&dir, "look at", &error))?;
    let connect = connect.map(|connect| connect.resolve(state.dir())).transpose().map_err(|error| {
        Problem::new(Exit::Usage, "connect", error.to_string()).hint("set `[listen] icinga_socket`")
    })?;
    let link = make_link(&state, &context.app.config.program, &plugin, &name, &dir, replace)?;
    keep_connect(&state, &plugin, &name, connect.as_ref())
        .map_err(|error| Problem::file(&link, "keep the serving host of", &error))?;
    if !name.is_for_released_daemons() {
        Output::note(&format!(
            "warning: daemons up to v0.2.0 ignore the name `{}`; give one of letters and digits with --name",
            name.as_str()
        ));
    }
    let (info, duration) = get_info(&link)?;
    let milliseconds = duration.as_secs_f64() * 1000.0;
    let is_approved = installed.standing() != Standing::NotApproved;
    context.output.result(
        || {
            text(
                &link,
                &name,
                &info,
                milliseconds,
                is_approved.then_some(()).ok_or(plugin.as_str()),
                connect.as_ref(),
            )
        },
        || {
            json!({
                "link": link, "type": name.as_str(), "plugin": plugin.as_str(), "approved": is_approved,
                "connect": connect.as_ref().map(ToString::to_string),
                "get_info": info, "get_info_ms": milliseconds,
            })
        },
    );
    Ok(Exit::Ok)
}

fn text(
    link: &Path,
    name: &LinkName,
    info: &Json,
    milliseconds: f64,
    approved: Result<(), &str>,
    connect: Option<&Connect>,
) -> String {
    let field = |key: &str| escape::line(info[key].as_str().unwrap_or_default());
    let options = info["config_attrs"].as_array().map_or(0, Vec::len);
    let mut text = format!(
        "{} is the channel type `{}`\nGetInfo answered in {milliseconds:.1} ms: {} {}, {options} options\n",
        link.display(),
        name.as_str(),
        field("name"),
        field("version")
    );
    match (connect, approved) {
        (Some(connect), _) => {
            let _ = writeln!(text, "the serving host at {connect} keeps and delivers what the daemon sends");
        }
        (None, Err(plugin)) => {
            let _ = writeln!(text, "hint: it delivers nothing before `sandbell plugin approve {plugin}`");
        }
        (None, Ok(())) => {}
    }
    text.push_str("hint: the daemon looks for new channel types when it starts; restart it\n");
    text
}

/// Starts the link as the daemon does, but with an empty environment, and asks for its info.
fn get_info(link: &Path) -> Result<(Json, Duration), Problem> {
    let failed = |because: String| {
        let what = format!("`{}` was made, but it does not answer as a channel", link.display());
        Problem::new(Exit::Failed, "get_info", what).because(because)
    };
    let started = Instant::now();
    let mut child = Command::new(link)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("it has no streams".to_owned()));
    };
    let (sender, answer) = mpsc::channel();
    let read = move || {
        let mut text = String::new();
        let result = BufReader::new(stdout).read_line(&mut text).map(|_| text);
        let _ = sender.send((result, started.elapsed()));
    };
    let reader = thread::spawn(read);
    let asked = stdin.write_all(b"{\"method\":\"GetInfo\",\"params\":null,\"id\":1}\n");
    let answer = answer.recv_timeout(GET_INFO);
    drop(stdin);
    if answer.is_err() {
        let _ = child.kill();
    }
    let _ = child.wait();
    let _ = reader.join();
    asked.map_err(|error| failed(error.to_string()))?;
    let (text, duration) =
        answer.map_err(|_| failed(format!("no answer within {} s", GET_INFO.as_secs())))?;
    let text = text.map_err(|error| failed(error.to_string()))?;
    let mut reply: Json =
        serde_json::from_str(&text).map_err(|_| failed("it ended without an answer".to_owned()))?;
    match reply["error"].as_str() {
        Some(error) => Err(failed(error.to_owned())),
        None => Ok((reply["result"].take(), duration)),
    }
}

fn bad_name(error: &BadLinkName) -> Problem {
    Problem::new(Exit::Usage, "link_name", error.to_string()).hint("give it a name with --name")
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        let text = error.to_string();
        match error {
            LinkError::NoDirectory(_) => Self::new(Exit::NotFound, "no_directory", text),
            LinkError::Taken { .. } => Self::new(Exit::Conflict, "link_taken", text),
            LinkError::Foreign(_) => Self::new(Exit::Conflict, "foreign_file", text),
            LinkError::Io { .. } => Self::new(Exit::Failed, "link", text),
            LinkError::Forbidden { link, target, .. } => Self::new(Exit::NotAllowed, "forbidden", text)
                .hint(format!("`sudo ln -s {} {}` makes the link", target.display(), link.display())),
        }
    }
}
