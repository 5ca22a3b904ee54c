//! Which rows are repeated, exactly: rows are sorted and compared, not hashed.

use std::cmp::Ordering;

use crate::spins::{Sequences, SpinMatrix};

/// Rows with an order, equal only where they are the same.
pub(super) trait Rows {
    fn n_rows(&self) -> usize;
    /// Orders a row of `self` and one of `other`, which has rows of the same length.
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering;
}

impl Rows for SpinMatrix {
    fn n_rows(&self) -> usize {
        self.n_rows()
    }
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self.row(row).cmp(other.row(other_row))
    }
}

impl Rows for Sequences {
    fn n_rows(&self) -> usize {
        self.n_rows()
    }
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self.row(row).cmp(other.row(other_row))
    }
}

/// Spins of which a row and its opposite are the same.
pub(super) struct UpToSign<'a>(pub(super) &'a SpinMatrix);

impl UpToSign<'_> {
    /// The row of the two whose first spin is -1.
    fn words(&self, row: usize) -> impl Iterator<Item = u64> {
        let words = self.0.row(row);
        let flip = if words[0] & 1 == 1 { u64::MAX } else { 0 };
        let (last, last_mask) = (words.len() - 1, self.0.last_mask());
        let used = move |place| if place == last { last_mask } else { u64::MAX };
        words.iter().enumerate().map(move |(place, word)| (word ^ flip) & used(place))
    }
}

impl Rows for UpToSign<'_> {
    fn n_rows(&self) -> usize {
        self.0.n_rows()
    }
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self.words(row).cmp(other.words(other_row))
    }
}

/// Rows in their order.
pub(super) struct SortedRows<'a, R> {
    rows: &'a R,
    order: Vec<usize>,
}

impl<'a, R: Rows> SortedRows<'a, R> {
    pub(super) fn new(rows: &'a R) -> Self {
        let mut order: Vec<usize> = (0..rows.n_rows()).collect();
        order.sort_unstable_by(|&a, &b| rows.compare(a, rows, b));
        Self { rows, order }
    }

    /// Rows that are equal to an earlier one.
    pub(super) fn n_repeated(&self) -> usize {
        self.order.windows(2).filter(|pair| self.rows.compare(pair[0], self.rows, pair[1]).is_eq()).count()
    }

    /// Rows of `others` that are among these.
    pub(super) fn n_found(&self, others: &R) -> usize {
        let is_found = |&other: &usize| {
            self.order.binary_search_by(|&row| self.rows.compare(row, others, other)).is_ok()
        };
        (0..others.n_rows()).filter(is_found).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    /// Few spins, so that rows repeat; against all pairs, one by one.
    #[test]
    fn repeated_rows_are_those_of_the_plain_loop() {
        for n_spins in [1, 5, 7, 64, 70] {
            let mut rows = random_states(60, n_spins, 1).unwrap();
            let mut others = random_states(40, n_spins, 2).unwrap();
            // Long rows repeat where they are made to.
            rows = rows.select(&(0..60).map(|row| row % 47).collect::<Vec<_>>());
            others.row_mut(3).copy_from_slice(rows.row(9));
            rows.row_mut(20).copy_from_slice(others.row(7));
            (0..n_spins).for_each(|site| rows.flip(20, site));
            let signs = |states: &SpinMatrix, row: usize| -> Vec<i8> {
                (0..n_spins).map(|site| states.spin(row, site)).collect()
            };
            let repeated = |same: &dyn Fn(&[i8], &[i8]) -> bool| {
                let is = |&a: &usize| (0..a).any(|b| same(&signs(&rows, a), &signs(&rows, b)));
                (0..60).filter(is).count()
            };
            let found = |same: &dyn Fn(&[i8], &[i8]) -> bool| {
                let is = |&a: &usize| (0..60).any(|b| same(&signs(&others, a), &signs(&rows, b)));
                (0..40).filter(is).count()
            };
            let equal = |a: &[i8], b: &[i8]| a == b;
            let up_to_sign = |a: &[i8], b: &[i8]| a == b || a.iter().zip(b).all(|(a, b)| *a == -b);
            let sorted = SortedRows::new(&rows);
            assert_eq!((sorted.n_repeated(), sorted.n_found(&others)), (repeated(&equal), found(&equal)));
            let rows = UpToSign(&rows);
            let sorted = SortedRows::new(&rows);
            assert_eq!(sorted.n_repeated(), repeated(&up_to_sign));
            assert_eq!(sorted.n_found(&UpToSign(&others)), found(&up_to_sign));
        }
    }
}
