//! What can be typed after `sandbell delivery`.

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use sandbell_domain::{DeadReason, DeliveryId, Name};

use super::super::remote::Remote;

/// See what became of what was accepted, and try again
#[derive(Args, Debug)]
pub(crate) struct Delivery {
    #[command(flatten)]
    pub(super) remote: Remote,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List deliveries, newest first
    List(List),
    /// Show a delivery and every attempt at it
    Show {
        id: DeliveryId,
        /// Show what was sent and what was answered, with secrets masked
        #[arg(long)]
        verbose: bool,
    },
    /// Show deliveries as they change, until interrupted
    Tail {
        /// Only those of this channel
        #[arg(long)]
        channel: Option<Name>,
    },
    Redrive(Redrive),
    /// Give deliveries up: they are dead letters then
    Cancel {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<DeliveryId>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) filter: Filter,
    /// Only those that stand so
    #[arg(long)]
    pub(super) state: Option<StateArg>,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    pub(super) limit: usize,
}

/// Try dead letters again, as if they were accepted now
#[derive(Args, Debug)]
pub(super) struct Redrive {
    /// Which; or all dead letters that the options describe
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<DeliveryId>,
    #[command(flatten)]
    pub(super) filter: Filter,
    /// Every dead letter
    #[arg(long)]
    pub(super) all: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Args, Clone, Debug, Default)]
pub(super) struct Filter {
    /// Only those of this channel
    #[arg(long)]
    pub(super) channel: Option<Name>,
    /// Only those that are dead for this reason
    #[arg(long, value_parser = reason, value_name = "REASON")]
    pub(super) reason: Option<DeadReason>,
    /// Only those whose last failure has this code, e.g. `http-status:503`
    #[arg(long)]
    pub(super) code: Option<String>,
    /// Only those settled since then: a time, or an age like `2h`
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Moment>,
    /// Only those settled before then: a time, or an age like `2h`
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StateArg {
    Waiting,
    Leased,
    Delivered,
    Dead,
}

impl StateArg {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Leased => "leased",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

fn reason(text: &str) -> Result<DeadReason, String> {
    DeadReason::from_word(text).ok_or_else(|| {
        let words: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("write {}", words.join(", "))
    })
}

/// A point in time, as people give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(Timestamp),
    Ago(SignedDuration),
}

#[derive(Debug, thiserror::Error)]
#[error("write a time like 2026-11-24T18:00:00Z, or an age like `30min`, `2h` or `3d`")]
pub(super) struct BadMoment;

impl Moment {
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(age) => now.checked_sub(age).unwrap_or(Timestamp::MIN),
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: i64 = number.parse().map_err(|_| BadMoment)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(BadMoment),
        };
        number
            .checked_mul(seconds)
            .map(|seconds| Self::Ago(SignedDuration::from_secs(seconds)))
            .ok_or(BadMoment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_an_age() {
        let now = "2026-11-24T18:00:00Z".parse().unwrap();
        let check =
            |text: &str, want: &str| assert_eq!(text.parse::<Moment>().unwrap().at(now).to_string(), want);
        check("2026-11-24T12:00:00+01:00", "2026-11-24T11:00:00Z");
        check("2h", "2026-11-24T16:00:00Z");
        check("30min", "2026-11-24T17:30:00Z");
        check("3d", "2026-11-21T18:00:00Z");
        for bad in ["", "h", "2", "2 weeks", "yesterday", "99999999999999999999h"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
