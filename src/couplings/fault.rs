//! Values that may not be in couplings.

/// The first value among whole rows, from row `first_row` on, that is not finite or, without self-coupling, a non-zero
/// diagonal one.
pub(super) fn first_fault(
    n_spins: usize,
    first_row: usize,
    rows: &[f32],
    self_coupling: bool,
) -> Option<(usize, usize, f32)> {
    rows.chunks_exact(n_spins).enumerate().find_map(|(offset, row)| {
        let i = first_row + offset;
        let may_be = |j: usize, x: f32| x.is_finite() && (self_coupling || i != j || x == 0.0);
        // A sum of finite values times zero is zero: one branch a row while all is well.
        let sound = may_be(i, row[i]) && row.iter().fold(0.0, |sum, x| sum + x * 0.0) == 0.0;
        let fault = |(j, x): (usize, &f32)| (!may_be(j, *x)).then_some((i, j, *x));
        if sound { None } else { row.iter().enumerate().find_map(fault) }
    })
}

/// What [`first_fault`] expected in place of what it found.
pub(super) fn fault_expected(i: usize, j: usize, self_coupling: bool) -> &'static str {
    if i == j && !self_coupling { "0 on the diagonal" } else { "a finite number" }
}
