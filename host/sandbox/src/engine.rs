//! One wasmtime engine per process: what code is made of, where it runs, and what interrupts it.
//!
//! Invariant: compiler child and runner share [`codegen`], so an artefact of the one always fits the other.

use std::hash::{Hash as _, Hasher};
use std::num::NonZeroUsize;

use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, Engine, Inlining, InstanceAllocationStrategy, ModuleVersionStrategy, OptLevel,
    PoolingAllocationConfig, Strategy, WasmBacktraceDetails,
};

use crate::SandboxError;

/// The full version: wasmtime itself embeds only `48`, and an artefact of a miscompiling release must not outlive it.
const ARTEFACT_VERSION: &str = concat!("wasmtime =48.0.8, sandbell ", env!("CARGO_PKG_VERSION"));

const MIB: usize = 1 << 20;

/// Largest memory that any approval can give; the limiter of each attempt stays below it.
pub(crate) const MEMORY_BYTES_MAX: usize = 256 * MIB;
/// Core instances, memories and tables of one component (`reference/security.md` §3.2).
pub(crate) const CORE_INSTANCES_MAX: u32 = 32;
pub(crate) const MEMORIES_MAX: u32 = 4;
pub(crate) const TABLES_MAX: u32 = 16;
/// Elements of one table.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Frames of a trap's backtrace.
const FRAMES_MAX: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not 0");

/// What an artefact depends on: the same for the child that compiles and the process that runs.
///
/// Sources are `reference/security.md` §§3.2, 3.3 and, for `concurrency_support`, `reference/performance.md`. SIMD stays
/// on: interpreters of other languages need it.
fn codegen() -> Result<Config, wasmtime::Error> {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .compiler_inlining(Inlining::No)
        .epoch_interruption(true)
        .consume_fuel(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 * MIB)
        .async_stack_zeroing(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(Some(FRAMES_MAX))
        .signals_based_traps(true)
        .memory_init_cow(true)
        // No larger than the largest memory, so that every access is checked and masked against Spectre.
        .memory_reservation(MEMORY_BYTES_MAX as u64)
        .memory_guard_size(32 << 20)
        .guard_before_linear_memory(true)
        .memory_may_move(false)
        .module_version(ModuleVersionStrategy::Custom(ARTEFACT_VERSION.to_owned()))?
        .concurrency_support(false)
        .gc_support(false)
        .shared_memory(false);
    config
        .wasm_component_model(true)
        .wasm_bulk_memory(true)
        .wasm_reference_types(true)
        .wasm_multi_value(true)
        .wasm_extended_const(true)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_function_references(false)
        .wasm_gc(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .wasm_shared_everything_threads(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_stack_switching(false)
        .wasm_branch_hinting(false);
    Ok(config)
}

/// The engine of the compiler child: it only compiles, under a limit of address space that no pool fits in.
pub(crate) fn for_compiling() -> Result<Engine, SandboxError> {
    let mut config = codegen().map_err(|error| SandboxError::engine(&error))?;
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config).map_err(|error| SandboxError::engine(&error))
}

/// The engine that runs `instances_max` components at once.
///
/// Pooling reserves address space for all of them in advance. Where that is refused (a container with a limit of its
/// own) memory is mapped on demand: slower by some 80 µs an attempt, otherwise the same.
pub(crate) fn for_running(instances_max: u32) -> Result<Engine, SandboxError> {
    let mut config = codegen().map_err(|error| SandboxError::engine(&error))?;
    config.allocation_strategy(pool(instances_max));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::info!(
                error = %error,
                "The address space is too small for a pool of {instances_max} instances; memory is mapped on demand"
            );
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Engine::new(&config).map_err(|error| SandboxError::engine(&error))
        }
    }
}

/// Slots are clean before reuse either way. With `PAGEMAP_SCAN` (Linux 6.7) only the pages that a guest touched are
/// reset by copying, which costs a few microseconds; without it, copying whole memories would cost more than giving
/// the pages back to the kernel, so little is kept.
fn pool(instances_max: u32) -> InstanceAllocationStrategy {
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let (memory, table, stack) =
        if scan { (4 * MIB, 64 << 10, 32 << 10) } else { (64 << 10, 4 << 10, 16 << 10) };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances_max)
        .total_stacks(instances_max)
        .total_core_instances(instances_max.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(instances_max.saturating_mul(MEMORIES_MAX))
        .total_tables(instances_max.saturating_mul(TABLES_MAX))
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memories_per_module(1)
        .max_tables_per_module(4)
        .max_memory_size(MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_core_instance_size(MIB)
        .max_component_instance_size(MIB)
        .linear_memory_keep_resident(memory)
        .table_keep_resident(table)
        .async_stack_keep_resident(stack)
        .max_unused_warm_slots(instances_max.min(64))
        .decommit_batch_size(1)
        .pagemap_scan(if scan { Enabled::Yes } else { Enabled::No });
    InstanceAllocationStrategy::Pooling(pool)
}

/// What an artefact was made with: version, target, flags. 64 hexadecimal digits, the same in every process.
pub(crate) fn compatibility(engine: &Engine) -> String {
    struct Stable(Sha256);
    impl Hasher for Stable {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0 // Nobody asks: the digest is taken instead.
        }
    }
    let mut hasher = Stable(Sha256::new());
    ARTEFACT_VERSION.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    sandbell_domain::Digest::of(&hasher.0.finalize()).hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_child_compiles_fits_the_runner() {
        let runner = for_running(4).unwrap();
        assert_eq!(compatibility(&for_compiling().unwrap()), compatibility(&runner));
        assert_eq!(compatibility(&runner).len(), 64);
    }

    #[test]
    fn the_version_of_artefacts_is_that_of_the_engine() {
        let manifest = include_str!("../../../Cargo.toml");
        let pinned = manifest
            .split("wasmtime = { version = \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap();
        assert!(ARTEFACT_VERSION.contains(&format!("wasmtime {pinned},")), "{pinned}");
    }

    #[test]
    fn a_pool_that_does_not_fit_is_replaced() {
        // 4 × 16 million memories of 288 MiB exceed 47 bits of addresses.
        for_running(16 << 20).unwrap();
    }
}
