//! The patterns of a hidden manifold as a stream: stretches of any of them, made again whenever they are needed.
//!
//! The same bits as [`Manifold::generate`] stores, without P x N or D x N of them. Kept are the draws of the first
//! patterns, 8 bytes a feature, up to a fixed size; those of later ones are drawn again whenever they are needed
//! ([`PatternStream`]). Kept of the features are, for the stretch of sites at hand, the words of the frequent ones
//! ([`FeatureStretch`]); those of a rare feature come from its random stream each time. So memory depends neither on P nor
//! on D.

use std::borrow::Cow;

use rand_pcg::Pcg64;

use super::manifold::{Manifold, Stored};
use super::pattern_draw::{Coefficients, Mixer};
use crate::error::{Error, Result};
use crate::execution::Execution;

/// Features of a stretch that are kept in memory, at most. At the exponents of interest rarer ones make up a few percent
/// of all draws, and more words than this would leave the processor's caches.
pub const MAX_CACHED_FEATURES: usize = 4096;
/// Memory for draws at most: those of 2.8 million patterns at L = 3.
const MAX_DRAW_BYTES: usize = 64 << 20;
/// Patterns that one task draws.
const DRAWS_A_TASK: usize = 256;

/// The random choices of all P patterns of a manifold with coefficients +-1.
pub struct PatternStream<'a> {
    manifold: &'a Manifold,
    n_active: usize,
    /// `[patterns kept][L]`, twice the rank, plus 1 where c = -1.
    signed_ranks: Vec<u64>,
    /// `[patterns kept]` where ties are possible, else one that is not used.
    ties: Vec<Pcg64>,
    n_cached: usize,
}

/// The random choices of one pattern.
struct Draw<'a> {
    /// `[L]`, as in the stream.
    signed_ranks: Cow<'a, [u64]>,
    ties: Pcg64,
}

impl<'a> PatternStream<'a> {
    /// Draws the features of every pattern.
    ///
    /// # Errors
    /// If the coefficients are not +-1, memory for the draws is missing, or interrupted.
    pub fn new(manifold: &'a Manifold, execution: &Execution) -> Result<Self> {
        let parameters = manifold.parameters();
        if parameters.coefficients != Coefficients::Signs {
            return Err(Error::parameter("coefficients", "signs, as streams of patterns have", "gaussian"));
        }
        Self::keeping(manifold, MAX_DRAW_BYTES, execution)
    }

    /// Memory that the draws of such a stream take.
    pub fn draw_bytes(n_patterns: usize, n_active: usize) -> usize {
        let of_one = draw_bytes(n_active);
        n_patterns.saturating_mul(of_one).min(MAX_DRAW_BYTES.max(of_one))
    }

    /// The same with `max_bytes` for draws.
    fn keeping(manifold: &'a Manifold, max_bytes: usize, execution: &Execution) -> Result<Self> {
        let parameters = manifold.parameters();
        let n_active = parameters.n_active;
        let may_tie = n_active.is_multiple_of(2);
        let n_kept = parameters.n_patterns.min((max_bytes / draw_bytes(n_active)).max(1));
        let missing = || {
            let expected = format!("memory for the draws of {n_kept} patterns of {n_active} features");
            Error::shape("draws", expected, "less")
        };
        let (mut signed_ranks, mut ties) = (Vec::new(), Vec::new());
        signed_ranks.try_reserve_exact(n_kept * n_active).map_err(|_| missing())?;
        signed_ranks.resize(n_kept * n_active, 0);
        let n_ties = if may_tie { n_kept } else { 1 };
        ties.try_reserve_exact(n_ties).map_err(|_| missing())?;
        ties.resize(n_ties, manifold.pattern_draw(0).ties().clone());

        let mut ties_of_tasks = ties.chunks_mut(DRAWS_A_TASK);
        let tasks = signed_ranks.chunks_mut(DRAWS_A_TASK * n_active).enumerate().map(|(task, ranks)| {
            let ties = if may_tie { ties_of_tasks.next() } else { None };
            (task, ranks, ties)
        });
        execution.for_each(
            tasks,
            || (),
            |(), (task, ranks, mut ties)| {
                for (offset, targets) in ranks.chunks_exact_mut(n_active).enumerate() {
                    let draw = manifold.pattern_draw((task * DRAWS_A_TASK + offset) as u64);
                    targets
                        .iter_mut()
                        .zip(packed(draw.signed_ranks()))
                        .for_each(|(target, signed)| *target = signed);
                    if let Some(ties) = &mut ties {
                        ties[offset] = draw.ties().clone();
                    }
                }
                Ok(())
            },
        )?;
        let mut stream = Self { manifold, n_active, signed_ranks, ties, n_cached: 0 };
        stream.n_cached = stream.last_frequent_rank();
        Ok(stream)
    }

    /// The last of the first [`MAX_CACHED_FEATURES`] ranks that two patterns or more use.
    fn last_frequent_rank(&self) -> usize {
        let mut counts = [0u8; MAX_CACHED_FEATURES];
        for rank in self.signed_ranks.iter().map(|signed| signed >> 1) {
            if let Some(count) = counts.get_mut(rank as usize - 1) {
                *count = count.saturating_add(1);
            }
        }
        counts.iter().rposition(|&count| count >= 2).map_or(0, |index| index + 1)
    }

    /// The manifold.
    pub fn manifold(&self) -> &'a Manifold {
        self.manifold
    }

    /// N.
    pub fn n_spins(&self) -> usize {
        self.manifold.parameters().n_spins
    }

    /// P.
    pub fn n_patterns(&self) -> usize {
        self.manifold.parameters().n_patterns
    }

    /// L.
    pub fn n_active(&self) -> usize {
        self.n_active
    }

    /// Ranks of the features of a pattern, distinct, with whether the coefficient is -1.
    pub fn active(&self, pattern: usize) -> impl ExactSizeIterator<Item = (u64, bool)> + '_ {
        unpacked(self.draw(pattern).signed_ranks)
    }

    fn draw(&self, pattern: usize) -> Draw<'_> {
        match self.signed_ranks.get(pattern * self.n_active..(pattern + 1) * self.n_active) {
            Some(kept) => Draw {
                signed_ranks: Cow::Borrowed(kept),
                ties: self.ties.get(pattern).unwrap_or(&self.ties[0]).clone(),
            },
            None => {
                let draw = self.manifold.pattern_draw(pattern as u64);
                let signed_ranks = Cow::Owned(packed(draw.signed_ranks()).collect());
                Draw { signed_ranks, ties: draw.ties().clone() }
            }
        }
    }

    /// How many features of a stretch are kept in memory.
    pub fn n_cached_features(&self) -> usize {
        self.n_cached
    }
}

/// What the draw of a pattern of L features takes.
fn draw_bytes(n_active: usize) -> usize {
    let ties = if n_active.is_multiple_of(2) { size_of::<Pcg64>() } else { 0 };
    n_active.saturating_mul(size_of::<u64>()).saturating_add(ties)
}

fn packed(active: impl Iterator<Item = (u64, bool)>) -> impl Iterator<Item = u64> {
    active.map(|(rank, is_negative)| rank << 1 | u64::from(is_negative))
}

fn unpacked(signed_ranks: Cow<'_, [u64]>) -> impl ExactSizeIterator<Item = (u64, bool)> {
    (0..signed_ranks.len()).map(move |index| (signed_ranks[index] >> 1, signed_ranks[index] & 1 == 1))
}

/// The features of a manifold on a stretch of sites, the frequent ones in memory.
pub struct FeatureStretch<'a> {
    manifold: &'a Manifold,
    n_cached: usize,
    first_word: usize,
    n_words: usize,
    cached: Vec<u64>, // [rank - 1][n_words]
}

impl<'a> FeatureStretch<'a> {
    /// For the patterns of `stream`; no sites yet.
    pub fn new(stream: &PatternStream<'a>) -> Self {
        let n_cached = stream.n_cached_features();
        Self { manifold: stream.manifold, n_cached, first_word: 0, n_words: 0, cached: Vec::new() }
    }

    /// Moves to the `n_words` words of sites from word `first_word` on.
    pub fn move_to(&mut self, first_word: usize, n_words: usize) {
        self.resize(first_word, n_words);
        for (index, words) in self.cached.chunks_exact_mut(n_words).enumerate() {
            self.manifold.feature_words(index as u64 + 1, first_word, words);
        }
    }

    /// The same on all threads.
    ///
    /// # Errors
    /// If interrupted.
    pub fn move_to_with(&mut self, execution: &Execution, first_word: usize, n_words: usize) -> Result<()> {
        const FEATURES_A_TASK: usize = 128;
        self.resize(first_word, n_words);
        let manifold = self.manifold;
        execution.for_each(
            self.cached.chunks_mut(FEATURES_A_TASK * n_words).enumerate(),
            || (),
            |(), (task, words)| {
                for (offset, words) in words.chunks_exact_mut(n_words).enumerate() {
                    manifold.feature_words((task * FEATURES_A_TASK + offset + 1) as u64, first_word, words);
                }
                Ok(())
            },
        )
    }

    fn resize(&mut self, first_word: usize, n_words: usize) {
        assert!(n_words > 0, "a stretch of no words");
        (self.first_word, self.n_words) = (first_word, n_words);
        self.cached.resize(self.n_cached * n_words, 0);
    }

    /// First word and number of words of the stretch.
    pub fn place(&self) -> (usize, usize) {
        (self.first_word, self.n_words)
    }

    /// Writes the words of feature `rank` (1..=D).
    pub fn feature(&self, rank: u64, words: &mut [u64]) {
        match self.stored().find(rank) {
            Some(found) => words.copy_from_slice(found),
            None => self.manifold.feature_words(rank, self.first_word, words),
        }
    }

    fn stored(&self) -> Stored<'_> {
        Stored {
            manifold: self.manifold,
            first_word: self.first_word,
            n_words: self.n_words,
            words: &self.cached,
        }
    }
}

/// Writes patterns; keeps its scratch space from one to the next.
#[derive(Default)]
pub struct PatternWriter(Mixer);

impl PatternWriter {
    /// Writes the words of pattern `index` on the stretch; bits past the last spin are zero.
    pub fn write(
        &mut self,
        stream: &PatternStream<'_>,
        index: usize,
        features: &FeatureStretch<'_>,
        words: &mut [u64],
    ) {
        debug_assert_eq!(words.len(), features.n_words);
        let draw = stream.draw(index);
        let n_spins = stream.n_spins();
        let active = unpacked(draw.signed_ranks);
        self.0.mix_signs(active, &draw.ties, n_spins, features.first_word, words, &features.stored());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::ManifoldParameters;
    use crate::spins::WORD;

    /// Stretch by stretch the words of the data set file, for odd and even L, N around words, steep and flat laws.
    #[test]
    fn the_stream_has_the_bits_of_the_data_set() {
        let execution = Execution::with_threads(2).unwrap();
        for (n_spins, n_patterns, n_features, n_active, exponent) in [
            (1, 1, 1, 1, 0.0),
            (65, 30, 40, 2, 1.0),
            (200, 700, 9000, 3, 0.0),
            (200, 70, 30, 3, 1.5),
            (640, 20, 30, 4, 2.0),
            (130, 20, 300, 5, 1.0),
            (127, 300, 12, 12, 1.0),
        ] {
            let manifold = Manifold::new(ManifoldParameters {
                n_spins,
                n_patterns,
                n_test: 0,
                n_features,
                n_active,
                exponent,
                coefficients: Coefficients::Signs,
                test_features: None,
                n_stored_features: 0,
                seed: 5,
            })
            .unwrap();
            let data = manifold.generate(&execution).unwrap();
            // With all draws in memory, and with a few of them.
            for max_bytes in [MAX_DRAW_BYTES, 1000] {
                let stream = PatternStream::keeping(&manifold, max_bytes, &execution).unwrap();
                assert_eq!(stream.n_patterns(), n_patterns);
                let mut features = FeatureStretch::new(&stream);
                let mut writer = PatternWriter::default();
                let width = n_spins.div_ceil(WORD);
                for (first, n_words) in [(0, width), (width / 2, 1), (width - 1, 1)] {
                    features.move_to(first, n_words);
                    let mut words = vec![u64::MAX; n_words];
                    for row in 0..n_patterns {
                        writer.write(&stream, row, &features, &mut words);
                        assert_eq!(
                            words,
                            data.train.row(row)[first..][..n_words],
                            "N {n_spins}, L {n_active}"
                        );
                    }
                    for rank in [1, n_features] {
                        let mut expected = vec![0; n_words];
                        manifold.feature_words(rank, first, &mut expected);
                        features.feature(rank, &mut words);
                        assert_eq!(words, expected);
                    }
                }
            }
        }
    }
}
