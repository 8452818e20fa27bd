//! Sends mail although it says that it wants nothing.

use guest_kit::{Attack, Notification, Receipt, SendError, attack, report, smtp};

struct UnwantedImport;

impl Attack for UnwantedImport {
    const NAME: &'static str = "unwanted-import";

    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let mail = smtp::Mail {
            sender: None,
            reply_to: None,
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: notification.event.message,
            text: String::new(),
            html: None,
            headers: Vec::new(),
            attachments: Vec::new(),
        };
        report(if smtp::send(&smtp::Relay::Named("default".into()), &mail).is_ok() {
            "sent"
        } else {
            "refused"
        })
    }
}

attack!(UnwantedImport);
