//! Rows of packed spins made in parallel, each from random streams of its own.

use rand_core::Rng;
use rand_pcg::Pcg64;

use crate::error::Result;
use crate::execution::Execution;
use crate::spins::{SpinMatrix, WORD};

/// Rows that one task makes: enough to hide the cost of handing it out, few enough to stop soon when cancelled.
const ROWS_A_TASK: usize = 16;

/// The matrix whose row r is what `make(r, words)` writes; `words` come zeroed, pad bits are to be left zero.
///
/// # Errors
/// If the rows do not fit in memory, or the run is cancelled.
pub(super) fn make_rows(
    execution: &Execution,
    what: &str,
    n_rows: usize,
    n_spins: usize,
    make: impl Fn(usize, &mut [u64]) + Sync,
) -> Result<SpinMatrix> {
    let width = n_spins.div_ceil(WORD);
    let mut matrix = SpinMatrix::try_all_down(what, n_rows, n_spins)?;
    if width > 0 {
        let progress = execution.progress();
        progress.begin(what, n_rows as u64);
        let made = execution.for_each(
            matrix.words_mut().chunks_mut(width * ROWS_A_TASK).enumerate(),
            || (),
            |(), (task, rows)| {
                for (offset, row) in rows.chunks_exact_mut(width).enumerate() {
                    make(task * ROWS_A_TASK + offset, row);
                    debug_assert!(row.last().is_none_or(|word| word & !used_bits(n_spins, width - 1) == 0));
                }
                progress.advance((rows.len() / width) as u64);
                Ok(())
            },
        );
        progress.end();
        made?;
    }
    Ok(matrix)
}

/// Fills the words from word `first` on of a row of `n_spins` spins with the numbers of `rng`, one a word, counted from
/// the generator's present state: any part of a row can be made without the rest.
pub(super) fn fill_random(mut rng: Pcg64, n_spins: usize, first: usize, words: &mut [u64]) {
    rng.advance(first as u128);
    for (word, target) in words.iter_mut().enumerate() {
        *target = rng.next_u64() & used_bits(n_spins, first + word);
    }
}

/// The bits of word `word` of a row that hold spins.
pub(super) fn used_bits(n_spins: usize, word: usize) -> u64 {
    match n_spins.saturating_sub(word * WORD) {
        0 => 0,
        used if used < WORD => (1 << used) - 1,
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn any_part_of_a_row_equals_that_part_of_the_whole() {
        let rng = || stream(3, "row test", &[]);
        let mut whole = [0; 5];
        fill_random(rng(), 290, 0, &mut whole);
        assert_eq!(whole[4] >> 34, 0, "pad bits");
        for first in 0..5 {
            let mut part = [0; 2];
            let part = &mut part[..2.min(5 - first)];
            fill_random(rng(), 290, first, part);
            assert_eq!(part, &whole[first..][..part.len()]);
        }
    }

    #[test]
    fn rows_beyond_memory_are_refused() {
        let execution = Execution::with_threads(1).unwrap();
        for n_rows in [usize::MAX, usize::MAX / 1024] {
            assert!(make_rows(&execution, "patterns", n_rows, 640, |_, _| ()).is_err());
        }
    }
}
