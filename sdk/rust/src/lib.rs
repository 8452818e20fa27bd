//! Write notification channels for Sandbell.
//!
//! A channel decides what to say and to whom. The host says it: it holds the sockets, the logins and the secrets, and
//! does only what the operator has allowed. So a channel is a struct for the form, a name, and one function:
//!
//! ```
//! use sandbell_sdk::prelude::*;
//!
//! /// What the operator fills in: the doc comment of a field is its help.
//! #[derive(ChannelConfig)]
//! pub struct Config {
//!     /// Created in Mattermost under Integrations > Incoming Webhooks.
//!     #[config(label = "Webhook URL", label(de_DE = "Webhook-URL"))]
//!     webhook: Secret,
//!     /// Posts here instead of in the webhook's own channel.
//!     room: Option<String>,
//! }
//!
//! pub struct Mattermost(Config);
//!
//! impl Channel for Mattermost {
//!     type Config = Config;
//!
//!     fn info() -> Info {
//!         Info::new("Mattermost")
//!             .version(env!("CARGO_PKG_VERSION"))
//!             .author("Jane Doe")
//!             .wants_http("POST {webhook}", "Posts each notification to the incoming webhook.")
//!     }
//!
//!     fn new(config: Config) -> Result<Self, ConfigError> {
//!         Ok(Self(config))
//!     }
//!
//!     fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
//!         let text = format!("**{}**\n{}", notification.subject(), notification.event.message);
//!         let message = json!({ "text": text, "channel": self.0.room });
//!         http::post(&self.0.webhook).json(&message).send()?.check()?;
//!         Ok(Receipt::new())
//!     }
//! }
//!
//! export!(Mattermost);
//!
//! // Plain `cargo test`, no wasm:
//! let host = sandbell_sdk::testing::FakeHost::new();
//! host.reply(429, &[("Retry-After", "30")], "slow down");
//! let config = json!({ "webhook": "https://chat.example.com/hooks/abc", "room": "ops" });
//! let error = host.send::<Mattermost>(&config, &Notification::example()).unwrap_err();
//! assert_eq!(error.after, Some(Duration::from_secs(30)));
//! assert_eq!(host.request().url, "<secret:webhook>");
//! assert_eq!(host.request().json()["channel"], "ops");
//! ```
//!
//! Build it with `crate-type = ["cdylib", "rlib"]` and `cargo build --release --target wasm32-wasip2`; the file is a
//! component that `sandbell plugin install` takes. What it never calls it does not import.

pub mod amqp;
mod backend;
#[doc(hidden)]
#[expect(clippy::same_length_and_capacity, reason = "written by wit-bindgen")]
pub mod bindings;
mod channel; // what an author writes
mod config; // from a struct to a form and back
mod document; // a notification as JSON
mod error; // and whether trying again helps
pub mod http;
pub mod log;
pub mod mail;
pub mod mqtt;
mod publish; // what AMQP and MQTT have in common
mod template; // text with secrets in it
mod text; // Icinga's words
mod time;

#[doc(hidden)]
#[path = "rt.rs"]
pub mod __rt;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use channel::{
    Address, Channel, Contact, Delivery, Event, Incident, Info, Link, Notification, Object, Receipt,
    Severity, Source, Want,
};
pub use config::{ChannelConfig, Choice};
pub use error::{ConfigError, Retry, SendError, code};
pub use sandbell_sdk_macros::{ChannelConfig, Choice};
pub use serde_json;
pub use template::{Secret, Template};
pub use time::parse_rfc3339;

/// Everything that a channel needs: `use sandbell_sdk::prelude::*;`
pub mod prelude {
    pub use std::time::Duration;

    pub use serde_json::json;

    pub use crate::{
        Channel, ChannelConfig, Choice, ConfigError, Info, Notification, Receipt, Retry, Secret, SendError,
        Severity, Template, amqp, code, export, http, log, mail, mqtt,
    };
}

/// Makes the component's exports out of a [`Channel`]; once per crate.
#[macro_export]
macro_rules! export {
    ($channel:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Plugin;

            ::std::thread_local! {
                static CHANNEL: ::std::cell::RefCell<::std::option::Option<$channel>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            impl $crate::__rt::Guest for Plugin {
                fn get_info() -> $crate::__rt::Info {
                    $crate::__rt::info::<$channel>()
                }

                fn set_config(
                    settings: ::std::vec::Vec<$crate::__rt::Setting>,
                ) -> ::std::result::Result<(), $crate::__rt::ConfigError> {
                    let channel = $crate::__rt::configure::<$channel>(settings)?;
                    CHANNEL.set(::std::option::Option::Some(channel));
                    ::std::result::Result::Ok(())
                }

                fn send_notification(
                    notification: $crate::__rt::Notification,
                ) -> ::std::result::Result<$crate::__rt::Receipt, $crate::__rt::SendError> {
                    CHANNEL.with_borrow(|channel| $crate::__rt::send(channel.as_ref(), &notification))
                }
            }

    $crate::bindings::__export_plugin!(Plugin with_types_in $crate::bindings);
        };
    };
}
