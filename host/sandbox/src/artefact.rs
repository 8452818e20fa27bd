//! Turns an artefact into a component. This is the one place of the house where code is unsafe.

use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes that this host's compiler child wrote: straight from its pipe, or from the cache after the seal was verified.
///
/// An artefact is native code and wasmtime checks only its version and flags, so whoever makes one of these vouches
/// for where the bytes come from (`reference/security.md` §3.7).
pub(crate) struct Artefact(Vec<u8>);

impl Artefact {
    pub(crate) fn vouched(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn load(&self, engine: &Engine) -> Result<Component, wasmtime::Error> {
        #[expect(
            unsafe_code,
            reason = "the bytes come from our own compiler child; a copy from disk was verified by HMAC before this"
        )]
        // SAFETY: `deserialize` requires bytes that wasmtime wrote and nobody changed since; see the type.
        unsafe {
            Component::deserialize(engine, &self.0)
        }
    }
}
