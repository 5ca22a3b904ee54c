//! How work is cut into blocks, and the memory that takes.

use super::accumulator::Accumulator;
use super::distinct::Column;
use crate::datasets::{MAX_CACHED_FEATURES, ManifoldParameters, PatternStream};
use crate::error::{Error, Result};
use crate::kernels::{BYTE_LANES, CountScratch, Counts, LANES, Lanes};
use crate::spins::WORD;

/// Words of the stretches over which overlaps are counted: long, so that the overlaps pass through memory seldom.
const OVERLAP_WORDS: usize = 256;
/// Words of a tile of fields at most: 4096 sites, whose sums for 16 states share L2 with the tables.
const FIELD_WORDS: usize = 64;
/// Words of a tile at least, where threads leave the choice: the product's large tables want about 1000 states.
const MIN_FIELD_WORDS: usize = 16;
/// Columns taken together at most.
const CHUNK: usize = 1024;
/// States taken together at most: beyond, making the patterns is a small part of the work, and sums outgrow the caches.
const MAX_BLOCK: usize = 512;
/// Squares of fields, of which none exceeds N P, add up over N sites to less than 2 to this, and fields themselves fit in i64.
const MAX_LOG_SQUARES: f64 = 126.0;
const MAX_FIELD: u128 = 1 << 62;
/// States in a block are a multiple of this, the columns that are counted together.
pub(super) const BLOCK_STEP: usize = BYTE_LANES;

/// Blocks of states, chunks of columns, tiles of sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// States taken together, a multiple of 64.
    pub(super) block: usize,
    /// Columns taken together, a multiple of 64.
    pub(super) chunk: usize,
    /// Words of a stretch of the first pass.
    pub(super) overlap_words: usize,
    /// Words of a tile of the second pass.
    pub(super) field_words: usize,
    bytes: u64,
}

/// Shape of the work.
#[derive(Clone, Copy)]
struct Shape {
    n_spins: usize,
    n_patterns: usize,
    n_columns: usize,
    n_active: usize,
    n_cached: usize,
    n_threads: usize,
}

impl Shape {
    fn of(parameters: &ManifoldParameters, n_columns: usize, n_threads: usize) -> Self {
        Self {
            n_spins: parameters.n_spins,
            n_patterns: parameters.n_patterns,
            n_columns,
            n_active: parameters.n_active,
            n_cached: parameters.n_features.min(MAX_CACHED_FEATURES as u64) as usize,
            n_threads,
        }
    }
}

impl Plan {
    /// For the fields of `n_states` states under the patterns of a manifold, of which `n_columns` differ up to sign, within
    /// `budget` bytes; none stands for any amount.
    ///
    /// # Errors
    /// If N is 2^31 or more, or N^3 P^2 is 2^126 or more, or even the smallest blocks exceed the budget: says what they take.
    pub fn new(
        parameters: &ManifoldParameters,
        n_columns: usize,
        n_threads: usize,
        n_states: usize,
        budget: Option<u64>,
    ) -> Result<Self> {
        Self::check_size(parameters.n_spins, parameters.n_patterns)?;
        Self::for_shape(Shape::of(parameters, n_columns, n_threads), n_states, budget)
    }

    /// Refuses sizes whose overlaps or fields could overflow.
    pub(super) fn check_size(n_spins: usize, n_patterns: usize) -> Result<()> {
        if i32::try_from(n_spins).is_err() {
            return Err(Error::parameter("n", "less than 2^31 spins", n_spins));
        }
        let log_squares = 3.0 * (n_spins as f64).log2() + 2.0 * (n_patterns as f64).log2();
        if n_spins as u128 * n_patterns as u128 >= MAX_FIELD || log_squares >= MAX_LOG_SQUARES {
            let expected = format!("N P below 2^62 and N^3 P^2 below 2^126 at N = {n_spins}");
            return Err(Error::parameter("patterns", expected, n_patterns));
        }
        Ok(())
    }

    fn for_shape(shape: Shape, n_states: usize, budget: Option<u64>) -> Result<Self> {
        let n_words = shape.n_spins.div_ceil(WORD);
        // Enough tiles and chunks for all threads, as far as there are any.
        let per_thread = |n: usize| n.div_ceil(4 * shape.n_threads);
        let cut = Self {
            block: BLOCK_STEP,
            chunk: per_thread(shape.n_columns).next_multiple_of(WORD).min(CHUNK),
            overlap_words: n_words.min(OVERLAP_WORDS),
            field_words: per_thread(n_words).clamp(MIN_FIELD_WORDS, FIELD_WORDS).min(n_words),
            bytes: 0,
        };
        let of_block = |block: usize| {
            let plan = Self { block, ..cut };
            Self { bytes: plan.bytes_for(shape), ..plan }
        };
        let wanted = n_states.min(MAX_BLOCK).next_multiple_of(BLOCK_STEP);
        let blocks = (1..=wanted / BLOCK_STEP).rev().map(|count| of_block(count * BLOCK_STEP));
        let budget = budget.unwrap_or(u64::MAX);
        let smallest = of_block(BLOCK_STEP);
        // As many blocks as are needed, of about the same size.
        let largest = blocks.into_iter().find(|plan| plan.bytes <= budget);
        let largest = largest.ok_or_else(|| {
            Error::parameter(
                "memory",
                format!(
                    "at least {} MiB for N = {}, P = {} on {} threads",
                    smallest.bytes.div_ceil(1 << 20),
                    shape.n_spins,
                    shape.n_patterns,
                    shape.n_threads
                ),
                format!("{} MiB", budget >> 20),
            )
        })?;
        let n_blocks = n_states.div_ceil(largest.block).max(1);
        Ok(of_block(
            n_states.div_ceil(n_blocks).next_multiple_of(BLOCK_STEP).clamp(BLOCK_STEP, largest.block),
        ))
    }

    /// Memory that a run takes, draws of the patterns included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Chunks of columns.
    pub(super) fn n_chunks(&self, n_columns: usize) -> usize {
        n_columns.div_ceil(self.chunk)
    }

    /// First word and words of each stretch of `width` words.
    pub(super) fn stretches(n_spins: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
        let n_words = n_spins.div_ceil(WORD);
        (0..n_words).step_by(width).map(move |first| (first, width.min(n_words - first)))
    }

    fn bytes_for(&self, shape: Shape) -> u64 {
        let word = size_of::<u64>();
        let sites = self.field_words * WORD;
        let draws = PatternStream::draw_bytes(shape.n_patterns, shape.n_active);
        let overlaps =
            (self.n_chunks(shape.n_columns) * self.chunk).saturating_mul(self.block * size_of::<i32>());
        let columns = self.overlap_words * WORD * word;
        let counting_rows =
            self.chunk * (self.overlap_words * word + size_of::<Counts>()) + CountScratch::BYTES;
        let first_pass = self.overlap_words * shape.n_cached * word
            + self.block / BLOCK_STEP * columns
            + shape.n_threads * (counting_rows + (BLOCK_STEP + 4) * self.overlap_words * word);
        let tables = 8 * 256 * size_of::<Lanes<i32>>();
        let per_thread = self.field_words * (shape.n_cached + WORD + 4 + self.block) * word
            + self.chunk / WORD * sites * word
            + self.block / LANES * Accumulator::bytes(sites)
            + tables;
        let columns = shape.n_columns * size_of::<Column>();
        overlaps.saturating_add(draws + columns + first_pass.max(shape.n_threads * per_thread)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        n_spins: 1_000_000,
        n_patterns: 100_000,
        n_columns: 100_000,
        n_active: 3,
        n_cached: 4096,
        n_threads: 2,
    };

    #[test]
    fn blocks_shrink_with_the_budget_until_it_is_refused() {
        let all = Plan::for_shape(SHAPE, 256, None).unwrap();
        assert_eq!(all.block, 256);
        assert!(all.bytes() < 512 << 20, "{}", all.bytes());
        let smallest = Plan::for_shape(SHAPE, 32, None).unwrap();
        let exactly = Plan::for_shape(SHAPE, 256, Some(smallest.bytes())).unwrap();
        assert_eq!(exactly, smallest);
        let half = Plan::for_shape(SHAPE, 256, Some(all.bytes() - 1)).unwrap();
        assert!(half.block == 128, "two blocks of the same size");
        let error = Plan::for_shape(SHAPE, 256, Some(smallest.bytes() - 1)).unwrap_err().to_string();
        let mebibytes = smallest.bytes().div_ceil(1 << 20);
        assert!(error.contains(&format!("at least {mebibytes} MiB")), "{error}");
    }

    #[test]
    fn stretches_cover_every_word_once() {
        for (n_spins, width) in [(1, 1), (64, 3), (65, 1), (1000, 3), (1000, 16)] {
            let words: Vec<usize> =
                Plan::stretches(n_spins, width).flat_map(|(first, count)| first..first + count).collect();
            assert!(words.into_iter().eq(0..n_spins.div_ceil(WORD)));
        }
    }
}
