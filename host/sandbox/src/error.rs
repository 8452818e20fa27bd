//! Why a file is no plugin, why a sandbox does not start, and why a configuration was refused.

use sandbell_domain::{ConfigError, Failure, escape};
use serde::{Deserialize, Serialize};

/// The largest component file.
pub const COMPONENT_BYTES_MAX: usize = 16 << 20;

/// The version of the contract that this host serves, as a component writes it.
pub const WORLD: &str = "sandbell:channel@0.1.0";

/// Longest foreign text inside an error.
const REASON_BYTES_MAX: usize = 400;

/// Why a file is no plugin: the culprit and the way out, in one sentence.
///
/// Text that a guest or wasmtime wrote is only ever a part of it, escaped and cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InspectError {
    #[error("the file is empty; write the path of a component, e.g. `slack.wasm`")]
    Empty,
    #[error("the file has {bytes} bytes; a component may have at most {}", COMPONENT_BYTES_MAX)]
    TooLarge { bytes: usize },
    #[error(
        "the file is {found}, not a WebAssembly component; write the path of a component, e.g. `slack.wasm`"
    )]
    NotWasm { found: String },
    #[error("this is a core module; build it as a component, e.g. `cargo build --target wasm32-wasip2`")]
    CoreModule,
    #[error(
        "the WebAssembly header has an unknown version ({version:#x}); build a component of the current binary format"
    )]
    UnknownVersion { version: u32 },
    #[error("the file ends too early or is damaged at byte {offset}: {reason}; fetch or build it anew")]
    Invalid { offset: usize, reason: String },
    #[error("the component has {found} {what}; at most {max} are allowed")]
    TooMany { what: String, found: usize, max: usize },
    #[error(
        "compiling takes more than {seconds} s; make the component smaller, or look for a function that is huge"
    )]
    CompileTime { seconds: u64 },
    #[error("compiling takes more than {mebibytes} MiB of memory; make the component smaller")]
    CompileMemory { mebibytes: u64 },
    #[error("the component cannot be compiled: {reason}")]
    Compile { reason: String },
    #[error(
        "the component was built for `{found}`; this host serves `{WORLD}`: build it anew with that contract, or update the host"
    )]
    WrongWorld { found: String },
    #[error(
        "the component does not export `sandbell:channel/plugin@0.1.0`; export it, e.g. with `sandbell_sdk::export!`"
    )]
    NoPlugin,
    #[error(
        "the export `{name}` has another type than the contract's: {reason}; build it anew against `{WORLD}`"
    )]
    ExportType { name: String, reason: String },
    #[error("the component imports `{name}`, which this host does not have; {advice}")]
    UnknownImport { name: String, advice: String },
    #[error("the import `{name}` has another type than this host offers: {reason}; build the component anew")]
    ImportType { name: String, reason: String },
    #[error(
        "the component imports `{import}` but wants no {capability}; add a want of `{capability}` to its info, or drop the import"
    )]
    ImportBeyondWants { import: String, capability: String },
    #[error("{0}")]
    Info(#[from] InfoError),
    #[error("`get-info` failed: {0}")]
    Failed(Failed),
    #[error("the compiler `{program}` cannot be started: {reason}; it must be this program itself")]
    Compiler { program: String, reason: String },
    #[error("the sandbox failed: {reason}; this is a bug of the host")]
    HostBug { reason: String },
}

/// What is wrong with the answer of `get-info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InfoError {
    #[error("the info has no {field}; the plugin's author must fill it in")]
    Missing { field: String },
    #[error("the info's {field} `{text}` holds control characters; the plugin's author must remove them")]
    NotPrintable { field: String, text: String },
    #[error("the info's {field} has {bytes} bytes; at most {max} are allowed")]
    Long { field: String, bytes: usize, max: usize },
    #[error("the info has {found} {what}; at most {max} are allowed")]
    TooMany { what: String, found: usize, max: usize },
    #[error("`{name}` is no option name; write letters, digits, `_`, `-` and `.`, at most 64 of them")]
    OptionName { name: String },
    #[error("the option `{name}` is declared twice; remove one")]
    OptionTwice { name: String },
    #[error("the option `{name}` has no label in en_US; add one, others are optional")]
    NoLabel { name: String },
    #[error("the option `{name}` of kind `{kind}` has no choices; list them")]
    NoChoices { name: String, kind: String },
    #[error("the default of option `{name}` does not fit its kind `{kind}`: {reason}")]
    Default { name: String, kind: String, reason: String },
    #[error("the option `{name}` has a min above its max; swap them")]
    Range { name: String },
    #[error("`{capability}` is no capability of this host; a want names one of http, smtp, amqp, mqtt")]
    Capability { capability: String },
    #[error("the want `{target}` cannot be granted: {reason}")]
    Target { target: String, reason: String },
}

/// A failure of the plugin itself, as words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct Failed {
    pub code: String,
    pub detail: String,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the engine cannot start: {0}")]
    Engine(String),
}

/// Why `set-config` did not accept: the plugin's own word, or what became of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigRefusal {
    #[error(transparent)]
    Refused(ConfigError),
    #[error(transparent)]
    Failed(Failure),
}

impl SandboxError {
    pub(crate) fn engine(error: &wasmtime::Error) -> Self {
        Self::Engine(reason(error))
    }
}

/// The causes of an error of wasmtime, most specific last, on one line without anything that a terminal obeys.
pub(crate) fn reason(error: &wasmtime::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    foreign(&causes.join(": "))
}

/// The first cause alone: what stands around it when a guest runs is a backtrace.
pub(crate) fn root(error: &wasmtime::Error) -> String {
    foreign(&error.root_cause().to_string())
}

/// Foreign text, fit to stand inside a sentence.
pub(crate) fn foreign(text: &str) -> String {
    escape::cut(&escape::line(text.trim()), REASON_BYTES_MAX)
}
