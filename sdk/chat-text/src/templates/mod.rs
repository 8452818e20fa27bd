//! Go templates: what they see, and the two that Diun's users have (`reference/diun.md` §1.2).

mod data; // Diun's words beside Icinga's
mod go_text; // a title and a body
mod icinga; // Icinga's words

pub use data::diun_data;
pub use go_text::{GoText, OwnText};
pub use icinga::icinga_data;
