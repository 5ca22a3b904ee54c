//! Every twin of the kernels of Potts spins against plain loops in f64, and against one another by bits.

use super::*;
use crate::random::{below, gaussian, stream, uniform};

/// A column of some shape, with everything the kernels read.
struct Case {
    n_columns: usize,
    n_letters: usize,
    column: usize,
    letters: Vec<u8>,
    table: Vec<f32>,
    theta: Vec<f32>,
    weights: Vec<f32>,
}

impl Case {
    fn new(n_rows: usize, n_columns: usize, n_letters: usize, column: usize) -> Self {
        let mut rng = stream(n_rows as u64, "letters test", &[n_columns as u64, n_letters as u64]);
        let lanes = letter_lanes(n_letters);
        let letters = (0..n_rows * n_columns).map(|_| below(&mut rng, n_letters as u64) as u8).collect();
        let mut table = vec![0.0; n_columns * n_letters * lanes];
        for (row, entry) in table.chunks_exact_mut(lanes).enumerate() {
            if row / n_letters != column {
                entry[..n_letters].fill_with(|| gaussian(&mut rng) as f32);
            }
        }
        let mut theta = vec![f32::NEG_INFINITY; lanes];
        theta[..n_letters].fill_with(|| gaussian(&mut rng) as f32);
        let weights = (0..n_rows).map(|_| uniform(&mut rng) as f32).collect();
        Self { n_columns, n_letters, column, letters, table, theta, weights }
    }

    fn letters(&self) -> Letters<'_> {
        Letters { letters: &self.letters, n_columns: self.n_columns, n_letters: self.n_letters }
    }

    fn n_rows(&self) -> usize {
        self.letters.len() / self.n_columns
    }

    fn lanes(&self) -> usize {
        letter_lanes(self.n_letters)
    }

    fn fields(&self, isa: Isa) -> Vec<f32> {
        let mut fields = vec![f32::NAN; self.n_rows() * self.lanes()];
        fields_of_letters(isa, self.letters(), &self.table, &self.theta, &mut fields);
        fields
    }

    /// Fields of all letters of row m, in f64.
    fn plain_fields(&self, m: usize) -> Vec<f64> {
        let row = &self.letters[m * self.n_columns..][..self.n_columns];
        let entry = |j: usize, a: usize| {
            f64::from(self.table[(j * self.n_letters + usize::from(row[j])) * self.lanes() + a])
        };
        let field = |a| f64::from(self.theta[a]) + (0..self.n_columns).map(|j| entry(j, a)).sum::<f64>();
        (0..self.n_letters).map(field).collect()
    }

    fn present(&self, m: usize) -> usize {
        usize::from(self.letters[m * self.n_columns + self.column])
    }
}

/// One to eight vectors, whole and not; more columns than a tile holds, and one.
fn cases() -> Vec<Case> {
    let shapes = [
        (1, 1, 2, 0),
        (7, 5, 3, 4),
        (33, 130, 5, 7),
        (50, 31, 8, 30),
        (61, 29, 21, 11),
        (20, 9, 33, 0),
        (9, 6, 41, 3),
        (11, 4, 50, 1),
        (6, 3, 64, 2),
    ];
    shapes
        .map(|(n_rows, n_columns, n_letters, column)| Case::new(n_rows, n_columns, n_letters, column))
        .into()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn fields_of_letters_equal_the_plain_sum() {
    for case in cases() {
        let reference = case.fields(Isa::Scalar);
        for m in 0..case.n_rows() {
            let row = &reference[m * case.lanes()..][..case.lanes()];
            // As many roundings as columns, of numbers up to some sqrt(L).
            let tolerance = 6e-8 * (case.n_columns as f64).powf(1.5) * 4.0;
            for (field, plain) in row.iter().zip(case.plain_fields(m)) {
                assert!((f64::from(*field) - plain).abs() < tolerance, "{field} {plain}");
            }
            assert!(row[case.n_letters..].iter().all(|&x| x == f32::NEG_INFINITY));
        }
        for isa in Isa::available() {
            assert_eq!(bits(&case.fields(isa)), bits(&reference), "{}", isa.name());
        }
    }
}

#[test]
fn residuals_are_those_of_the_softmax() {
    for (case, lambda) in cases().into_iter().zip([0.3, 1.0, 3.0, 8.0].into_iter().cycle()) {
        for weights in [None, Some(&case.weights[..])] {
            let of = |isa| {
                let mut fields = case.fields(isa);
                letter_residuals(isa, case.letters(), case.column, lambda, weights, &mut fields);
                fields
            };
            let reference = of(Isa::Scalar);
            for m in 0..case.n_rows() {
                let fields = case.plain_fields(m);
                let exponential =
                    |b: usize| (f64::from(lambda) * (fields[b] - fields[case.present(m)])).exp();
                let sum: f64 = (0..case.n_letters).map(exponential).sum();
                let others = sum - 1.0;
                let weight = weights.map_or(1.0, |weights| f64::from(weights[m]));
                let row = &reference[m * case.lanes()..][..case.lanes()];
                for (a, residual) in row[..case.n_letters].iter().enumerate() {
                    let share = if a == case.present(m) { others } else { -exponential(a) };
                    let expected = weight * share / sum;
                    // Rounding of the fields, times lambda.
                    let tolerance = 2e-5 * f64::from(lambda).max(1.0) * expected.abs() + 1e-37;
                    // The plain difference sum - 1 has lost the digits below 1e-16.
                    let tolerance = tolerance + if a == case.present(m) { 1e-15 } else { 0.0 };
                    assert!((f64::from(*residual) - expected).abs() < tolerance, "{residual} {expected}");
                }
                assert!(row[case.n_letters..].iter().all(|&x| x == 0.0));
            }
            for isa in Isa::available() {
                assert_eq!(bits(&of(isa)), bits(&reference), "{}", isa.name());
            }
        }
    }
}

#[test]
fn losses_are_those_of_the_softmax() {
    for (case, lambda) in cases().into_iter().zip([0.3, 1.0, 3.0].into_iter().cycle()) {
        let of = |isa| {
            let mut losses = vec![[f32::NAN; 2]; case.n_rows()];
            letter_losses(isa, case.letters(), case.column, lambda, &case.fields(isa), &mut losses);
            losses
        };
        let reference = of(Isa::Scalar);
        for (m, [above, others]) in reference.iter().enumerate() {
            let fields = case.plain_fields(m);
            let exponential = |b: usize| (f64::from(lambda) * (fields[b] - fields[case.present(m)])).exp();
            let expected = (0..case.n_letters).map(exponential).sum::<f64>().ln();
            let (above, others) = (f64::from(*above), f64::from(*others));
            let found = above + ((-above).exp() + others).ln();
            assert!((found - expected).abs() < 1e-4 * expected.max(1.0), "{found} {expected}");
            let is_largest = fields.iter().all(|&field| field <= fields[case.present(m)]);
            assert_eq!(above == 0.0, is_largest);
        }
        for isa in Isa::available() {
            assert_eq!(bits(of(isa).as_flattened()), bits(reference.as_flattened()), "{}", isa.name());
        }
    }
}

#[test]
fn the_pull_is_the_sum_of_residuals_by_letter() {
    for case in cases() {
        let fields = case.fields(Isa::Scalar);
        let residuals: Vec<f32> = fields.iter().map(|x| if x.is_finite() { *x } else { 0.0 }).collect();
        let of = |isa| {
            let mut pull = case.table.clone();
            let mut scratch = vec![f32::NAN; pull_scratch(case.n_columns, case.n_letters)];
            letter_pull(isa, case.letters(), &residuals, &mut pull, &mut scratch);
            pull
        };
        let reference = of(Isa::Scalar);
        let mut plain: Vec<f64> = case.table.iter().map(|&x| f64::from(x)).collect();
        for (m, residual) in residuals.chunks_exact(case.lanes()).enumerate() {
            for j in 0..case.n_columns {
                let letter = usize::from(case.letters[m * case.n_columns + j]);
                let entry = &mut plain[(j * case.n_letters + letter) * case.lanes()..];
                for (sum, &x) in entry.iter_mut().zip(residual) {
                    *sum += f64::from(x);
                }
            }
        }
        // At most 61 additions of numbers up to some sqrt(130) each.
        let worst = reference.iter().zip(&plain).map(|(x, y)| (f64::from(*x) - y).abs()).fold(0.0, f64::max);
        assert!(worst < 61.0 * 61.0 * 40.0 * 6e-8, "{worst}");
        for isa in Isa::available() {
            assert_eq!(bits(&of(isa)), bits(&reference), "{}", isa.name());
        }
    }
}

/// Fields of few values, so that ties occur: the letter that is there stays, else the lowest wins.
#[test]
fn the_largest_letter_wins_and_ties_keep() {
    for mut case in cases() {
        case.table.iter_mut().for_each(|x| *x = x.round());
        case.theta.iter_mut().for_each(|x| *x = x.round());
        for isa in Isa::available() {
            let mut next = vec![u8::MAX; case.n_rows()];
            largest_letters(isa, case.letters(), case.column, &case.fields(isa), &mut next);
            for (m, &next) in next.iter().enumerate() {
                let fields = case.plain_fields(m);
                let most = fields.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let lowest = fields.iter().position(|&field| field == most).unwrap();
                let expected = if fields[case.present(m)] == most { case.present(m) } else { lowest };
                assert_eq!(usize::from(next), expected);
            }
        }
    }
}
