//! One pattern of the hidden manifold: which features it is made of, and the majority among them.

use rand_core::Rng;
use rand_pcg::Pcg64;

use super::majority::{Votes, all_if, majority_of_three};
use super::rows::{fill_random, used_bits};
use super::zipf::Zipf;
use crate::random::gaussian;
use crate::spins::WORD;

/// How the features of a pattern are weighed against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coefficients {
    /// c = +-1 with probability 1/2.
    Signs,
    /// c standard normal.
    Gaussian,
}

/// The random choices of one pattern, all but the spins of its features.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternDraw {
    ranks: Vec<u64>,
    coefficients: Vec<f64>,
    kind: Coefficients,
    ties: Pcg64,
}

impl PatternDraw {
    /// Draws from the pattern's own stream: ranks first, then coefficients; the rest of the stream decides ties.
    pub(super) fn new(mut rng: Pcg64, law: &Zipf, n_active: usize, kind: Coefficients) -> Self {
        let ranks = law.draw_distinct(&mut rng, n_active);
        let coefficient = |_| match kind {
            Coefficients::Signs if rng.next_u64() >> 63 == 0 => 1.0,
            Coefficients::Signs => -1.0,
            Coefficients::Gaussian => gaussian(&mut rng),
        };
        let coefficients = ranks.iter().map(coefficient).collect();
        Self { ranks, coefficients, kind, ties: rng }
    }

    /// Ranks k of its features, distinct, `[L]`.
    pub fn ranks(&self) -> &[u64] {
        &self.ranks
    }

    /// Their coefficients c, `[L]`; +1 and -1 for [`Coefficients::Signs`].
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// Ranks and whether c is negative, for coefficients +-1.
    pub(super) fn signed_ranks(&self) -> impl ExactSizeIterator<Item = (u64, bool)> {
        self.ranks.iter().zip(&self.coefficients).map(|(&rank, &coefficient)| (rank, coefficient < 0.0))
    }

    /// Decides ties: its n-th number those of word n.
    pub(super) fn ties(&self) -> &Pcg64 {
        &self.ties
    }

    /// Writes sgn(sum c f) of a row of `n_spins` spins: the packed words from word `first_word` on, as `features` has
    /// them.
    pub(super) fn mix(
        &self,
        n_spins: usize,
        first_word: usize,
        words: &mut [u64],
        features: &impl Features,
        mixer: &mut Mixer,
    ) {
        match self.kind {
            Coefficients::Signs => {
                mixer.mix_signs(self.signed_ranks(), &self.ties, n_spins, first_word, words, features);
            }
            Coefficients::Gaussian => self.mix_gaussian(n_spins, first_word, words, features),
        }
    }

    fn mix_gaussian(&self, n_spins: usize, first_word: usize, words: &mut [u64], features: &impl Features) {
        let mut scratch = vec![0; words.len()];
        let mut sums = vec![0.0; words.len() * WORD];
        for (&rank, &coefficient) in self.ranks.iter().zip(&self.coefficients) {
            let spins = features.words(rank, &mut scratch);
            for (sums, &word) in sums.chunks_exact_mut(WORD).zip(spins) {
                for (site, sum) in sums.iter_mut().enumerate() {
                    *sum += if word >> site & 1 == 1 { coefficient } else { -coefficient };
                }
            }
        }
        fill_random(self.ties.clone(), n_spins, first_word, words);
        for (sums, word) in sums.chunks_exact(WORD).zip(&mut *words) {
            for (site, &sum) in sums.iter().enumerate() {
                let up = if sum == 0.0 { *word >> site & 1 } else { u64::from(sum > 0.0) };
                *word = *word & !(1 << site) | up << site;
            }
        }
        clear_unused_bits(n_spins, first_word, words);
    }
}

/// Where the words of features come from: memory, or their random streams.
pub(super) trait Features {
    /// The words of feature `rank` on the stretch at hand; `scratch`, as long as the stretch, may hold them.
    fn words<'a>(&'a self, rank: u64, scratch: &'a mut [u64]) -> &'a [u64];
}

/// Mixes signed features; keeps its memory from pattern to pattern.
#[derive(Default)]
pub(super) struct Mixer {
    scratch: [Vec<u64>; 3], // [n_words] each
    votes: Votes,
}

impl Mixer {
    /// Writes sgn(sum c f), c = +-1, of a row of `n_spins` spins: the packed words from word `first_word` on. `active` has
    /// rank and whether c is negative of each feature; ties go by the numbers of `ties`.
    pub(super) fn mix_signs(
        &mut self,
        mut active: impl ExactSizeIterator<Item = (u64, bool)>,
        ties: &Pcg64,
        n_spins: usize,
        first_word: usize,
        words: &mut [u64],
        features: &impl Features,
    ) {
        for scratch in &mut self.scratch {
            scratch.resize(words.len(), 0);
        }
        if active.len() == 3 {
            let mut vote = |scratch| {
                let (rank, is_negative) = active.next().unwrap_or_default();
                (features.words(rank, scratch), all_if(is_negative))
            };
            let [a, b, c] = &mut self.scratch;
            majority_of_three([vote(a), vote(b), vote(c)], words);
        } else {
            self.votes.begin(words.len());
            for (rank, is_negative) in active {
                self.votes.add(features.words(rank, &mut self.scratch[0]), is_negative);
            }
            if self.votes.may_tie() {
                fill_random(ties.clone(), n_spins, first_word, words);
            }
            self.votes.decide(words);
        }
        clear_unused_bits(n_spins, first_word, words);
    }
}

/// Zeroes what lies past the last spin.
fn clear_unused_bits(n_spins: usize, first_word: usize, words: &mut [u64]) {
    if let Some(last) = words.len().checked_sub(1) {
        words[last] &= used_bits(n_spins, first_word + last);
    }
}
