//! A notification in a chat's own markup: escaped, and as short as the chat wants it.
//!
//! Pure functions that many channels share. What is written here never ends in half a character, half an entity or half
//! a link, and nothing that the source said is taken for markup.
//!
//! ```
//! use sandbell_chat_text::{Limit, Markup, body, headline};
//! use sandbell_sdk::Notification;
//!
//! let mut notification = Notification::example();
//! notification.event.message = "load is *high*, see https://example.com/a_b.".to_owned();
//! assert_eq!(headline(&notification), "[#1437] dummy-809!random fortune is crit");
//! assert_eq!(
//!     Markup::Markdown.escape(&notification.event.message, Limit::Chars(100)),
//!     r"load is \*high\*, see <https://example.com/a_b>.",
//! );
//! assert!(body(&notification, Markup::Html, Limit::Utf16(4096)).contains("<b>host:</b> dummy-809\n"));
//! ```

mod argus; // Argus' words
mod body; // message, facts and links in one text
mod cloudforet; // Cloudforet's words
mod code; // foreign text as code
mod diun; // Diun's words
mod facts; // what there is to say
mod limit; // how long a text may be
mod markdown; // Markdown as HTML
mod markup; // escaping
mod phone; // telephone numbers
mod several; // what several requests mean together
#[cfg(feature = "templates")]
mod templates; // Go templates of the operator
#[cfg(not(target_family = "wasm"))]
pub mod testing; // notifications of each system
mod thread; // what belongs together
mod time; // dates
mod url; // URLs that an operator types

pub use argus::{argus_level, argus_lines, argus_title};
pub use body::body;
pub use cloudforet::{CloudforetMessage, CloudforetTag, CloudforetType};
pub use code::{code_block, code_fence, code_span};
pub use diun::{DiunEntry, diun_meta};
pub use facts::{colour, facts, headline, hex, links};
pub use limit::{Limit, one_line};
pub use markdown::{markdown_to_html, markdown_to_html_within};
pub use markup::Markup;
pub use phone::{phone_number, phone_numbers};
pub use several::Several;
#[cfg(feature = "templates")]
pub use templates::{GoText, OwnText, diun_data, icinga_data};
pub use thread::{Step, step, thread_key};
pub use url::web_url;
