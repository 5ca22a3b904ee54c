//! What a run will take: memory and disk from its shapes, time from the kernels' rates on this machine just now.

use std::path::Path;
use std::time::Instant;

use attractor::dynamics::MAX_REMEMBERED_BYTES;
use attractor::execution::{Execution, thread_pool};
use attractor::experiments::Cost;
use attractor::kernels::{Lanes, Tables, signed_product};
use attractor::potts::{
    PottsInitial, PottsPseudoLikelihood, PottsTrainer, potts_training_bytes, random_sequences,
    step_as_sequences,
};
use attractor::storage::folder_of;
use attractor::{Error, Result};
use serde::Serialize;

/// Bytes that drawing a figure of a panel or two takes, by measurement, whatever it shows.
pub const FIGURE_BYTES: f64 = 44.0 * 1024.0 * 1024.0;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Estimate {
    /// If everything is in memory.
    pub memory_bytes: u64,
    /// Of these, arrays that may be files.
    pub array_bytes: u64,
    /// Of these, what is taken only where it is left, for speed.
    pub optional_bytes: u64,
    /// Of outputs.
    pub disk_bytes: u64,
    pub seconds: f64,
}

impl Estimate {
    /// For `work` signed multiply-adds.
    pub fn new(memory_bytes: f64, disk_bytes: f64, work: f64, execution: &Execution) -> Self {
        let rate = rate_per_thread(execution) * execution.n_threads() as f64;
        Self::of(memory_bytes, disk_bytes, work / rate)
    }

    /// Of an experiment from its beginning.
    pub fn of_experiment(cost: Cost, execution: &Execution) -> Self {
        let memory_bytes = cost.memory_bytes - cost.array_bytes;
        let estimate = Self::new(memory_bytes, cost.disk_bytes, cost.work, execution);
        Self { optional_bytes: cost.optional_bytes as u64, ..estimate.with_arrays(cost.array_bytes) }
    }

    fn of(memory_bytes: f64, disk_bytes: f64, seconds: f64) -> Self {
        let (memory_bytes, disk_bytes) = (memory_bytes as u64, disk_bytes as u64);
        Self { memory_bytes, array_bytes: 0, optional_bytes: 0, disk_bytes, seconds }
    }

    /// The same where `array_bytes` more of memory may be files.
    #[must_use]
    pub fn with_arrays(self, array_bytes: f64) -> Self {
        let array_bytes = array_bytes as u64;
        Self { memory_bytes: self.memory_bytes.saturating_add(array_bytes), array_bytes, ..self }
    }

    /// The same with fields that dynamics remembers of so many states from step to step, where there is memory for them.
    #[must_use]
    pub fn with_remembered_fields(self, n_states: f64, n_spins: f64) -> Self {
        let bytes = 4.0 * n_states * n_spins;
        let optional_bytes = if bytes <= MAX_REMEMBERED_BYTES as f64 { bytes as u64 } else { 0 };
        Self { memory_bytes: self.memory_bytes.saturating_add(optional_bytes), optional_bytes, ..self }
    }

    /// For `lookups` of learning from sequences of q = `n_letters`: L^2 for each sequence and epoch.
    ///
    /// # Errors
    /// If memory or threads for a short training run are missing.
    pub fn of_lookups(
        memory_bytes: f64,
        disk_bytes: f64,
        lookups: f64,
        n_letters: usize,
        execution: &Execution,
    ) -> Result<Self> {
        let seconds = lookups * seconds_per_lookup(n_letters, execution)? / execution.n_threads() as f64;
        // To time a lookup takes memory too.
        let (n_sequences, n_columns) = TIMED;
        let timed =
            potts_training_bytes(n_columns, n_letters, false, 1) + (4 * n_sequences * n_columns) as f64;
        Ok(Self::of(memory_bytes.max(timed), disk_bytes, seconds))
    }

    /// Says what the run takes, and refuses one for which memory or the disk of its `output` have no room.
    ///
    /// # Errors
    /// Says the smallest budget that would do, or how much is needed and free.
    pub fn admit(&self, output: Option<&Path>, execution: &Execution) -> Result<()> {
        execution.progress().note(&format!("this run: {}", self.text(execution)));
        self.check(output, execution)
    }

    /// The same without a word.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn check(&self, output: Option<&Path>, execution: &Execution) -> Result<()> {
        self.check_memory(execution)?;
        match output {
            Some(output) => self.check_disk(folder_of(output), execution),
            None => Ok(()),
        }
    }

    /// Refuses a run that does not fit its memory with all arrays in files, and sets what cannot be files aside.
    ///
    /// # Errors
    /// Says the smallest budget that would do.
    fn check_memory(&self, execution: &Execution) -> Result<()> {
        let fixed = self.memory_bytes - self.array_bytes - self.optional_bytes;
        let budget = execution.memory().budget();
        if fixed > budget {
            let expected = format!("at least {} for this run", at_least_bytes(fixed));
            return Err(Error::parameter("memory", expected, at_most_bytes(budget)));
        }
        execution.memory().set_aside(fixed);
        Ok(())
    }

    /// Refuses a run whose files do not fit the disk of `folder`.
    ///
    /// # Errors
    /// Says how much is needed and how much is free.
    fn check_disk(&self, folder: &Path, execution: &Execution) -> Result<()> {
        let needed = self.bytes_on_disk(execution);
        // A system that does not tell is no reason to stop.
        let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if needed > free {
            let expected = format!("{} of free disk space for this run", at_least_bytes(needed));
            return Err(Error::format(folder, expected, at_most_bytes(free)));
        }
        Ok(())
    }

    fn bytes_on_disk(&self, execution: &Execution) -> u64 {
        let arrays = if self.is_out_of_core(execution) { self.array_bytes } else { 0 };
        self.disk_bytes.saturating_add(arrays)
    }

    /// Whether arrays become files under the budget of `execution`.
    pub fn is_out_of_core(&self, execution: &Execution) -> bool {
        self.array_bytes > 0 && self.memory_bytes - self.optional_bytes > execution.memory().budget()
    }

    /// In words, under the budget of `execution`.
    pub fn text(&self, execution: &Execution) -> String {
        let files = if self.is_out_of_core(execution) { self.array_bytes } else { 0 };
        let (memory, disk) = (self.memory_bytes - files, self.bytes_on_disk(execution));
        let has_room = memory <= execution.memory().budget();
        let memory = if has_room { memory } else { memory - self.optional_bytes };
        let where_arrays = match self.is_out_of_core(execution) {
            true => format!(" ({} of arrays in files)", bytes(self.array_bytes)),
            false => String::new(),
        };
        let time = duration(self.seconds);
        format!("about {} of memory, {} on disk{where_arrays}, {time}", bytes(memory), bytes(disk))
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

/// Sequences and columns by which a lookup is timed.
const TIMED: (usize, usize) = (1024, 64);

/// Seconds that one thread takes for a lookup of training, its share of softmax and pull included: the median of some epochs on
/// random sequences, of some hundredths of a second each.
fn seconds_per_lookup(n_letters: usize, execution: &Execution) -> Result<f64> {
    let (n_sequences, n_columns) = TIMED;
    let alone = Execution::new(thread_pool(1)?, execution.isa())?;
    let sequences = random_sequences(n_sequences, n_columns, n_letters, 0)?;
    let parameters = PottsPseudoLikelihood::new(1.0, 1.0 / n_columns as f64);
    let mut trainer = PottsTrainer::new(&sequences, parameters, &PottsInitial::Zero, 1.0, 0, &alone)?;
    let mut seconds = [0.0; 3];
    for (epoch, seconds) in (1..).zip(&mut seconds) {
        let begun = Instant::now();
        trainer.advance_to(epoch)?;
        *seconds = begun.elapsed().as_secs_f64();
    }
    seconds.sort_by(f64::total_cmp);
    let lookups = (n_columns * n_columns) as f64 * (n_sequences as f64 + step_as_sequences(n_letters));
    Ok(seconds[seconds.len() / 2] / lookups)
}

pub fn bytes(bytes: u64) -> String {
    in_units(bytes, |value| value)
}

/// The same rounded up: as a size that is needed, it is enough when it is given.
fn at_least_bytes(bytes: u64) -> String {
    in_units(bytes, |value| (10.0 * value).ceil() / 10.0)
}

/// The same rounded down: a size that is not enough never looks as if it were.
fn at_most_bytes(bytes: u64) -> String {
    in_units(bytes, |value| (10.0 * value).floor() / 10.0)
}

fn in_units(bytes: u64, round: impl Fn(f64) -> f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..units.len() - 1).find(|&unit| bytes >> (10 * unit) < 1024).unwrap_or(units.len() - 1);
    let value = round(bytes as f64 / (1u64 << (10 * unit)) as f64);
    format!("{value:.*} {}", usize::from(unit > 0), units[unit])
}

pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.1} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Bytes;
    use super::*;

    #[test]
    fn the_smallest_budget_that_would_do_does_when_it_is_given() {
        let sizes = [1, 1023, 1024, 1025, 2_359_297, 2_411_725, 5 << 30, (5 << 30) + 1, u64::from(u32::MAX)];
        for needed in sizes {
            let told: Bytes = at_least_bytes(needed).parse().unwrap();
            assert!(told.0 >= needed, "{needed}: {told}");
            assert_ne!(at_least_bytes(needed), at_most_bytes(needed - 1), "{needed}");
        }
        let size = 2_411_725;
        assert_eq!(
            [bytes(size), at_least_bytes(size), at_most_bytes(size)],
            ["2.3 MiB", "2.4 MiB", "2.3 MiB"]
        );
    }
}
