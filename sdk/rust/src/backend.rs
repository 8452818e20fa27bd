//! Who does what a channel asks for: the host inside a component, a fake one in native tests.

#[cfg(target_family = "wasm")]
pub(crate) use host::{
    amqp_publish, http_send, http_send_all, http_token, log_enabled, log_write, mqtt_publish, smtp_send,
};

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::answers::{
    amqp_publish, http_send, http_send_all, http_token, log_enabled, log_write, mqtt_publish, smtp_send,
};

#[cfg(target_family = "wasm")]
mod host {
    pub(crate) use crate::bindings::sandbell::channel::amqp::publish as amqp_publish;
    pub(crate) use crate::bindings::sandbell::channel::http::{
        send as http_send, send_all as http_send_all, token as http_token,
    };
    pub(crate) use crate::bindings::sandbell::channel::log::{enabled as log_enabled, write as log_write};
    pub(crate) use crate::bindings::sandbell::channel::mqtt::publish as mqtt_publish;
    pub(crate) use crate::bindings::sandbell::channel::smtp::send as smtp_send;
}
