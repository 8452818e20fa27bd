//! Runs one attempt of a plugin: one store, one instance, one outcome.
//!
//! Invariant: [`Sandbox::attempt`] cannot fail; whatever happens inside is an [`Outcome`](sandbell_domain::Outcome).
//! Invariant: no guest state survives an attempt; no wasmtime text is shown alone.

mod artefact;
mod attempt; // one try
mod cache; // artefacts on disk
mod compile; // bytes -> artefact, in a child
mod ending; // how a guest ended
mod engine; // settings of wasmtime
mod error;
mod info; // what it says of itself
mod limits;
mod log;
mod meter;
mod plugin; // a checked component
mod sandbox; // the whole
mod scan;
mod state; // what a store carries
mod ticker;
mod wasi;
mod wit; // the contract

pub use attempt::OpenChannel;
pub use compile::compile_child;
pub use error::{COMPONENT_BYTES_MAX, ConfigRefusal, Failed, InfoError, InspectError, SandboxError, WORLD};
pub use plugin::{Inspected, Plugin};
pub use sandbox::{Sandbox, Settings};
