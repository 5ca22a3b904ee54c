//! Hebbian fields without couplings: both passes beside their kernels alone.

use std::hint::black_box;
use std::time::Instant;

use attractor::Result;
use attractor::analysis::matrix_free::{FeatureStates, MatrixFreeHebb};
use attractor::datasets::{Coefficients, Manifold, ManifoldParameters, PatternStream};
use attractor::execution::Execution;
use attractor::kernels::{BYTE_LANES, CountScratch, LANES, Lanes, Tables, differing_bits, signed_product};

use attractor::random::stream;
use rand_core::Rng;

use super::{Bench, Timing};

/// Spins and patterns for each of an epoch: small beside what the passes are for, long enough for their own shapes.
const SPINS: usize = 16;
const PATTERNS: usize = 4;
const STATES: usize = 256;
/// Shapes of one call of each kernel, as the passes make them.
const SITES: usize = 4096;
const CHUNK: usize = 1024;
/// Calls timed together.
const REPEATS: usize = 64;

impl Bench {
    /// Overlaps of patterns and features, and fields of features.
    pub(super) fn cutoff(&self, execution: &Execution) -> Result<[Timing; 2]> {
        let (n_spins, n_patterns) = (SPINS * self.n, PATTERNS * self.patterns);
        let count = self.states.unwrap_or(STATES);
        let manifold = Manifold::new(ManifoldParameters {
            n_spins,
            n_patterns,
            n_test: 0,
            n_features: (n_spins as u64 / 2).max(count as u64).max(3),
            n_active: 3,
            exponent: 1.0,
            coefficients: Coefficients::Signs,
            test_features: None,
            n_stored_features: 0,
            seed: self.common.seed,
        })?;
        let stream = PatternStream::new(&manifold, execution)?;
        let hebb = MatrixFreeHebb::new(&stream, None, execution)?;
        let (mut overlaps, mut fields) = (Vec::new(), Vec::new());
        for _ in 0..=self.runs {
            let (before_overlaps, before_fields) = hebb.pass_seconds();
            hebb.margins(&FeatureStates { first_rank: 1, count }, |tile| {
                black_box(tile.margins);
            })?;
            let (after_overlaps, after_fields) = hebb.pass_seconds();
            overlaps.push(after_overlaps - before_overlaps);
            fields.push(after_fields - before_fields);
        }
        let median = |seconds: &mut Vec<f64>| {
            seconds.remove(0);
            seconds.sort_by(f64::total_cmp);
            seconds[self.runs / 2]
        };
        let work = n_spins as f64 * hebb.n_columns() as f64 * count as f64 / 1e9;
        let shape = format!("P = {n_patterns}, N = {n_spins}, K = {count}");
        Ok([
            self.timing(
                "overlaps",
                shape.clone(),
                execution,
                median(&mut overlaps),
                work,
                ("G/s", self.counting_rate(execution)),
            ),
            self.timing(
                "features",
                shape,
                execution,
                median(&mut fields),
                work,
                ("GMAC/s", self.product_rate(execution)),
            ),
        ])
    }

    /// Bits against bits alone, G a second of all threads.
    fn counting_rate(&self, execution: &Execution) -> f64 {
        let n_columns = 4 * SITES;
        let signs = words(n_columns / 64 * CHUNK);
        let lanes = words(n_columns);
        let scratch = || (vec![Lanes::ZERO; CHUNK], CountScratch::new());
        self.rate_alone(execution, n_columns * CHUNK * BYTE_LANES, scratch, |(counts, scratch)| {
            counts.fill(Lanes::ZERO);
            differing_bits(execution.isa(), &signs, CHUNK, &lanes, counts, scratch);
        })
    }

    /// Bits against integers alone, G a second of all threads.
    fn product_rate(&self, execution: &Execution) -> f64 {
        let signs = words(SITES * CHUNK / 64);
        let weights: Vec<_> =
            words(CHUNK).into_iter().map(|word| Lanes([(word >> 50) as i32; LANES])).collect();
        let scratch = || (vec![Lanes::ZERO; SITES], Tables::new());
        self.rate_alone(execution, SITES * CHUNK * LANES, scratch, |(sums, tables)| {
            sums.fill(Lanes::ZERO);
            signed_product(execution.isa(), &signs, SITES, &weights, sums, tables);
        })
    }

    /// G units a second of calls of `units` each on all threads at once: the fastest of the runs.
    fn rate_alone<S>(
        &self,
        execution: &Execution,
        units: usize,
        scratch: impl Fn() -> S + Sync,
        call: impl Fn(&mut S) + Sync,
    ) -> f64 {
        let of_run = |_| {
            let rates = execution.pool().broadcast(|_| {
                let mut scratch = scratch();
                call(&mut scratch);
                let begun = Instant::now();
                (0..REPEATS).for_each(|_| call(&mut scratch));
                let seconds = begun.elapsed().as_secs_f64();
                black_box(&scratch);
                (REPEATS * units) as f64 / seconds / 1e9
            });
            rates.iter().sum()
        };
        (0..self.runs).map(of_run).fold(0.0, f64::max)
    }
}

/// Words without structure.
fn words(count: usize) -> Vec<u64> {
    let mut rng = stream(0, "bench", &[count as u64]);
    (0..count).map(|_| rng.next_u64()).collect()
}
