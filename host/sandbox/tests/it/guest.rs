//! Small components made of WebAssembly text: a plugin that works, and changes to it.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const CONTRACT: &str = include_str!("../../../../wit/channel.wit");

/// What the tests use of WASI, and one interface that no host has.
const OTHERS: &str = r"
package test:guests;

package wasi:io@0.2.6 {
    interface poll { resource pollable { block: func(); ready: func() -> bool; } }
    interface error { resource error; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
        }
    }
}
package wasi:cli@0.2.6 {
    interface exit { exit: func(status: result); }
    interface stderr { use wasi:io/streams@0.2.6.{output-stream}; get-stderr: func() -> output-stream; }
    interface environment { get-environment: func() -> list<tuple<string, string>>; }
    interface run { run: func() -> result; }
}
package wasi:clocks@0.2.6 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }
}
package wasi:random@0.2.6 { interface random { get-random-bytes: func(len: u64) -> list<u8>; } }
package wasi:sockets@0.2.6 {
    interface network { enum error-code { unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use, remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large, name-unresolvable, temporary-resolver-failure, permanent-resolver-failure } enum ip-address-family { ipv4, ipv6 } }
    interface tcp { resource tcp-socket; }
    interface tcp-create-socket {
        use network.{error-code, ip-address-family};
        use tcp.{tcp-socket};
        create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
    }
}
package wasi:http@0.2.6 { interface types { resource fields { constructor(); } } }
package wasi:keyvalue@0.2.0 { interface store { open: func(); } }

world guest {
    include sandbell:channel/channel@0.1.0;
    import wasi:cli/exit@0.2.6;
    import wasi:cli/stderr@0.2.6;
    import wasi:cli/environment@0.2.6;
    import wasi:io/streams@0.2.6;
    import wasi:io/poll@0.2.6;
    import wasi:clocks/monotonic-clock@0.2.6;
    import wasi:random/random@0.2.6;
    import wasi:sockets/tcp-create-socket@0.2.6;
    import wasi:http/types@0.2.6;
    import wasi:keyvalue/store@0.2.0;
}
world other { export wasi:cli/run@0.2.6; }
";

/// Where the data begins, and where the guest's own allocations do.
const DATA: usize = 1024;
const HEAP: usize = 128 << 10;

/// A guest to be: function bodies and module fields in WebAssembly text.
pub(crate) struct Guest {
    pub(crate) imports: String,
    pub(crate) fields: String,
    pub(crate) memory: String,
    pub(crate) get_info: String,
    pub(crate) set_config: String,
    pub(crate) send: String,
    pub(crate) info: Info,
}

/// What `get-info` answers.
pub(crate) struct Info {
    pub(crate) name: String,
    pub(crate) wants: Vec<(&'static str, &'static str)>,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            imports: String::new(),
            fields: String::new(),
            memory: "(memory (export \"memory\") 4)".to_owned(),
            get_info: "(global.get $info)".to_owned(),
            // A result that is `ok`, and one whose receipt is empty, are zeroes.
            set_config: "(i32.const 0)".to_owned(),
            send: "(i32.const 0)".to_owned(),
            info: Info { name: "Guest".to_owned(), wants: Vec::new() },
        }
    }
}

impl Guest {
    pub(crate) fn sending(send: &str) -> Self {
        Self { send: send.to_owned(), ..Self::default() }
    }

    /// Adds an import by interface and name; call it by `$` and its name.
    pub(crate) fn import(mut self, interface: &str, name: &str, kind: &str) -> Self {
        let id = name.rsplit(['.', ']']).next().unwrap_or(name);
        writeln!(self.imports, r#"(import "{interface}" "{name}" (func ${id} {kind}))"#).unwrap();
        self
    }

    /// Calls an import in a function of its own, so that the linker keeps it.
    pub(crate) fn calling(mut self, import: &str, parameters: usize) -> Self {
        let zeroes = "(i32.const 0) ".repeat(parameters);
        writeln!(self.fields, "(func $uses-{import} (call ${import} {zeroes}))").unwrap();
        self
    }

    pub(crate) fn module(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn text(&self) -> String {
        let (data, info) = self.info.lay_out();
        let data: String = data.iter().fold(String::new(), |mut text, byte| {
            write!(text, "\\{byte:02x}").unwrap();
            text
        });
        let Self { imports, fields, memory, get_info, set_config, send, info: _ } = self;
        format!(
            r#"(module
                {imports}
                {memory}
                (global $info i32 (i32.const {info}))
                (global $heap (mut i32) (i32.const {HEAP}))
                (data (i32.const {DATA}) "{data}")
                (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
                    (global.set $heap (i32.and
                        (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                        (i32.sub (i32.const 0) (local.get $align))))
                    (global.get $heap)
                    (global.set $heap (i32.add (global.get $heap) (local.get $new))))
                (func (export "sandbell:channel/plugin@0.1.0#get-info") (result i32) {get_info})
                (func (export "sandbell:channel/plugin@0.1.0#set-config") (param i32 i32) (result i32) {set_config})
                (func (export "sandbell:channel/plugin@0.1.0#send-notification") (param i32) (result i32) {send})
                {fields})"#
        )
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        component(self.module(), CONTRACT, "guest")
    }

    /// Built against a contract in which `from` reads `to`.
    pub(crate) fn build_against(&self, from: &str, to: &str) -> Vec<u8> {
        assert!(CONTRACT.contains(from), "the contract has no `{from}`");
        component(self.module(), &CONTRACT.replace(from, to), "guest")
    }
}

/// A plugin built for another version of the contract.
pub(crate) fn of_version(version: &str) -> Vec<u8> {
    let changed = |text: &str| text.replace("sandbell:channel@0.1.0", &format!("sandbell:channel@{version}"));
    let contract = changed(CONTRACT).replace("version = 0.1.0", &format!("version = {version}"));
    let others = OTHERS.replace("channel/channel@0.1.0", &format!("channel/channel@{version}"));
    let module = Guest::default().text().replace("plugin@0.1.0", &format!("plugin@{version}"));
    encode(wat::parse_str(module).unwrap(), &contract, &others, "guest")
}

/// A component that is no channel.
pub(crate) fn command() -> Vec<u8> {
    let module = r#"(module (memory (export "memory") 1) (func (export "wasi:cli/run@0.2.6#run") (result i32) (i32.const 0)))"#;
    component(wat::parse_str(module).unwrap(), CONTRACT, "other")
}

fn component(module: Vec<u8>, contract: &str, world: &str) -> Vec<u8> {
    encode(module, contract, OTHERS, world)
}

fn encode(mut module: Vec<u8>, contract: &str, others: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_str("channel.wit", contract).unwrap();
    let guests = resolve.push_str("guests.wit", others).unwrap();
    let world = resolve.select_world(&[guests], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(false).encode().unwrap()
}

impl Info {
    /// Bytes from [`DATA`] on, and the address of the info in them.
    fn lay_out(&self) -> (Vec<u8>, usize) {
        let mut data = Vec::new();
        let mut text = |text: &str| {
            let at = DATA + data.len();
            data.extend_from_slice(text.as_bytes());
            pair(at, text.len())
        };
        let head = [text(&self.name), text("1.0.0"), text("Tests")].concat();
        let wants: Vec<u8> = self
            .wants
            .iter()
            .flat_map(|(capability, target)| [text(capability), text(target), text("To test.")].concat())
            .collect();
        align(&mut data);
        let wants_at = DATA + data.len();
        data.extend_from_slice(&wants);
        align(&mut data);
        let info = DATA + data.len();
        data.extend_from_slice(&head);
        data.extend_from_slice(
            &[pair(8, 0), pair(8, 0), pair(wants_at, self.wants.len()), pair(8, 0)].concat(),
        );
        (data, info)
    }
}

fn pair(at: usize, length: usize) -> Vec<u8> {
    [at, length].iter().flat_map(|number| u32::try_from(*number).unwrap().to_le_bytes()).collect()
}

fn align(data: &mut Vec<u8>) {
    data.resize(data.len().next_multiple_of(8), 0);
}
