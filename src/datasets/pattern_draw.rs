//! One pattern of the hidden manifold: which features it is made of, and the majority among them.

use rand_core::Rng;
use rand_pcg::Pcg64;

use super::majority::Votes;
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
    /// Decides ties: its n-th number those of word n.
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

    /// Writes sgn(sum c f) of a row of `n_spins` spins: the packed words from word `first_word` on, where
    /// `feature(k, words)` writes the same words of feature k.
    pub fn mix(
        &self,
        n_spins: usize,
        first_word: usize,
        words: &mut [u64],
        feature: impl FnMut(u64, &mut [u64]),
    ) {
        match self.kind {
            Coefficients::Signs => self.mix_signs(n_spins, first_word, words, feature),
            Coefficients::Gaussian => self.mix_gaussian(n_spins, first_word, words, feature),
        }
        for (offset, word) in words.iter_mut().enumerate() {
            *word &= used_bits(n_spins, first_word + offset);
        }
    }

    fn mix_signs(
        &self,
        n_spins: usize,
        first_word: usize,
        words: &mut [u64],
        mut feature: impl FnMut(u64, &mut [u64]),
    ) {
        let mut spins = vec![0; words.len()];
        let mut votes = Votes::new(words.len());
        for (&rank, &coefficient) in self.ranks.iter().zip(&self.coefficients) {
            feature(rank, &mut spins);
            votes.add(&spins, coefficient < 0.0);
        }
        if votes.may_tie() {
            fill_random(self.ties.clone(), n_spins, first_word, words);
        }
        votes.decide(words);
    }

    fn mix_gaussian(
        &self,
        n_spins: usize,
        first_word: usize,
        words: &mut [u64],
        mut feature: impl FnMut(u64, &mut [u64]),
    ) {
        let mut spins = vec![0; words.len()];
        let mut sums = vec![0.0; words.len() * WORD];
        for (&rank, &coefficient) in self.ranks.iter().zip(&self.coefficients) {
            feature(rank, &mut spins);
            for (sums, &word) in sums.chunks_exact_mut(WORD).zip(&spins) {
                for (site, sum) in sums.iter_mut().enumerate() {
                    *sum += if word >> site & 1 == 1 { coefficient } else { -coefficient };
                }
            }
        }
        fill_random(self.ties.clone(), n_spins, first_word, words);
        for (sums, word) in sums.chunks_exact(WORD).zip(words) {
            for (site, &sum) in sums.iter().enumerate() {
                let up = if sum == 0.0 { *word >> site & 1 } else { u64::from(sum > 0.0) };
                *word = *word & !(1 << site) | up << site;
            }
        }
    }
}
