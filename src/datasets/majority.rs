//! Majority votes of packed spins, 64 sites at a time.
//!
//! The number of +1 votes of each site is held in binary, one bit plane a digit: adding a vote is a ripple-carry
//! addition on words, comparing with half the number of votes goes down the planes. Three votes need no counting.

/// The majority of three votes, each `words` or, where `opposite` is all ones, its opposite. Bits past the last site may
/// be set.
pub(super) fn majority_of_three(votes: [(&[u64], u64); 3], majority: &mut [u64]) {
    let [(a, not_a), (b, not_b), (c, not_c)] = votes;
    for (((target, a), b), c) in majority.iter_mut().zip(a).zip(b).zip(c) {
        let (a, b, c) = (a ^ not_a, b ^ not_b, c ^ not_c);
        *target = a & b | c & (a | b);
    }
}

/// Counts of +1 votes of a row of sites.
#[derive(Default)]
pub(super) struct Votes {
    n_words: usize,
    n_votes: usize,
    planes: Vec<u64>, // [planes][n_words], least significant plane first
    carry: Vec<u64>,  // [n_words]
}

impl Votes {
    /// No votes yet for `n_words` words of sites.
    #[cfg(test)]
    fn new(n_words: usize) -> Self {
        let mut votes = Self::default();
        votes.begin(n_words);
        votes
    }

    /// Forgets all votes and starts anew for `n_words` words of sites, in the memory there is.
    pub(super) fn begin(&mut self, n_words: usize) {
        (self.n_words, self.n_votes) = (n_words, 0);
        self.planes.clear();
        self.carry.resize(n_words, 0);
    }

    /// Adds a vote of each site, `words` or its opposite.
    pub(super) fn add(&mut self, words: &[u64], opposite: bool) {
        debug_assert_eq!(words.len(), self.n_words);
        self.n_votes += 1;
        // n votes need as many planes as n has binary digits.
        let n_planes = (usize::BITS - self.n_votes.leading_zeros()) as usize;
        self.planes.resize(n_planes * self.n_words, 0);
        let sign = all_if(opposite);
        for (carry, &word) in self.carry.iter_mut().zip(words) {
            *carry = word ^ sign;
        }
        for plane in self.planes.chunks_exact_mut(self.n_words) {
            for (digit, carry) in plane.iter_mut().zip(&mut self.carry) {
                (*digit, *carry) = (*digit ^ *carry, *digit & *carry);
            }
        }
    }

    /// Whether a tie is possible.
    pub(super) fn may_tie(&self) -> bool {
        self.n_votes.is_multiple_of(2)
    }

    /// Replaces `words`, which say how a tie is to be decided, by the majority. Bits past the last site may be set.
    pub(super) fn decide(&self, words: &mut [u64]) {
        debug_assert_eq!(words.len(), self.n_words);
        let half = self.n_votes / 2;
        for (site_word, word) in words.iter_mut().enumerate() {
            let (mut more, mut equal) = (0, u64::MAX);
            for (digit, plane) in self.planes.chunks_exact(self.n_words).enumerate().rev() {
                if half >> digit & 1 == 0 {
                    more |= equal & plane[site_word];
                    equal &= !plane[site_word];
                } else {
                    equal &= plane[site_word];
                }
            }
            let tie = if self.may_tie() { equal & *word } else { 0 };
            *word = more | tie;
        }
    }
}

/// All bits set, or none.
pub(super) fn all_if(holds: bool) -> u64 {
    if holds { u64::MAX } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use rand_core::Rng;

    #[test]
    fn the_majority_is_that_of_a_plain_count() {
        for n_votes in (0..=9).chain([16, 31, 64, 100]) {
            for n_words in [1, 2, 5] {
                let mut rng = stream(n_votes, "vote test", &[n_words as u64]);
                let mut votes = Votes::new(n_words);
                let mut sums = vec![0; n_words * 64];
                for _ in 0..n_votes {
                    let words: Vec<u64> = (0..n_words).map(|_| rng.next_u64()).collect();
                    let opposite = rng.next_u64() >> 63 == 1;
                    votes.add(&words, opposite);
                    for (site, sum) in sums.iter_mut().enumerate() {
                        *sum += if (words[site / 64] >> (site % 64) & 1 == 1) != opposite { 1 } else { -1 };
                    }
                }
                let ties: Vec<u64> = (0..n_words).map(|_| rng.next_u64()).collect();
                let mut decided = ties.clone();
                votes.decide(&mut decided);
                for (site, sum) in sums.into_iter().enumerate() {
                    let up = |words: &[u64]| words[site / 64] >> (site % 64) & 1 == 1;
                    assert_eq!(
                        up(&decided),
                        sum > 0 || sum == 0 && up(&ties),
                        "{n_votes} votes, site {site}"
                    );
                }
            }
        }
    }

    #[test]
    fn three_votes_are_decided_as_any_number() {
        for n_words in [1, 3] {
            for signs in 0..8u32 {
                let mut rng = stream(3, "vote test", &[n_words as u64, u64::from(signs)]);
                let words: [Vec<u64>; 3] =
                    std::array::from_fn(|_| (0..n_words).map(|_| rng.next_u64()).collect());
                let mut votes = Votes::new(n_words);
                for (index, words) in words.iter().enumerate() {
                    votes.add(words, signs >> index & 1 == 1);
                }
                let mut counted = vec![0; n_words];
                votes.decide(&mut counted);
                let mut decided = vec![0; n_words];
                let vote = |index: usize| (words[index].as_slice(), all_if(signs >> index & 1 == 1));
                majority_of_three([vote(0), vote(1), vote(2)], &mut decided);
                assert_eq!(decided, counted);
            }
        }
    }
}
