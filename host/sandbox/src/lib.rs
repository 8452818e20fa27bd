//! Runs one attempt of a plugin: one store, one instance, one outcome.
//!
//! Invariant: [`Sandbox::attempt`] cannot fail; whatever happens inside is an [`Outcome`](sandbell_domain::Outcome).
//! Invariant: no guest state survives an attempt; no wasmtime text is shown alone.

mod sandbox; // the whole
mod attempt; // one try
mod plugin; // a checked component
mod info; // what it says of itself
mod compile; // bytes -> artefact, in a child
mod scan;
mod cache; // artefacts on disk
mod artefact;
mod engine; // settings of wasmtime
mod ticker;
mod meter;
mod state; // what a store carries
mod limits;
mod log;
mod wasi;
mod wit; // the contract
mod ending; // how a guest ended
mod error;

pub use attempt::OpenChannel;
pub use compile::compile_child;
pub use error::{COMPONENT_BYTES_MAX, ConfigRefusal, Failed, InfoError, InspectError, SandboxError, WORLD};
pub use plugin::{Inspected, Plugin};
pub use sandbox::{Sandbox, Settings};
