//! What an author writes: a channel, and what it says about itself.

use crate::bindings::exports::sandbell::channel::plugin as wit;
use crate::{ChannelConfig, ConfigError, SendError};

pub use wit::{
    Address, Contact, Delivery, Event, Incident, Link, Notification, Object, Receipt, Severity, Source, Want,
};

/// A notification channel.
///
/// An instance is one configuration and lives for one delivery: what must survive belongs to the other side.
pub trait Channel: Sized {
    /// The options that an operator fills in; see [`ChannelConfig`](derive@crate::ChannelConfig).
    type Config: ChannelConfig;

    /// Name, version, and what the channel asks to be allowed to do.
    fn info() -> Info;

    /// Checks what the options' own types could not, without reaching for the network.
    fn new(config: Self::Config) -> Result<Self, ConfigError>;

    /// Delivers one notification.
    ///
    /// In a dry run ([`Delivery::dry_run`]) everything is built and handed over as usual, but answers mean nothing.
    fn send(&self, notification: &Notification) -> Result<Receipt, SendError>;
}

/// What a channel says about itself.
#[derive(Clone, Debug, Default)]
pub struct Info {
    name: String,
    version: String,
    author: String,
    address_types: Vec<String>,
    wants: Vec<Want>,
    extra: Vec<(String, String)>,
}

impl Info {
    /// Starts with the name that operators see.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Usually `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    #[must_use]
    pub fn author(mut self, author: &str) -> Self {
        author.clone_into(&mut self.author);
        self
    }

    /// A kind of address that this channel can deliver to, e.g. `email`.
    #[must_use]
    pub fn address_type(mut self, kind: &str) -> Self {
        self.address_types.push(kind.to_owned());
        self
    }

    /// Asks for HTTP to `target`, e.g. `POST https://api.example.com/*` or `POST {url}`; `reason` is one sentence for
    /// the operator who approves it.
    #[must_use]
    pub fn wants_http(self, target: &str, reason: &str) -> Self {
        self.wants("http", target, reason)
    }

    /// Asks for mail through `target`, a host and a port, e.g. `{host}:{port}`.
    #[must_use]
    pub fn wants_smtp(self, target: &str, reason: &str) -> Self {
        self.wants("smtp", target, reason)
    }

    /// Asks to publish to AMQP brokers, e.g. `amqp://{host}:{port}/{vhost?} exchange:alerts key:*`.
    #[must_use]
    pub fn wants_amqp(self, target: &str, reason: &str) -> Self {
        self.wants("amqp", target, reason)
    }

    /// Asks to publish to MQTT brokers, e.g. `mqtt://{host}:{port} topic:{topic}`.
    #[must_use]
    pub fn wants_mqtt(self, target: &str, reason: &str) -> Self {
        self.wants("mqtt", target, reason)
    }

    /// A word for catalogues, e.g. `homepage` or `licence`.
    #[must_use]
    pub fn extra(mut self, key: &str, value: &str) -> Self {
        self.extra.push((key.to_owned(), value.to_owned()));
        self
    }

    fn wants(mut self, capability: &str, target: &str, reason: &str) -> Self {
        let [capability, target, reason] = [capability, target, reason].map(str::to_owned);
        self.wants.push(Want { capability, target, reason });
        self
    }

    pub(crate) fn into_wit<C: ChannelConfig>(self) -> wit::Info {
        let Self { name, version, author, address_types, wants, extra } = self;
        let config_attrs = C::OPTIONS.iter().map(Into::into).collect();
        wit::Info { name, version, author, config_attrs, address_types, wants, extra }
    }
}

impl Receipt {
    /// Delivered, and nothing more to say.
    pub fn new() -> Self {
        Self { provider_id: None, detail: None, links: Vec::new() }
    }

    /// The provider's own identifier of the message.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.provider_id = Some(id.into());
        self
    }

    /// One line for the delivery log.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Where to see the message at the provider.
    #[must_use]
    pub fn link(mut self, label: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.push(Link { label: label.into(), url: url.into() });
        self
    }
}

impl Default for Receipt {
    fn default() -> Self {
        Self::new()
    }
}
