//! Who may use whom: the one place where arrows are drawn.

/// The modules of `host/server`, from the top down, and what each may use beside itself.
pub(super) const MODULES: &[(&str, &[&str])] = &[
    ("main", &["cli", "app", "config"]),
    (
        "cli",
        &[
            "app",
            "serve",
            "client",
            "vault",
            "store",
            "doors",
            "install",
            "engine",
            "clock",
            "config",
            "telemetry",
        ],
    ),
    ("app", &["doors", "install", "engine", "clock", "config", "telemetry"]),
    (
        "serve",
        &[
            "doors",
            "dispatch",
            "chores",
            "node",
            "intake",
            "runner",
            "roster",
            "vault",
            "circuits",
            "events",
            "metrics",
            "pulse",
            "listen",
            "install",
            "engine",
            "store",
            "clock",
            "config",
            "telemetry",
        ],
    ),
    // `engine`: a door whose caller keeps the history runs the attempt itself.
    (
        "doors",
        &[
            "channels",
            "node",
            "intake",
            "runner",
            "roster",
            "vault",
            "circuits",
            "events",
            "kept",
            "listen",
            "install",
            "engine",
            "clock",
            "dice",
            "config",
            "telemetry",
        ],
    ),
    ("channels", &["node", "runner", "vault", "install", "clock", "dice"]),
    ("dispatch", &["node", "circuits", "events", "metrics", "kept", "config"]),
    ("chores", &["node"]),
    (
        "node",
        &[
            "intake", "runner", "roster", "vault", "circuits", "events", "metrics", "pulse", "install",
            "store", "clock", "config",
        ],
    ),
    ("intake", &["runner", "roster", "metrics", "pulse", "install", "store", "clock"]),
    ("runner", &["vault", "kept", "install"]),
    ("roster", &["kept", "store"]),
    ("vault", &["store"]),
    ("circuits", &["kept"]),
    ("events", &[]),
    ("metrics", &[]),
    ("pulse", &[]),
    ("listen", &[]),
    ("install", &["clock", "config", "telemetry"]),
    ("engine", &["clock", "config", "telemetry"]),
    ("store", &[]),
    ("client", &[]),
    ("kept", &[]),
    ("clock", &["dice"]),
    ("dice", &[]),
    ("config", &["telemetry"]),
    ("telemetry", &[]),
];

/// Modules of `doors` that are not doors, so that every door may use them. None of them may use a door.
pub(super) const SHARED_BY_DOORS: &[&str] = &["auth", "problem"];

/// What the crates of one folder, or of a folder of folders, may use.
pub(super) struct CrateRule {
    /// As in the workspace's members: `host/domain`, `channels-wasm/*`.
    pub(super) members: &'static str,
    /// The house's own crates that it may use.
    pub(super) house: House,
    /// Crates, and paths of the standard library, that it never uses.
    pub(super) never: &'static [&'static str],
    /// Why; ends the sentence that refuses.
    pub(super) because: &'static str,
}

pub(super) enum House {
    Only(&'static [&'static str]),
    Any,
}

pub(super) const CRATES: &[CrateRule] = &[
    CrateRule {
        members: "host/domain",
        house: House::Only(&[]),
        never: &[
            "tokio",
            "wasmtime",
            "axum",
            "hyper",
            "reqwest",
            "lettre",
            "rusqlite",
            "rand",
            "std::env",
            "std::fs",
            "std::process",
            "std::thread",
            "std::net::TcpStream",
            "std::net::UdpSocket",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
        because: "the domain is nouns and pure decisions: no I/O, no clock, no dice, no async",
    },
    CrateRule {
        members: "host/broker",
        // `sandbell-peers`: its tests speak to real brokers of messages.
        house: House::Only(&["sandbell-domain", "sandbell-peers"]),
        never: &["wasmtime", "wasmtime-wasi", "wit-bindgen", "axum", "clap", "rusqlite"],
        because: "a broker takes and gives values; it does not know who asks",
    },
    CrateRule {
        members: "host/store",
        house: House::Only(&["sandbell-domain"]),
        never: &[
            "wasmtime",
            "wasmtime-wasi",
            "axum",
            "clap",
            "hyper",
            "reqwest",
            "lettre",
            "rand",
            "std::process",
            "std::net::TcpStream",
            "std::time::SystemTime",
        ],
        because: "the store keeps notifications; it neither runs nor serves them, and is told the time",
    },
    CrateRule {
        members: "host/sandbox",
        house: House::Only(&["sandbell-broker", "sandbell-domain"]),
        never: &["axum", "clap", "reqwest", "lettre", "rustls", "rusqlite"],
        because: "the sandbox runs one attempt; only the broker reaches the world",
    },
    CrateRule {
        members: "host/server",
        house: House::Only(&["sandbell-broker", "sandbell-domain", "sandbell-sandbox", "sandbell-store"]),
        never: &["wasmtime", "wasmtime-wasi", "lettre", "rusqlite"],
        because: "the program joins the parts; engines and mail stay in theirs",
    },
    CrateRule {
        members: "sdk/rust",
        house: House::Only(&["sandbell-sdk-macros"]),
        never: &["tokio", "wasmtime", "reqwest", "lettre"],
        because: "an author's channel links it, and it must stay small",
    },
    CrateRule {
        members: "sdk/rust-macros",
        house: House::Only(&[]),
        never: &["tokio", "wasmtime"],
        because: "an author's channel compiles it, and it must stay small",
    },
    CrateRule {
        members: "sdk/go-template",
        house: House::Only(&[]),
        never: &["tokio", "wasmtime", "std::fs", "std::env", "std::process"],
        because: "an author's channel links it, and it must stay small",
    },
    CrateRule {
        members: "sdk/chat-text",
        house: House::Only(&["sandbell-sdk", "sandbell-go-template"]),
        never: &["tokio", "wasmtime", "std::fs", "std::env", "std::process"],
        because: "an author's channel links it, and it must stay small",
    },
    CrateRule {
        members: "channels-wasm/*",
        house: House::Only(&["sandbell-sdk", "sandbell-go-template", "sandbell-chat-text"]),
        never: &[
            "tokio",
            "wasmtime",
            "reqwest",
            "lettre",
            "std::env",
            "std::fs",
            "std::process",
            "std::thread",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::UdpSocket",
        ],
        because: "a channel reaches the world through the SDK only",
    },
    CrateRule { members: "tests/it", house: House::Any, never: &[], because: "" },
    CrateRule { members: "tests/bench", house: House::Any, never: &[], because: "" },
    CrateRule { members: "tests/demo", house: House::Any, never: &[], because: "" },
    CrateRule {
        members: "tests/peers",
        house: House::Only(&[]),
        never: &["wasmtime"],
        because: "a peer that shares code with the house cannot contradict it",
    },
    CrateRule {
        members: "tests/xtask",
        house: House::Only(&[]),
        never: &["tokio", "wasmtime", "reqwest", "axum"],
        because: "it is compiled before anything else can be",
    },
];
