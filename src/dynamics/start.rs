//! Where dynamics starts: corrupted copies of given states, or random ones. One stream a state.

use rand_core::Rng;

use crate::error::{Error, Result};
use crate::random::{distinct, stream};
use crate::spins::SpinMatrix;

/// Flips that take a state of `n_spins` to overlap `overlap` with itself: floor(N (1 - m) / 2).
///
/// # Errors
/// If the overlap is not within -1..=1.
pub fn n_flips(n_spins: usize, overlap: f64) -> Result<usize> {
    if !(-1.0..=1.0).contains(&overlap) {
        return Err(Error::parameter("overlap", "a number from -1 to 1", overlap));
    }
    // Where N (1 - m) / 2 is an integer, rounding of m must not push it below.
    let flips = n_spins as f64 * (1.0 - overlap) / 2.0;
    Ok(((flips + 1e-9 * (1.0 + flips)).floor() as usize).min(n_spins))
}

/// Copies of the rows of `states` with [`n_flips`] distinct random spins flipped in each. Flips of one seed are nested:
/// a smaller overlap keeps those of a larger one.
///
/// # Errors
/// If the overlap is not within -1..=1.
pub fn at_overlap(states: &SpinMatrix, overlap: f64, seed: u64) -> Result<SpinMatrix> {
    let count = n_flips(states.n_spins(), overlap)?;
    let mut corrupted = states.clone();
    for row in 0..states.n_rows() {
        let mut rng = stream(seed, "flips", &[row as u64]);
        for site in distinct(&mut rng, count, states.n_spins()) {
            corrupted.flip(row, site);
        }
    }
    Ok(corrupted)
}

/// `n_states` states of independent fair spins.
///
/// # Errors
/// If memory for them is missing.
pub fn random_states(n_states: usize, n_spins: usize, seed: u64) -> Result<SpinMatrix> {
    let mut states = SpinMatrix::try_all_down("random states", n_states, n_spins)?;
    let last = states.last_mask();
    for row in 0..n_states {
        let mut rng = stream(seed, "random state", &[row as u64]);
        let words = states.row_mut(row);
        words.fill_with(|| rng.next_u64());
        if let Some(word) = words.last_mut() {
            *word &= last;
        }
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrupted_states_have_the_overlap_asked_for() {
        let states = random_states(20, 130, 1).unwrap();
        for overlap in [1.0, 0.8, 0.05, 0.0, -1.0] {
            let flips = n_flips(130, overlap).unwrap();
            let corrupted = at_overlap(&states, overlap, 2).unwrap();
            for row in 0..20 {
                let differing = (0..130).filter(|&i| states.spin(row, i) != corrupted.spin(row, i)).count();
                assert_eq!(differing, flips);
            }
        }
        assert_eq!(n_flips(10, 0.8).unwrap(), 1);
        assert_eq!(n_flips(1000, 0.2).unwrap(), 400);
        assert_eq!(n_flips(7, 0.5).unwrap(), 1);
        assert!(n_flips(10, 1.1).is_err() && n_flips(10, f64::NAN).is_err());
    }
}
