//! A serving host: what becomes of a notification whose receiver is well, unwell, gone; of a host that is killed; of a caller
//! who may not know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use sandbell_peers::{At, Client, Receiver, Reply, Request, Serving, Signal, wait_for};
use serde_json::Value as Json;

use crate::host::Host;
use crate::table::{Row, say, seen};

/// Short enough to be watched: an attempt is given a second, so what a killed host was trying is free after two.
const QUICK: &str = "[dispatch]\nattempt = \"1s\"\n";
const QUICK_RETRY: [&str; 4] = ["--policy", "retry.wait_first=200ms", "--policy", "retry.wait_max=200ms"];
const TENANT: &str = "acme";
const STRANGER: &str = "umbrella";
/// What is handed in before the host is killed.
const ACCEPTED: usize = 5;

/// The parts of the show.
struct Show<'a> {
    host: &'a Host,
    serving: Serving,
    receiver: Receiver,
    /// Whether what was broken at the receiver works.
    mended: Arc<AtomicBool>,
    rows: Vec<Row>,
}

/// Needs the plugin `slack`, approved for this machine.
pub(crate) fn show(host: &Host) -> Result<Vec<Row>> {
    say("Serving, with a channel for each receiver …");
    let mended = Arc::new(AtomicBool::new(false));
    let receiver = receiver(Arc::clone(&mended))?;
    let mut show = Show { host, serving: host.serve(QUICK)?, receiver, mended, rows: Vec::new() };
    show.set_up()?;
    show.well()?;
    say("Refusing, and mending what refused …");
    show.busy()?;
    let id = show.gone()?;
    say("Killing the host …");
    show.killed()?;
    show.strangers(&id)?;
    let status = show.serving.stop()?;
    ensure!(status.success(), "the host ended with {status}");
    Ok(show.rows)
}

/// `/well` takes everything; `/busy` has no time at first; `/gone` refuses and `/night` says nothing until it is mended.
fn receiver(mended: Arc<AtomicBool>) -> Result<Receiver> {
    let was_busy = AtomicBool::new(false);
    Receiver::start(move |request| match request.target.as_str() {
        "/busy" if !was_busy.swap(true, Ordering::Relaxed) => Reply::new(503, "busy"),
        "/gone" if !mended.load(Ordering::Relaxed) => Reply::new(404, "no_service"),
        "/night" if !mended.load(Ordering::Relaxed) => Reply::hang(),
        _ => Reply::new(200, "ok"),
    })
}

impl Show<'_> {
    fn set_up(&mut self) -> Result<()> {
        self.host.ok(&["tenant", "create", TENANT])?;
        for name in ["well", "busy", "gone", "night"] {
            let create = ["channel", "create", "slack", name, "--secret", "webhook_url", "--tenant", TENANT];
            let url = self.receiver.url(&format!("/{name}"));
            self.host.run(&[&create[..], &QUICK_RETRY].concat(), &url)?.expect(0)?;
        }
        let came =
            format!("serves after {} ms; four channels of {TENANT}", self.serving.started_in.as_millis());
        self.row("a host", "sandbell serve; channel create slack NAME", came, "nothing yet".to_owned());
        ensure!(self.receiver.count() == 0, "a channel sent something before it was told to");
        Ok(())
    }

    fn well(&mut self) -> Result<()> {
        let delivery = delivery(&self.notify("well", "disk full", 0)?)?;
        let arrived = seen(self.arrived("/well").last().context("the request that arrived")?);
        self.row("a receiver that is well", "notify well --wait 20", standing(&delivery), arrived);
        Ok(())
    }

    fn busy(&mut self) -> Result<()> {
        let delivery = delivery(&self.notify("busy", "disk full", 0)?)?;
        let arrived = self.arrived("/busy").len();
        ensure!(
            delivery["attempts"] == 2 && arrived == 2,
            "not tried twice, but {arrived} times: {delivery}"
        );
        let arrived = "POST /busy, answered 503\nPOST /busy, answered 200".to_owned();
        self.row("a receiver that is busy at first", "notify busy --wait 20", standing(&delivery), arrived);
        Ok(())
    }

    /// The delivery's id.
    fn gone(&mut self) -> Result<String> {
        let dead = delivery(&self.notify("gone", "disk full", 6)?)?;
        ensure!(self.arrived("/gone").len() == 1, "what was refused for good was tried again");
        let arrived = "POST /gone, answered 404".to_owned();
        self.row("a receiver that refuses", "notify gone --wait 20", standing(&dead), arrived);

        let list = ["delivery", "list", "--state", "dead", "--tenant", TENANT, "--json"];
        let letters = self.host.run(&list, "")?.expect(0)?.json()?;
        let id = letters["items"][0]["id"].as_str().context("no dead letter is listed")?.to_owned();
        ensure!(letters["items"].as_array().is_some_and(|items| items.len() == 1), "not one: {letters}");
        let came = format!("one: {} on channel {}", id_start(&id), text(&letters["items"][0]["channel"]));
        self.row("its dead letter", "delivery list --state dead", came, "nothing more".to_owned());

        self.mended.store(true, Ordering::Relaxed);
        self.host.ok(&["delivery", "redrive", &id, "--tenant", TENANT])?;
        let delivery = wait_for("the redriven delivery", || {
            self.delivery(&id).ok().filter(|delivery| delivery["state"] == "delivered")
        })?;
        let came = format!("redriven, {}", standing(&delivery));
        let arrived = self.arrived("/gone");
        ensure!(arrived.len() == 2, "{} requests arrived", arrived.len());
        self.mended.store(false, Ordering::Relaxed);
        self.row("the receiver, mended", "delivery redrive ID", came, seen(&arrived[1]));
        Ok(id)
    }

    fn killed(&mut self) -> Result<()> {
        for number in 1..=ACCEPTED {
            let message = message(number);
            let notify = ["notify", "night", "--message", &message, "--tenant", TENANT];
            self.host.run(&notify, "")?.expect(0)?;
        }
        wait_for("the first attempt", || (!self.arrived("/night").is_empty()).then_some(()))?;
        self.serving.signal(Signal::KILL)?;
        let status = self.serving.ended()?;
        let before = self.arrived("/night").len();
        let came = format!("the process ended with {status}; {ACCEPTED} are accepted, none is delivered");
        self.row("the host, at work", "kill -9", came, format!("{before} × POST /night, none answered"));

        self.mended.store(true, Ordering::Relaxed);
        self.serving = self.host.serve(QUICK)?;
        let list =
            ["delivery", "list", "--state", "delivered", "--channel", "night", "--tenant", TENANT, "--json"];
        wait_for("everything that was accepted", || {
            let delivered = self.host.run(&list, "").ok()?.json().ok()?;
            (delivered["items"].as_array()?.len() == ACCEPTED).then_some(())
        })?;
        let arrived = self.arrived("/night").split_off(before);
        for number in 1..=ACCEPTED {
            let count =
                arrived.iter().filter(|request| request.body_text().contains(&message(number))).count();
            ensure!(count == 1, "`{}` arrived {count} times after the kill", message(number));
        }
        let came = format!("all {ACCEPTED} that were accepted are delivered");
        self.row(
            "the host, restarted",
            "sandbell serve",
            came,
            format!("{} × POST /night, answered 200", arrived.len()),
        );
        Ok(())
    }

    /// A token sees what is its tenant's, and does not learn that there is more.
    fn strangers(&mut self, id: &str) -> Result<()> {
        self.host.ok(&["tenant", "create", STRANGER])?;
        let ask = |tenant: &str| -> Result<(u16, String)> {
            let create = ["token", "create", "reader", "--scope", "read", "--tenant", tenant];
            let token = self.host.ok(&create)?.trim().to_owned();
            let mut caller =
                Client::new(At::Tcp(self.serving.api)).with("authorization", &format!("Bearer {token}"));
            let answer = caller.get(&format!("/api/v1/deliveries/{id}"))?;
            let body = answer.json()?;
            let said = body["code"].as_str().unwrap_or_else(|| text(&body["state"])).to_owned();
            let listed = caller.get("/api/v1/deliveries")?.json()?;
            let listed = listed["items"].as_array().context("a list of deliveries")?.len();
            Ok((answer.status, format!("{} {said}; {listed} deliveries are listed", answer.status)))
        };
        let (own, stranger) = (ask(TENANT)?, ask(STRANGER)?);
        ensure!(own.0 == 200, "a token of {TENANT} does not see its delivery: {}", own.1);
        ensure!(stranger.0 == 404, "a token of {STRANGER} sees a delivery of {TENANT}: {}", stranger.1);
        let get = format!("GET /api/v1/deliveries/{}", id_start(id));
        self.row(&format!("a token of {TENANT}"), &get, own.1, "–".to_owned());
        self.row(&format!("a token of {STRANGER}"), &get, stranger.1, "–".to_owned());
        Ok(())
    }

    /// `notify --wait`, which must end with this code; what the host answers.
    fn notify(&self, channel: &str, message: &str, code: i32) -> Result<Json> {
        let what = ["notify", channel, "--subject", "db1", "--message", message, "--severity", "crit"];
        let how = ["--wait", "20", "--tenant", TENANT, "--json"];
        self.host.run(&[&what[..], &how].concat(), "")?.expect(code)?.json()
    }

    fn delivery(&self, id: &str) -> Result<Json> {
        let shown = self.host.run(&["delivery", "show", id, "--tenant", TENANT, "--json"], "")?;
        Ok(shown.expect(0)?.json()?["delivery"].take())
    }

    /// What arrived at one of the receiver's places.
    fn arrived(&self, target: &str) -> Vec<Request> {
        self.receiver.requests().into_iter().filter(|request| request.target == target).collect()
    }

    fn row(&mut self, who: &str, does: &str, came: String, arrived: String) {
        self.rows.push([who.to_owned(), does.to_owned(), came, arrived]);
    }
}

/// The one delivery of what was accepted.
fn delivery(accepted: &Json) -> Result<Json> {
    let delivery = &accepted["notifications"][0]["deliveries"][0];
    ensure!(delivery["state"].is_string(), "no delivery: {accepted}");
    Ok(delivery.clone())
}

/// `dead: permanent after 1 attempt`, and why.
fn standing(delivery: &Json) -> String {
    let attempts = match delivery["attempts"].as_u64() {
        Some(1) => "1 attempt".to_owned(),
        attempts => format!("{} attempts", attempts.unwrap_or_default()),
    };
    let state = text(&delivery["state"]);
    match delivery["reason"].as_str() {
        Some(reason) => {
            format!("{state}: {reason} after {attempts}\n{}", text(&delivery["failure"]["detail"]))
        }
        None => format!("{state} after {attempts}"),
    }
}

/// Enough of an id to know it again.
fn id_start(id: &str) -> String {
    format!("{}…", id.chars().take(12).collect::<String>())
}

fn message(number: usize) -> String {
    format!("disk {number} of {ACCEPTED} is full")
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::{delivery, id_start, standing};

    #[test]
    fn a_delivery_is_told_in_a_line_or_two() {
        let told = |delivery: serde_json::Value| standing(&delivery);
        assert_snapshot!(told(json!({ "state": "delivered", "attempts": 2, "reason": null })), @"delivered after 2 attempts");
        let dead = json!({ "state": "dead", "attempts": 1, "reason": "permanent", "failure": { "detail": "no_service" } });
        assert_snapshot!(told(dead), @"
        dead: permanent after 1 attempt
        no_service
        ");
        assert_snapshot!(id_start("dlv_0123456789abcdef0123456789abcdef"), @"dlv_01234567…");
    }

    #[test]
    fn an_answer_without_a_delivery_is_an_error() {
        let answer = json!({ "notifications": [{ "deliveries": [] }] });
        assert!(delivery(&answer).unwrap_err().to_string().starts_with("no delivery: "));
    }
}
