//! Pairs of sequences that agree in many columns, out of all P (P - 1) / 2, exactly.
//!
//! What reweighting and clusters are made of. Two gaps agree like any two equal letters.

use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{MATES, rows_within};
use crate::spins::{Sequences, WORD};

/// The letters of all sequences in bit planes, 64 sequences interleaved: what [`rows_within`] reads.
pub(super) struct LetterPlanes {
    n_rows: usize,
    n_planes: usize,
    /// Words of a sequence.
    depth: usize,
    words: Vec<u64>, // [n_rows / 64][depth = columns / 64 * n_planes][64]
}

/// The smallest number of equal columns that makes the identity of two sequences of `n_columns` columns at least `identity`.
///
/// # Errors
/// If `identity` is not above 0 and at most 1.
pub(super) fn columns_of_identity(name: &'static str, identity: f64, n_columns: usize) -> Result<usize> {
    if !(identity > 0.0 && identity <= 1.0) {
        return Err(Error::parameter(name, "a fraction above 0, at most 1", identity));
    }
    // Identities are multiples of 1 / L; the slack is far below that and above the rounding of the threshold.
    Ok(((identity - 1e-12) * n_columns as f64).ceil().max(1.0) as usize)
}

impl LetterPlanes {
    pub(super) fn new(sequences: &Sequences) -> Self {
        let n_planes = (sequences.n_letters() - 1).ilog2() as usize + 1;
        let depth = sequences.n_columns().div_ceil(WORD) * n_planes;
        let n_rows = sequences.n_rows();
        let mut words = vec![0; n_rows.div_ceil(MATES) * depth * MATES];
        for row in 0..n_rows {
            let block = &mut words[row / MATES * depth * MATES..][..depth * MATES];
            for (column, &letter) in sequences.row(row).iter().enumerate() {
                for plane in 0..n_planes {
                    let word = column / WORD * n_planes + plane;
                    block[word * MATES + row % MATES] |= u64::from(letter >> plane & 1) << (column % WORD);
                }
            }
        }
        Self { n_rows, n_planes, depth, words }
    }

    fn block(&self, block: usize) -> &[u64] {
        &self.words[block * self.depth * MATES..][..self.depth * MATES]
    }

    /// Visits all pairs that differ in at most `most` columns, in parallel and in any order: `visit(row, first, mates)` gets
    /// a row and 64 rows from `first` on of which bit l of `mates` is set where `first + l` is such a mate with a smaller
    /// number.
    ///
    /// # Errors
    /// If interrupted.
    pub(super) fn for_each_within(
        &self,
        most: usize,
        execution: &Execution,
        visit: impl Fn(usize, usize, u64) + Sync,
    ) -> Result<()> {
        let n_blocks = self.n_rows.div_ceil(MATES);
        let progress = execution.progress();
        progress.begin("pairs of sequences, by blocks of 64 x 64", (n_blocks * (n_blocks + 1) / 2) as u64);
        // The block with most mates first: the threads end together.
        let done = execution.for_each(
            (0..n_blocks).rev(),
            || vec![0; self.depth * MATES],
            |rows, block| {
                // Row by row, [64][depth].
                for (place, word) in self.block(block).iter().enumerate() {
                    rows[place % MATES * self.depth + place / MATES] = *word;
                }
                let first = block * MATES;
                let n_rows = MATES.min(self.n_rows - first);
                for other in 0..=block {
                    execution.check_cancelled()?;
                    let mates = self.block(other);
                    for (lane, row) in rows.chunks_exact(self.depth).take(n_rows).enumerate() {
                        let below = if other == block { (1 << lane) - 1 } else { u64::MAX };
                        let within = rows_within(execution.isa(), self.n_planes, row, mates, most as u64);
                        if within & below != 0 {
                            visit(first + lane, other * MATES, within & below);
                        }
                    }
                }
                progress.advance(block as u64 + 1);
                Ok(())
            },
        );
        progress.end();
        done
    }
}

/// The places of the set bits.
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (place < WORD).then_some(place)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::random::{below, stream};
    use std::sync::Mutex;

    /// Sequences in families: a letter is that of the family's first member, or another with probability 1 / 4.
    pub(in super::super) fn families(
        n_rows: usize,
        n_columns: usize,
        n_letters: usize,
        seed: u64,
    ) -> Sequences {
        let mut rng = stream(seed, "family test", &[]);
        let mut letters: Vec<u8> = Vec::new();
        for row in 0..n_rows {
            for column in 0..n_columns {
                let parent = (row / 5 * 5 * n_columns + column < letters.len() && row % 5 > 0)
                    .then(|| letters[row / 5 * 5 * n_columns + column]);
                let other = below(&mut rng, n_letters as u64) as u8;
                letters.push(parent.filter(|_| below(&mut rng, 4) > 0).unwrap_or(other));
            }
        }
        Sequences::new(n_columns, n_letters, letters).unwrap()
    }

    pub(in super::super) fn n_equal(sequences: &Sequences, a: usize, b: usize) -> usize {
        sequences.row(a).iter().zip(sequences.row(b)).filter(|(a, b)| a == b).count()
    }

    #[test]
    fn pairs_are_those_of_the_plain_double_loop() {
        for (n_rows, n_columns, n_letters) in
            [(1, 1, 2), (70, 1, 3), (64, 63, 21), (65, 64, 4), (130, 65, 32), (129, 200, 33), (66, 130, 64)]
        {
            let sequences = families(n_rows, n_columns, n_letters, 1);
            let planes = LetterPlanes::new(&sequences);
            for most in [0, n_columns / 4, n_columns / 3, n_columns] {
                let found = Mutex::new(Vec::new());
                let execution = Execution::with_threads(2).unwrap();
                planes
                    .for_each_within(most, &execution, |row, first, mates| {
                        found.lock().unwrap().extend(ones(mates).map(|mate| (row, first + mate)));
                    })
                    .unwrap();
                let mut found = found.into_inner().unwrap();
                found.sort_unstable();
                let pairs = (0..n_rows).flat_map(|row| (0..row).map(move |mate| (row, mate)));
                let expected: Vec<_> =
                    pairs.filter(|&(row, mate)| n_columns - n_equal(&sequences, row, mate) <= most).collect();
                assert_eq!(found, expected, "{n_rows} x {n_columns}, q = {n_letters}, {most}");
            }
        }
    }

    #[test]
    fn an_identity_is_reached_by_its_own_value() {
        for n_columns in 1..300 {
            for equal in 1..=n_columns {
                let identity = equal as f64 / n_columns as f64;
                assert_eq!(columns_of_identity("theta", identity, n_columns).unwrap(), equal);
            }
        }
        // 0.55 * 100 is above 55 in f64.
        assert_eq!(columns_of_identity("theta", 0.55, 100).unwrap(), 55);
        for identity in [0.0, -0.1, 1.01, f64::NAN] {
            let error = columns_of_identity("theta", identity, 10).unwrap_err().to_string();
            assert!(error.starts_with("theta: expected a fraction"), "{error}");
        }
    }
}
