//! The same fields twice: from patterns in exact integers, and from stored Hebb couplings in f32.
//!
//! Stored couplings are integers, so that a field in f32 is exact as long as no partial sum leaves the integers that f32
//! holds: surely where A_i = sum_j |N J_ij| <= 2^24. Beyond, every one of the m additions that a term passes through rounds by at most
//! u = 2^-24 of its result, which adds up to less than m u / (1 - m u) A_i (N. J. Higham, Accuracy and Stability of
//! Numerical Algorithms, 2nd ed., section 4.2).

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::analysis::matrix_free::MatrixFreeHebb;
use crate::couplings::Couplings;
use crate::dynamics::LocalFields;
use crate::error::Result;
use crate::spins::{BlockMajor, WORD};

/// Largest A_i at which a field is surely exact.
const EXACT: f64 = (1u64 << 24) as f64;
/// Additions within a group of columns, and the group's size: the order of all sums.
const GROUP_DEPTH: usize = 3;
const GROUP: usize = 8;

/// How far fields N h_ki from stored couplings are from exact ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Fields compared, N a state.
    pub n_fields: u64,
    /// Those that f32 surely holds exactly.
    pub n_exact: u64,
    /// Those of them that differ all the same: 0, or something is wrong.
    pub n_exact_different: u64,
    /// Of all fields, those that differ.
    pub n_different: u64,
    /// Largest difference, in units of N h.
    pub largest_difference: f64,
    /// Largest difference as a share of its bound: above 1, something is wrong.
    pub largest_share_of_bound: f64,
}

impl Agreement {
    /// Whether fields are equal where f32 is exact, and within the bound of rounding elsewhere.
    pub fn holds(&self) -> bool {
        self.n_exact_different == 0 && self.largest_share_of_bound <= 1.0
    }

    fn add(&mut self, difference: f64, magnitude: f64, depth: f64) {
        let is_different = difference != 0.0;
        self.n_fields += 1;
        self.n_different += u64::from(is_different);
        self.largest_difference = self.largest_difference.max(difference);
        if magnitude <= EXACT {
            self.n_exact += 1;
            self.n_exact_different += u64::from(is_different);
        } else {
            let rounding = depth * f64::from(f32::EPSILON) / 2.0;
            let bound = rounding / (1.0 - rounding) * magnitude;
            self.largest_share_of_bound = self.largest_share_of_bound.max(difference / bound);
        }
    }

    /// Adds the fields of another comparison.
    pub fn merge(&mut self, other: &Self) {
        self.n_fields += other.n_fields;
        self.n_exact += other.n_exact;
        self.n_exact_different += other.n_exact_different;
        self.n_different += other.n_different;
        self.largest_difference = self.largest_difference.max(other.largest_difference);
        self.largest_share_of_bound = self.largest_share_of_bound.max(other.largest_share_of_bound);
    }
}

/// Compares the fields of `states` under `couplings`, the integer counts of [`hebb`](crate::learning::hebb) of the same
/// patterns, with those that `hebb` makes.
///
/// # Errors
/// If the sizes do not fit together, the memory allowed is too little or missing, or interrupted.
pub fn compare_with_couplings(
    couplings: &Couplings,
    hebb: &MatrixFreeHebb<'_>,
    states: &BlockMajor,
) -> Result<Agreement> {
    let n_spins = couplings.n_spins();
    let stored = LocalFields::new(couplings, states, hebb.execution())?;
    let magnitudes: Vec<f64> = couplings
        .values()
        .chunks_exact(n_spins)
        .map(|row| row.iter().map(|&count| f64::from(count.abs())).sum())
        .collect();
    let depth = (n_spins.div_ceil(GROUP) + GROUP_DEPTH) as f64;
    let total = Mutex::new(Agreement::default());
    hebb.margins(states, |tile| {
        let mut agreement = Agreement::default();
        for (offset, margins) in tile.margins.iter().enumerate() {
            let site = tile.first_site + offset;
            for (state, &margin) in tile.states.clone().zip(margins) {
                let spin =
                    if states.block(site / WORD)[state] >> (site % WORD) & 1 == 1 { 1.0 } else { -1.0 };
                let difference = (f64::from(stored.get(state, site)) * spin - margin as f64).abs();
                agreement.add(difference, magnitudes[site], depth);
            }
        }
        total.lock().unwrap_or_else(PoisonError::into_inner).merge(&agreement);
    })?;
    Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
}
