//! What a run will take: memory and disk from its shapes, time from the kernel's rate on this machine just now.

use std::time::Instant;

use attractor::execution::Execution;
use attractor::kernels::{Lanes, Tables, signed_product};
use attractor::{Error, Result};
use serde::Serialize;
use sysinfo::System;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Estimate {
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub seconds: f64,
}

impl Estimate {
    /// For `work` signed multiply-adds.
    pub fn new(memory_bytes: f64, disk_bytes: f64, work: f64, execution: &Execution) -> Self {
        let rate = rate_per_thread(execution) * execution.n_threads() as f64;
        Self { memory_bytes: memory_bytes as u64, disk_bytes: disk_bytes as u64, seconds: work / rate }
    }

    /// Refuses a run that takes more memory than the machine, or the job's share of it, has at all; notes one that takes
    /// more than is free now.
    ///
    /// # Errors
    /// Says both amounts.
    pub fn check_memory(&self, execution: &Execution) -> Result<()> {
        // A system that does not tell its memory is no reason to stop.
        let Ok(mut system) = System::new() else { return Ok(()) };
        system.refresh_memory();
        let mut total = system.total_memory() + system.total_swap();
        let mut free = system.available_memory() + system.free_swap();
        if let Some(limits) = system.cgroup_limits() {
            total = total.min(limits.total_memory + system.total_swap());
            free = free.min(limits.free_memory + limits.free_swap);
        }
        if self.memory_bytes > total {
            let expected = format!("about {} for this run", bytes(self.memory_bytes));
            return Err(Error::shape("memory", expected, format!("{} in all", bytes(total))));
        }
        if self.memory_bytes > free {
            execution.progress().note(&format!(
                "note: this run takes about {} of memory, and {} are free",
                bytes(self.memory_bytes),
                bytes(free)
            ));
        }
        Ok(())
    }

    pub fn text(&self) -> String {
        format!(
            "about {} of memory, {} on disk, {}",
            bytes(self.memory_bytes),
            bytes(self.disk_bytes),
            duration(self.seconds)
        )
    }
}

/// Signed multiply-adds a second of one thread, from a product of some milliseconds.
fn rate_per_thread(execution: &Execution) -> f64 {
    let (n_states, n_columns, repeats) = (2048, 1024, 4);
    let signs: Vec<u64> =
        (0..n_states * n_columns / 64).map(|x| (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let weights = vec![Lanes([1.0f32; 16]); n_columns];
    let mut products = vec![Lanes::ZERO; n_states];
    let mut tables = Tables::new();
    let begun = Instant::now();
    for _ in 0..repeats {
        signed_product(execution.isa(), &signs, n_states, &weights, &mut products, &mut tables);
    }
    (repeats * n_states * n_columns * 16) as f64 / begun.elapsed().as_secs_f64()
}

pub fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..units.len() - 1).find(|&unit| bytes >> (10 * unit) < 1024).unwrap_or(units.len() - 1);
    let value = bytes as f64 / (1u64 << (10 * unit)) as f64;
    format!("{value:.*} {}", usize::from(unit > 0), units[unit])
}

pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.1} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
