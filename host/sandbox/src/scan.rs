//! What can be told of a file before it is compiled: that it is a valid component, and not too much of anything.
//!
//! It runs in the compiler child, because validating costs time that a file can choose. wasmparser's own limits are
//! far larger than these; the numbers are those of `reference/security.md` §3.6.

use wasmparser::{BinaryReaderError, Encoding, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use crate::InspectError;
use crate::error::{COMPONENT_BYTES_MAX, foreign};

const MODULES_MAX: usize = 32;
const COMPONENTS_MAX: usize = 64;
const INSTANCES_MAX: usize = 256;
const FUNCTIONS_MAX: usize = 50_000;
const BODY_BYTES_MAX: usize = 1 << 20;
const LOCALS_MAX: usize = 5_000;
const TYPES_MAX: usize = 20_000;
const IMPORTS_AND_EXPORTS_MAX: usize = 10_000;
const DATA_SEGMENTS_MAX: usize = 10_000;
const CUSTOM_BYTES_MAX: usize = 8 << 20;

/// The features that [`crate::engine`] leaves on, in wasmparser's words.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::COMPONENT_MODEL
}

/// The checks that cost nothing: size and the first eight bytes.
pub(crate) fn header(bytes: &[u8]) -> Result<(), InspectError> {
    if bytes.is_empty() {
        return Err(InspectError::Empty);
    }
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(InspectError::TooLarge { bytes: bytes.len() });
    }
    let Some(rest) = bytes.strip_prefix(b"\0asm") else {
        return Err(InspectError::NotWasm { found: kind_of(bytes).to_owned() });
    };
    match rest.first_chunk::<4>() {
        None => {
            Err(InspectError::Invalid { offset: bytes.len(), reason: "the header is cut off".to_owned() })
        }
        Some([0x0d, 0, 1, 0]) => Ok(()),
        Some([1, 0, 0, 0]) => Err(InspectError::CoreModule),
        Some(version) => Err(InspectError::UnknownVersion { version: u32::from_le_bytes(*version) }),
    }
}

/// What a file that is no WebAssembly looks like, so that the operator sees the mistake.
fn kind_of(bytes: &[u8]) -> &'static str {
    const SIGNS: [(&[u8], &str); 10] = [
        (b"\x7fELF", "an ELF program or a precompiled artefact"),
        (b"MZ", "a Windows program"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"\xfd7zXZ\0", "an xz archive"),
        (b"BZh", "a bzip2 archive"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a PNG image"),
        (b"#!", "a script"),
    ];
    if let Some((_, kind)) = SIGNS.iter().find(|(sign, _)| bytes.starts_with(sign)) {
        return kind;
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return "a tar archive";
    }
    let head = &bytes[..bytes.len().min(512)];
    let text = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return "an HTML page";
    }
    if text.starts_with("(component") || text.starts_with("(module") || text.starts_with(";;") {
        return "WebAssembly text";
    }
    if text.starts_with('{') {
        return "a JSON document";
    }
    if !head.contains(&0)
        && head.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count() * 10
            >= head.len() * 9
    {
        return "a text file";
    }
    "a file of an unknown kind"
}

/// Validates the whole file and counts.
pub(crate) fn check(bytes: &[u8]) -> Result<(), InspectError> {
    header(bytes)?;
    let mut counts = Counts::default();
    let mut validator = Validator::new_with_features(features());
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| invalid(&error))?;
        counts.count(&payload)?;
        if let ValidPayload::Func(function, body) =
            validator.payload(&payload).map_err(|error| invalid(&error))?
        {
            let mut function = function.into_validator(allocations);
            function.validate(&body).map_err(|error| invalid(&error))?;
            allocations = function.into_allocations();
        }
    }
    Ok(())
}

fn invalid(error: &BinaryReaderError) -> InspectError {
    InspectError::Invalid { offset: error.offset(), reason: foreign(error.message()) }
}

#[derive(Default)]
struct Counts {
    modules: usize,
    components: usize,
    instances: usize,
    functions: usize,
    types: usize,
    imports_and_exports: usize,
    data_segments: usize,
    custom_bytes: usize,
}

impl Counts {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other sections are small, or are counted by what is in them"
    )]
    fn count(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                add(&mut self.modules, 1, MODULES_MAX, "core modules")
            }
            Payload::Version { encoding: Encoding::Component, .. } => {
                add(&mut self.components, 1, COMPONENTS_MAX, "nested components")
            }
            Payload::InstanceSection(reader) => self.instances(reader.count()),
            Payload::ComponentInstanceSection(reader) => self.instances(reader.count()),
            Payload::FunctionSection(reader) => {
                add(&mut self.functions, size(reader.count()), FUNCTIONS_MAX, "functions")
            }
            Payload::TypeSection(reader) => self.types(reader.count()),
            Payload::CoreTypeSection(reader) => self.types(reader.count()),
            Payload::ComponentTypeSection(reader) => self.types(reader.count()),
            Payload::ImportSection(reader) => self.names(reader.count()),
            Payload::ExportSection(reader) => self.names(reader.count()),
            Payload::ComponentImportSection(reader) => self.names(reader.count()),
            Payload::ComponentExportSection(reader) => self.names(reader.count()),
            Payload::DataSection(reader) => {
                add(&mut self.data_segments, size(reader.count()), DATA_SEGMENTS_MAX, "data segments")
            }
            Payload::CustomSection(reader) => {
                add(&mut self.custom_bytes, reader.data().len(), CUSTOM_BYTES_MAX, "bytes of custom sections")
            }
            Payload::CodeSectionEntry(body) => {
                add(&mut 0, body.range().len(), BODY_BYTES_MAX, "bytes in one function")?;
                let mut locals = 0;
                for local in body.get_locals_reader().map_err(|error| invalid(&error))? {
                    let (count, _) = local.map_err(|error| invalid(&error))?;
                    add(&mut locals, size(count), LOCALS_MAX, "locals in one function")?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn instances(&mut self, count: u32) -> Result<(), InspectError> {
        add(&mut self.instances, size(count), INSTANCES_MAX, "instances")
    }

    fn types(&mut self, count: u32) -> Result<(), InspectError> {
        add(&mut self.types, size(count), TYPES_MAX, "types")
    }

    fn names(&mut self, count: u32) -> Result<(), InspectError> {
        add(&mut self.imports_and_exports, size(count), IMPORTS_AND_EXPORTS_MAX, "imports and exports")
    }
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn add(sum: &mut usize, count: usize, max: usize, what: &str) -> Result<(), InspectError> {
    *sum = sum.saturating_add(count);
    if *sum > max {
        return Err(InspectError::TooMany { what: what.to_owned(), found: *sum, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        check(bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_component_is_named() {
        let check = |bytes: &[u8], want: &str| {
            assert_eq!(
                refusal(bytes),
                format!(
                    "the file is {want}, not a WebAssembly component; write the path of a component, e.g. `slack.wasm`"
                )
            );
        };
        check(b"\x7fELF\x02\x01\x01", "an ELF program or a precompiled artefact");
        check(b"MZ\x90\0", "a Windows program");
        check(b"PK\x03\x04rest", "a zip archive");
        check(b"\x1f\x8b\x08", "a gzip archive");
        check(b"\n<!DOCTYPE html><html>404", "an HTML page");
        check(b"(component)", "WebAssembly text");
        check(b"{\"error\": 1}", "a JSON document");
        check(b"#!/bin/sh\n", "a script");
        check(b"not found\n", "a text file");
        check(b"\0\x01\x02\x03", "a file of an unknown kind");
    }

    #[test]
    fn the_header_says_what_it_is() {
        insta::assert_snapshot!(refusal(b""), @"the file is empty; write the path of a component, e.g. `slack.wasm`");
        insta::assert_snapshot!(refusal(b"\0asm"), @"the file ends too early or is damaged at byte 4: the header is cut off; fetch or build it anew");
        insta::assert_snapshot!(refusal(b"\0asm\x01\0\0\0"), @"this is a core module; build it as a component, e.g. `cargo build --target wasm32-wasip2`");
        insta::assert_snapshot!(refusal(b"\0asm\x0e\0\x01\0"), @"the WebAssembly header has an unknown version (0x1000e); build a component of the current binary format");
        insta::assert_snapshot!(refusal(&vec![0; COMPONENT_BYTES_MAX + 1]), @"the file has 16777217 bytes; a component may have at most 16777216");
    }

    #[test]
    fn too_much_of_anything_is_refused_before_it_is_compiled() {
        let component = |core: &str| wat::parse_str(format!("(component (core module {core}))")).unwrap();
        insta::assert_snapshot!(refusal(&component(&"(func)".repeat(50_001))), @"the component has 50001 functions; at most 50000 are allowed");
        insta::assert_snapshot!(refusal(&component(&format!("(func {})", "(local i32)".repeat(5_001)))), @"the component has 5001 locals in one function; at most 5000 are allowed");
        insta::assert_snapshot!(refusal(&component(&format!("(func {})", "nop ".repeat(1 << 20)))), @"the component has 1048578 bytes in one function; at most 1048576 are allowed");
        let modules = wat::parse_str(format!("(component {})", "(core module)".repeat(33))).unwrap();
        insta::assert_snapshot!(refusal(&modules), @"the component has 33 core modules; at most 32 are allowed");
    }

    #[test]
    fn proposals_that_are_off_are_invalid() {
        let component = |core: &str| wat::parse_str(format!("(component (core module {core}))")).unwrap();
        for (core, want) in [
            ("(memory i64 1)", "memory64"),
            ("(memory 1 1 shared)", "threads"),
            ("(memory 1) (memory 1)", "multiple memories"),
            ("(tag)", "exceptions"),
            ("(type (struct))", "gc"),
        ] {
            let refusal = refusal(&component(core));
            assert!(refusal.contains(want), "{core}: {refusal}");
        }
    }

    #[test]
    fn a_component_cut_or_changed_at_any_byte_panics_nothing() {
        let whole = wat::parse_str(
            r#"(component (core module $m (memory (export "m") 1) (func (export "f") (result i32) i32.const 1))
               (core instance $i (instantiate $m)) (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
        )
        .unwrap();
        check(&whole).unwrap();
        let mut refused = 0;
        for length in 0..whole.len() {
            // A cut between two sections leaves a shorter component that is valid.
            refused += usize::from(check(&whole[..length]).is_err());
        }
        assert!(refused > whole.len() * 9 / 10, "{refused} of {}", whole.len());
        for index in 0..whole.len() {
            for bits in [1, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[index] ^= bits;
                let _ = check(&changed);
            }
        }
    }
}
