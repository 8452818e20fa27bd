//! What `export!` and the derives expand to calls of; not for authors.

pub use crate::bindings::exports::sandbell::channel::plugin::{
    ConfigError, Guest, Info, Notification, Receipt, SendError, Setting, Value,
};
pub use crate::config::{DefaultValue, Field, OptionSpec, Settings, assert_choice, parse_choice};

use crate::{Channel, ChannelConfig, SendError as Failure};

pub fn info<C: Channel>() -> Info {
    C::info().into_wit::<C::Config>()
}

pub fn configure<C: Channel>(settings: Vec<Setting>) -> Result<C, ConfigError> {
    let config = C::Config::read(&mut Settings::new(settings))?;
    Ok(C::new(config)?)
}

pub fn send<C: Channel>(channel: Option<&C>, notification: &Notification) -> Result<Receipt, SendError> {
    let channel = channel.ok_or_else(|| Failure::config("the channel is not configured"))?;
    Ok(channel.send(notification)?)
}
