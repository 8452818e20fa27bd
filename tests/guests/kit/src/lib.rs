//! What every hostile guest shares: the contract's bindings and a plugin that does nothing but its attack.
//!
//! The guests use the bindings and not the SDK, because an attacker would.

pub mod bindings {
    //! The contract, as the binding generator writes it.
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "channel",
        pub_export_macro: true,
        default_bindings_module: "guest_kit::bindings",
        export_macro_name: "export_bindings",
    });
}

pub use bindings::exports::sandbell::channel::plugin::{
    self, ConfigError, ConfigOption, Info, Notification, Receipt, Retry, SendError, Setting, Value, Want,
};
pub use bindings::sandbell::channel::{amqp, http, log, mqtt, smtp, types};

/// An attack: what it wants, what its form asks for, and what it does when it is told to send.
pub trait Attack {
    const NAME: &'static str;

    fn wants() -> Vec<Want> {
        Vec::new()
    }

    fn options() -> Vec<ConfigOption> {
        Vec::new()
    }

    fn get_info() -> Info {
        Info {
            name: Self::NAME.into(),
            version: "6.6.6".into(),
            author: "Mallory".into(),
            config_attrs: Self::options(),
            address_types: vec!["email".into()],
            wants: Self::wants(),
            extra: Vec::new(),
        }
    }

    fn set_config(_settings: Vec<Setting>) -> Result<(), ConfigError> {
        Ok(())
    }

    fn send(notification: Notification) -> Result<Receipt, SendError>;
}

/// Exports an attack as a plugin.
#[macro_export]
macro_rules! attack {
    ($attack:ident) => {
        struct Guest;

        impl $crate::bindings::exports::sandbell::channel::plugin::Guest for Guest {
            fn get_info() -> $crate::Info {
                <$attack as $crate::Attack>::get_info()
            }

            fn set_config(settings: Vec<$crate::Setting>) -> Result<(), $crate::ConfigError> {
                <$attack as $crate::Attack>::set_config(settings)
            }

            fn send_notification(notification: $crate::Notification) -> Result<$crate::Receipt, $crate::SendError> {
                <$attack as $crate::Attack>::send(notification)
            }
        }

        $crate::bindings::export_bindings!(Guest with_types_in $crate::bindings);
    };
}

pub fn want(capability: &str, target: &str) -> Want {
    Want { capability: capability.into(), target: target.into(), reason: "Looks harmless.".into() }
}

/// An option of the form; `kind` as in the contract.
pub fn option(name: &str, kind: &str) -> ConfigOption {
    ConfigOption {
        name: name.into(),
        kind: kind.into(),
        label: vec![plugin::Localized { locale: "en_US".into(), text: name.into() }],
        help: Vec::new(),
        default: None,
        required: false,
        choices: Vec::new(),
        min: None,
        max: None,
        hints: Vec::new(),
    }
}

/// Says that the attack worked, or what came of it: the tests read it.
pub fn report(detail: impl Into<String>) -> Result<Receipt, SendError> {
    Ok(Receipt { provider_id: None, detail: Some(detail.into()), links: Vec::new() })
}

pub fn fail(message: impl Into<String>) -> Result<Receipt, SendError> {
    Err(SendError {
        retry: Retry::Never,
        retry_after_ms: None,
        code: "internal".into(),
        message: message.into(),
    })
}

pub fn literal(text: impl Into<String>) -> types::Template {
    vec![types::Part::Literal(text.into())]
}

pub fn post(url: types::Template) -> http::Request {
    http::Request {
        method: "POST".into(),
        url,
        query: Vec::new(),
        headers: Vec::new(),
        body: http::Body::Empty,
        timeout_ms: None,
    }
}

/// The answer to a request in one line: `200`, or `denied: …`.
pub fn tried(request: http::Request) -> String {
    match http::send(&request) {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(error) => format!("{}: {}", error.code, error.message),
    }
}
