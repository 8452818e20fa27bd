//! A checked, compiled component: what it exports is the contract, what it imports this host has.

use std::sync::Arc;

use sandbell_domain::{Capability, Digest, PluginInfo};
use wasmtime::Engine;
use wasmtime::component::types::{self, ComponentItem};
use wasmtime::component::{Component, HasSelf, Linker};

use crate::error::{WORLD, foreign, reason};
use crate::state::State;
use crate::{InspectError, wasi, wit};

const PACKAGE: &str = "sandbell:channel/";
const PLUGIN: &str = "sandbell:channel/plugin";
/// Versions of the contract that are served: `0.1` and any patch of it.
const SERVED: &str = "0.1.";

/// A checked, compiled component.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    digest: Digest,
    size_bytes: usize,
    imports: Vec<String>,
    exports: Vec<String>,
    bindings: wit::BindingsPre<State>,
}

/// What can be told of a component without granting it anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    pub digest: Digest,
    pub size_bytes: usize,
    /// `sandbell:channel@0.1.0`.
    pub world: String,
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub info: PluginInfo,
}

/// Everything that a component may import, ready to be joined with one.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker)?;
    wit::types::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wit::log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wit::http::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wit::smtp::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wit::amqp::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wit::mqtt::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl Plugin {
    /// Checks exports, then imports, then the types of both. No guest code runs.
    pub(crate) fn link(
        linker: &Linker<State>,
        component: &Component,
        digest: Digest,
        size_bytes: usize,
    ) -> Result<Self, InspectError> {
        let engine = linker.engine();
        let kind = component.component_type();
        let exports: Vec<String> = kind.exports(engine).map(|(name, _)| name.to_owned()).collect();
        let imports: Vec<String> = kind.imports(engine).map(|(name, _)| name.to_owned()).collect();
        check_world(&exports, &imports)?;
        let mut linker = linker.clone();
        wasi::link_http_refusals(&mut linker, component).map_err(|error| bug(&error))?;
        for (name, import) in kind.imports(engine) {
            check_import(name, &import.ty)?;
        }
        let pre = linker.instantiate_pre(component).map_err(|error| import_type(&imports, &error))?;
        check_exports(&kind, engine)?;
        let bindings = wit::BindingsPre::new(pre).map_err(|error| export_type(PLUGIN, reason(&error)))?;
        let shown = |names: Vec<String>| names.iter().map(|name| foreign(name)).collect();
        let (imports, exports) = (shown(imports), shown(exports));
        Ok(Self(Arc::new(Inner { digest, size_bytes, imports, exports, bindings })))
    }

    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.0.bindings.engine()
    }

    pub(crate) fn bindings(&self) -> &wit::BindingsPre<State> {
        &self.0.bindings
    }

    /// Whether the component imports the interface of a capability.
    pub(crate) fn imports(&self, capability: Capability) -> bool {
        self.import_of(capability).is_some()
    }

    fn import_of(&self, capability: Capability) -> Option<&String> {
        self.0.imports.iter().find(|import| {
            let interface = import.strip_prefix(PACKAGE).and_then(|rest| rest.split('@').next());
            interface == Some(capability.as_str())
        })
    }

    /// Joins the info to what is known of the component: an import that no want explains is refused.
    pub(crate) fn inspected(&self, info: PluginInfo) -> Result<Inspected, InspectError> {
        for capability in Capability::ALL {
            if let Some(import) = self.import_of(capability)
                && !info.wants.iter().any(|want| want.capability == capability)
            {
                let capability = capability.as_str().to_owned();
                return Err(InspectError::ImportBeyondWants { import: import.clone(), capability });
            }
        }
        let Inner { digest, size_bytes, imports, exports, bindings: _ } = &*self.0;
        Ok(Inspected {
            digest: *digest,
            size_bytes: *size_bytes,
            world: WORLD.to_owned(),
            imports: imports.clone(),
            exports: exports.clone(),
            info,
        })
    }
}

/// The version of the contract comes first: with another one, everything else would be reported as missing.
fn check_world(exports: &[String], imports: &[String]) -> Result<(), InspectError> {
    for name in exports.iter().chain(imports) {
        let version =
            name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@')).map(|(_, version)| version);
        if let Some(version) = version
            && !version.starts_with(SERVED)
        {
            return Err(InspectError::WrongWorld { found: format!("sandbell:channel@{}", foreign(version)) });
        }
    }
    let is_plugin = |name: &String| name.strip_prefix(PLUGIN).is_some_and(|rest| rest.starts_with('@'));
    if exports.iter().any(is_plugin) { Ok(()) } else { Err(InspectError::NoPlugin) }
}

/// The contract's functions, one by one: wasmtime itself would look only when an instance is made.
fn check_exports(kind: &types::Component, engine: &Engine) -> Result<(), InspectError> {
    type Settings<'a> = (&'a [wit::plugin::Setting],);
    type Configured = (Result<(), wit::plugin::ConfigError>,);
    type Notification<'a> = (&'a wit::plugin::Notification,);
    type Sent = (Result<wit::plugin::Receipt, wit::plugin::SendError>,);
    let plugin = kind.exports(engine).find(|(name, _)| name.starts_with(PLUGIN)).map(|(_, export)| export.ty);
    let Some(ComponentItem::ComponentInstance(plugin)) = plugin else {
        return Err(export_type(PLUGIN, "it is no interface".to_owned()));
    };
    let context = kind.instance_type();
    let function = |name: &str| match plugin.get_export(engine, name).map(|export| export.ty) {
        Some(ComponentItem::ComponentFunc(function)) => Ok(function),
        _ => Err(export_type(name, "it is missing".to_owned())),
    };
    let check = |name: &str, checked: wasmtime::Result<()>| {
        checked.map_err(|error| export_type(name, reason(&error)))
    };
    check("get-info", function("get-info")?.typecheck::<(), (wit::plugin::Info,)>(&context))?;
    check("set-config", function("set-config")?.typecheck::<Settings<'_>, Configured>(&context))?;
    check("send-notification", function("send-notification")?.typecheck::<Notification<'_>, Sent>(&context))
}

fn export_type(name: &str, reason: String) -> InspectError {
    InspectError::ExportType { name: name.to_owned(), reason }
}

/// An import is an interface that the linker has; wasmtime's message would not say what to do instead.
fn check_import(name: &str, import: &ComponentItem) -> Result<(), InspectError> {
    let is_known = matches!(import, ComponentItem::ComponentInstance(_)) && is_offered(name);
    if is_known || !matters(import) {
        return Ok(());
    }
    Err(InspectError::UnknownImport { name: foreign(name), advice: advice(name).to_owned() })
}

/// Types are structural: an interface of types alone asks nothing of the host.
fn matters(import: &ComponentItem) -> bool {
    !matches!(import, ComponentItem::Type(_))
}

/// The interfaces of [`linker`], by any version of theirs that fits; `instantiate_pre` has the last word.
fn is_offered(name: &str) -> bool {
    const INTERFACES: [&str; 33] = [
        "sandbell:channel/types",
        "sandbell:channel/log",
        "sandbell:channel/http",
        "sandbell:channel/smtp",
        "sandbell:channel/amqp",
        "sandbell:channel/mqtt",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/stderr",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:cli/terminal-stderr",
        "wasi:clocks/wall-clock",
        "wasi:clocks/monotonic-clock",
        "wasi:random/random",
        "wasi:random/insecure",
        "wasi:random/insecure-seed",
        "wasi:filesystem/types",
        "wasi:filesystem/preopens",
        "wasi:sockets/network",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/tcp",
        "wasi:sockets/tcp-create-socket",
        "wasi:sockets/udp",
        "wasi:sockets/udp-create-socket",
    ];
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let is_served = if interface.starts_with("wasi:") {
        version.starts_with("0.2.")
    } else {
        version.starts_with(SERVED)
    };
    is_served && (INTERFACES.contains(&interface) || interface.starts_with("wasi:http/"))
}

fn advice(name: &str) -> &'static str {
    if name.starts_with("sandbell:channel/") {
        "update the host, or build the component for an older contract"
    } else if name.starts_with("wasi:") && name.contains("@0.3") {
        "build it for WASI 0.2, e.g. `cargo build --target wasm32-wasip2`"
    } else if name.starts_with("wasi:") {
        "a channel gets none of it: use `sandbell:channel/http` or `smtp`, and log through `sandbell:channel/log`"
    } else {
        "link it into the component, or drop it"
    }
}

/// The import to blame is the one that the error names; its text is only the reason.
fn import_type(imports: &[String], error: &wasmtime::Error) -> InspectError {
    let text = error.to_string();
    let name = imports.iter().find(|name| text.contains(&format!("`{name}`"))).map_or("?", String::as_str);
    // The first cause only says that something does not fit.
    let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
    InspectError::ImportType { name: foreign(name), reason: foreign(&causes.join(": ")) }
}

fn bug(error: &wasmtime::Error) -> InspectError {
    InspectError::HostBug { reason: reason(error) }
}
