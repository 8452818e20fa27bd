//! What one rendering may use: templates are written by tenants.

/// The output may be 1 MiB: more than any chat or mail service takes in one message.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// A rendering may take a million steps, well under a second: a hundred thousand list items still fit.
///
/// A step is one node, command or iteration, or [`BYTES_PER_STEP`] bytes going through a function.
pub const STEPS_MAX: u32 = 1_000_000;

/// A template may be 64 KiB long: a page of text has 3. Parsing takes time with the square of the length.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// Templates, blocks and parentheses may nest a hundred deep together.
///
/// Every level is a few frames of the stack, and a WebAssembly guest has 1 MiB of it. Go's own limit is for
/// `template` alone, and far above what any readable template needs.
pub const DEPTH_MAX: u32 = 100;

/// Texts that go through functions cost steps too, so that a loop cannot copy a long text for free.
pub const BYTES_PER_STEP: usize = 256;

/// What one rendering may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the output, and of each text made on the way to it.
    pub output_bytes_max: usize,
    pub steps_max: u32,
    pub depth_max: u32,
}

impl Limits {
    /// [`OUTPUT_BYTES_MAX`], [`STEPS_MAX`] and [`DEPTH_MAX`].
    pub const DEFAULT: Self =
        Self { output_bytes_max: OUTPUT_BYTES_MAX, steps_max: STEPS_MAX, depth_max: DEPTH_MAX };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
