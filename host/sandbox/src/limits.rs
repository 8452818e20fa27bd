//! What a store may use: memory summed over all of its memories, table elements, instances.

use wasmtime::ResourceLimiter;

use crate::engine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLES_MAX};

/// Sums over all memories and tables of a store; wasmtime's own limiter counts each alone
/// (`reference/security.md` §1.4 M1). A growth that was allowed and then failed still counts: wasmtime reports failures
/// that it never asked about, so giving back would let a guest count down.
#[derive(Debug)]
pub(crate) struct MemoryLimits {
    memory_bytes_max: usize,
    memory_bytes: usize,
    memory_bytes_peak: usize,
    table_elements_max: usize,
    table_elements: usize,
    refused: Option<Refused>,
}

/// What the guest asked for and did not get; it tells why the guest gave up soon after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Memory { bytes: usize },
    Table { elements: usize },
}

impl MemoryLimits {
    pub(crate) fn new(memory_bytes_max: usize, table_elements_max: usize) -> Self {
        Self {
            memory_bytes_max,
            memory_bytes: 0,
            memory_bytes_peak: 0,
            table_elements_max,
            table_elements: 0,
            refused: None,
        }
    }

    pub(crate) fn peak_bytes(&self) -> usize {
        self.memory_bytes_peak
    }

    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
    }
}

impl ResourceLimiter for MemoryLimits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = desired.saturating_sub(current);
        let total = self.memory_bytes.saturating_add(grown);
        if total > self.memory_bytes_max {
            self.refused = Some(Refused::Memory { bytes: total });
            return Ok(false);
        }
        self.memory_bytes = total;
        self.memory_bytes_peak = self.memory_bytes_peak.max(total);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = desired.saturating_sub(current);
        let total = self.table_elements.saturating_add(grown);
        if total > self.table_elements_max {
            self.refused = Some(Refused::Table { elements: total });
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_summed() {
        let mut limits = MemoryLimits::new(100, 10);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(!limits.memory_growing(0, 41, None).unwrap());
        assert_eq!(limits.refused(), Some(Refused::Memory { bytes: 101 }));
        assert!(limits.memory_growing(0, 40, None).unwrap());
        assert_eq!(limits.peak_bytes(), 100);
        assert!(!limits.memory_growing(40, usize::MAX, None).unwrap());
    }

    #[test]
    fn tables_are_summed() {
        let mut limits = MemoryLimits::new(100, 10);
        assert!(limits.table_growing(0, 10, None).unwrap());
        assert!(!limits.table_growing(0, 1, None).unwrap());
        assert_eq!(limits.refused(), Some(Refused::Table { elements: 11 }));
    }
}
