//! The public kernels of the span of the patterns: K a, and the steps of learning on coefficients. They check shapes, then
//! run the twin that the caller's [`Isa`] names.

use wide::f32x8;

use super::Isa;
#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::coordinate_steps::{self, CorrectedPanel, Correction, Relaxation, RelaxedPanel, Visits};
use super::dense_product::{self, DenseRows};
use super::dispatch::twins;
use super::lanes::Lanes;
use super::logistic::{self, SpanStep};
use super::portable::Wide;
use super::scalar::Plain;

/// `C[m][16] = sum_k K_mk a_k[16]` for real K, in ascending order of k, every term by one fused multiply-add.
///
/// `a` is `[k][16]`, `products` `[m][16]`.
///
/// # Panics
/// If the lengths do not fit together.
pub fn dense_product(isa: Isa, rows: &DenseRows, a: &[Lanes<f32>], products: &mut [Lanes<f32>]) {
    assert!(rows.has_shape(products.len(), a.len()));
    if a.is_empty() {
        return products.fill(Lanes::ZERO);
    }
    twins!(
        isa,
        avx2::dense_product(rows, a, products),
        dense_product::run::<Wide<f32x8>>(rows, a, products),
        dense_product::run::<Plain<f32>>(rows, a, products)
    );
}

/// The same for `products.len()` of the rows, from `first` on, with sums of 256 columns added as if in twice the precision;
/// `lost`, `[m][16]`, is scratch.
///
/// # Panics
/// If `first` is no multiple of 6, there are fewer rows, or the lengths do not fit together.
pub fn compensated_product(
    isa: Isa,
    rows: &DenseRows,
    first: usize,
    a: &[Lanes<f32>],
    products: &mut [Lanes<f32>],
    lost: &mut [Lanes<f32>],
) {
    assert!(rows.has_rows(first, products.len()) && rows.n_columns() == a.len());
    assert_eq!(lost.len(), products.len());
    twins!(
        isa,
        avx2::compensated_product(rows, first, a, products, lost),
        dense_product::run_compensated::<Wide<f32x8>>(rows, first, a, products, lost),
        dense_product::run_compensated::<Plain<f32>>(rows, first, a, products, lost)
    );
}

/// One step of gradient descent in the span of the patterns, on coefficients `a`, `[m][16]`, with `products` = K a and
/// `own` = sum_m xi a; `initial` are the fields of J(0), `[m][16]`, and what is left of it. Returns the new sum_m xi a.
///
/// ```text
/// margin = (xi (K a) - own) / N + xi share h(0)
/// a += gain xi sigma(-lambda margin) - decay a
/// ```
#[allow(clippy::too_many_arguments)]
pub fn span_step(
    isa: Isa,
    signs: &[u64],
    shift: u32,
    step: SpanStep,
    own: &Lanes<f32>,
    initial: Option<(&[Lanes<f32>], f32)>,
    products: &[Lanes<f32>],
    a: &mut [Lanes<f32>],
) -> Lanes<f32> {
    assert!(signs.len() == a.len() && products.len() == a.len());
    assert!(initial.is_none_or(|(fields, _)| fields.len() == a.len()));
    twins!(
        isa,
        avx2::span_step(signs, shift, step, own, initial, products, a),
        logistic::span_step::<Wide<f32x8>>(signs, shift, step, own, initial, products, a),
        logistic::span_step::<Plain<f32>>(signs, shift, step, own, initial, products, a)
    )
}

/// Steps to the optimum of one coefficient after the other, in the order of the patterns of `visits`: the
/// file `coordinate_steps.rs` has the formula. `a` are all coefficients, `[P][16]`, signed as xi; `products` are
/// (K a) of the patterns visited without the diagonal of K, before the first visit.
///
/// # Panics
/// If the lengths do not fit together.
pub fn relax(
    isa: Isa,
    visits: Visits,
    step: &Relaxation,
    a: &mut [Lanes<f32>],
    products: &mut [Lanes<f32>],
    panel: &mut RelaxedPanel,
) {
    visits.check(a, products);
    twins!(
        isa,
        avx2::relax(visits, step, a, products, panel),
        coordinate_steps::relax::<Wide<f32x8>>(visits, step, a, products, panel),
        coordinate_steps::relax::<Plain<f32>>(visits, step, a, products, panel)
    );
}

/// Adds 1 to the coefficient of each pattern of `visits` whose margin is too small when its turn comes: the
/// file `coordinate_steps.rs` has the formula. Arrays as in [`relax`].
///
/// # Panics
/// If the lengths do not fit together.
pub fn correct(
    isa: Isa,
    visits: Visits,
    step: Correction,
    a: &mut [Lanes<f32>],
    products: &mut [Lanes<f32>],
    panel: &mut CorrectedPanel,
) {
    visits.check(a, products);
    twins!(
        isa,
        avx2::correct(visits, step, a, products, panel),
        coordinate_steps::correct::<Wide<f32x8>>(visits, step, a, products, panel),
        coordinate_steps::correct::<Plain<f32>>(visits, step, a, products, panel)
    );
}
