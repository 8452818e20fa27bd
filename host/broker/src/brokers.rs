//! The brokers of one attempt, and what outlives it: the connections of its channel.

use std::future::Future;
use std::sync::Arc;

use ::http::HeaderValue;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use sandbell_domain::{AmqpRule, Channel, DeliveryId, Grants, Mode};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::amqp;
use crate::attempt::{AttemptState, Record};
use crate::dial::{Lookup, Reach, system_lookup};
use crate::http::{self, Clients, HttpPower, Tokens};
use crate::mqtt::{self, MqttPower};
use crate::power::Common;
use crate::publish::{self, PublishPower};
use crate::scrub::Scrubber;
use crate::smtp::{self, SmtpPower};
use crate::template::Secrets;
use crate::tls::SystemAuthorities;
use crate::value::{
    Accepted, AmqpBroker, AmqpMessage, HttpError, HttpRequest, HttpResponse, Mail, MqttBroker, MqttMessage,
    PublishError, Relay, SmtpError,
};

/// Requests of one `send-all` under way at once.
const AT_ONCE_MAX: usize = 4;

/// What the brokers of a process share: a runtime for their I/O and the system's certificate authorities.
pub struct Egress {
    io: Handle,
    settings: EgressSettings,
    user_agent: HeaderValue,
    authorities: Arc<SystemAuthorities>,
    lookup: Lookup,
}

#[derive(Clone, Debug)]
pub struct EgressSettings {
    /// Names the program to the servers that it calls.
    pub user_agent: String,
    /// The time, for the `Date` of a mail.
    pub now: fn() -> Timestamp,
}

/// The connections of one configured channel. They are never shared with another, and end with it.
pub struct ChannelEgress {
    powers: Arc<Powers>,
}

/// The powers of one attempt; without a grant there is no broker, and the call is refused by its absence.
#[derive(Clone)]
pub struct Brokers {
    powers: Arc<Powers>,
    attempt: Arc<AttemptState>,
}

struct Powers {
    io: Handle,
    common: Common,
    http: Option<HttpPower>,
    smtp: Option<SmtpPower>,
    amqp: Option<PublishPower<AmqpRule>>,
    mqtt: Option<MqttPower>,
}

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("the certificate authorities cannot be read: {0}")]
    Authorities(String),
    #[error("the client certificate or its key cannot be read: {0}")]
    Identity(String),
    #[error("the user agent `{0}` cannot be sent; write printable ASCII")]
    UserAgent(String),
}

impl Egress {
    /// `io` runs every connection; guests run elsewhere, so that a spinning one delays no answer.
    pub fn new(io: Handle, settings: EgressSettings) -> Result<Self, EgressError> {
        Self::with_lookup(io, settings, system_lookup())
    }

    /// With a resolver of one's own, for tests.
    pub(crate) fn with_lookup(
        io: Handle,
        settings: EgressSettings,
        lookup: Lookup,
    ) -> Result<Self, EgressError> {
        let user_agent = HeaderValue::from_str(&settings.user_agent)
            .map_err(|_| EgressError::UserAgent(settings.user_agent.clone()))?;
        Ok(Self { io, settings, user_agent, authorities: Arc::new(SystemAuthorities::new()), lookup })
    }

    /// Opens nothing yet: a connection is made when the channel first sends.
    pub fn channel(&self, channel: &Channel) -> Result<ChannelEgress, EgressError> {
        let secrets = Arc::new(Secrets::of(&channel.config, self.settings.now));
        let common = Common {
            scrubber: Arc::new(Scrubber::new(&secrets)),
            secrets,
            limits: channel.limits.clone(),
            now: self.settings.now,
        };
        let reach = |networks: &[_]| {
            Arc::new(Reach {
                networks: networks.to_vec(),
                kind: channel.kind.clone(),
                lookup: self.lookup.clone(),
            })
        };
        let tls = |material| Ok(Arc::new(self.authorities.client_config(material)?));
        let Grants { http, smtp, amqp, mqtt } = &channel.grants;
        let http = http.as_ref().map(|grant| {
            let reach = reach(&grant.networks);
            let tls = self.authorities.client_config(&grant.tls)?;
            Ok(HttpPower {
                rules: grant.rules.clone(),
                clients: Clients::new(reach.clone(), tls, grant.proxy.clone()),
                reach,
                user_agent: self.user_agent.clone(),
                tokens: Tokens::default(),
            })
        });
        let smtp = smtp.as_ref().map(|grant| {
            Ok(SmtpPower {
                servers: grant.servers.clone(),
                reach: reach(&grant.networks),
                tls: tls(&grant.tls)?,
            })
        });
        let amqp = amqp.as_ref().map(|grant| {
            Ok(PublishPower {
                rules: grant.rules.clone(),
                reach: reach(&grant.networks),
                tls: tls(&grant.tls)?,
            })
        });
        let mqtt = mqtt.as_ref().map(|grant| {
            let publish = PublishPower {
                rules: grant.rules.clone(),
                reach: reach(&grant.networks),
                tls: tls(&grant.tls)?,
            };
            Ok(MqttPower { publish, turn: Semaphore::new(1) })
        });
        let powers = Powers {
            io: self.io.clone(),
            common,
            http: http.transpose()?,
            smtp: smtp.transpose()?,
            amqp: amqp.transpose()?,
            mqtt: mqtt.transpose()?,
        };
        Ok(ChannelEgress { powers: Arc::new(powers) })
    }
}

impl ChannelEgress {
    /// The brokers of one attempt, with its budgets. Every call ends before `deadline`.
    pub fn attempt(&self, delivery: DeliveryId, mode: Mode, deadline: Instant) -> Brokers {
        Brokers {
            powers: self.powers.clone(),
            attempt: Arc::new(AttemptState::new(delivery, mode, deadline)),
        }
    }
}

impl Brokers {
    /// Runs on the I/O runtime; may be awaited from any other. Dropping the future cancels the call.
    pub async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let this = self.clone();
        let outcome = self.on_io(async move {
            let Powers { common, http, .. } = &*this.powers;
            let common = common.with_tokens(&this.attempt.tokens());
            match http {
                Some(power) => http::send(power, &common, &this.attempt, request).await,
                None => Err(http::no_power()),
            }
        });
        outcome.await.unwrap_or_else(|| Err(http::broken()))
    }

    /// Sends a request for an access token, or finds the one that is kept; gives the name that templates of this
    /// attempt take it by.
    pub async fn http_token(&self, request: HttpRequest, renew: bool) -> Result<String, HttpError> {
        let this = self.clone();
        let outcome = self.on_io(async move {
            let Powers { common, http, .. } = &*this.powers;
            match http {
                Some(power) => http::token(power, common, &this.attempt, request, renew).await,
                None => Err(http::no_power()),
            }
        });
        outcome.await.unwrap_or_else(|| Err(http::broken()))
    }

    /// Several at once, at most four; the answers come in the order of the requests.
    pub async fn http_all(&self, requests: Vec<HttpRequest>) -> Vec<Result<HttpResponse, HttpError>> {
        stream::iter(requests.into_iter().map(|request| self.http(request)))
            .buffered(AT_ONCE_MAX)
            .collect()
            .await
    }

    /// As [`Self::http`], for a mail: one connection, one message.
    pub async fn smtp(&self, relay: Relay, mail: Mail) -> Result<Accepted, SmtpError> {
        let this = self.clone();
        let outcome = self.on_io(async move {
            let Powers { common, smtp, .. } = &*this.powers;
            let common = common.with_tokens(&this.attempt.tokens());
            match smtp {
                Some(power) => smtp::send(power, &common, &this.attempt, relay, mail).await,
                None => Err(SmtpError {
                    code: "denied",
                    reply_code: None,
                    message: "smtp is not granted: the plugin has no want of smtp that applies to this \
                              configuration"
                        .to_owned(),
                }),
            }
        });
        outcome.await.unwrap_or_else(|| {
            Err(SmtpError {
                code: "internal",
                reply_code: None,
                message: "the host failed to carry out the request".to_owned(),
            })
        })
    }

    /// As [`Self::http`], for a message to an AMQP broker: one connection, one confirmed message.
    pub async fn amqp(&self, broker: AmqpBroker, message: AmqpMessage) -> Result<(), PublishError> {
        let this = self.clone();
        let outcome = self.on_io(async move {
            let Powers { common, amqp, .. } = &*this.powers;
            let common = common.with_tokens(&this.attempt.tokens());
            match amqp {
                Some(power) => amqp::publish(power, &common, &this.attempt, broker, message).await,
                None => Err(publish::no_power("amqp")),
            }
        });
        outcome.await.unwrap_or_else(|| Err(publish::broken()))
    }

    /// As [`Self::http`], for a message to an MQTT broker: one connection, one message that was taken.
    pub async fn mqtt(&self, broker: MqttBroker, message: MqttMessage) -> Result<(), PublishError> {
        let this = self.clone();
        let outcome = self.on_io(async move {
            let Powers { common, mqtt, .. } = &*this.powers;
            let common = common.with_tokens(&this.attempt.tokens());
            match mqtt {
                Some(power) => mqtt::publish(power, &common, &this.attempt, broker, message).await,
                None => Err(publish::no_power("mqtt")),
            }
        });
        outcome.await.unwrap_or_else(|| Err(publish::broken()))
    }

    /// Masks the channel's secrets, in all the forms that they can take, in text that leaves the sandbox.
    pub fn scrub(&self, text: &str) -> String {
        self.powers.common.with_tokens(&self.attempt.tokens()).scrubber.text(text)
    }

    /// What was said so far; empties it.
    pub fn take_record(&self) -> Record {
        self.attempt.take_record()
    }

    /// Runs a call on the I/O runtime; `None` if it panicked or that runtime is gone.
    async fn on_io<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> Option<T> {
        if self.attempt.mode == Mode::DryRun {
            // Nothing is awaited for, so it need not leave this thread.
            return Some(call.await);
        }
        let mut task = AbortOnDrop(self.powers.io.spawn(call));
        (&mut task.0).await.ok()
    }
}

/// A call whose caller is gone ends at once.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
