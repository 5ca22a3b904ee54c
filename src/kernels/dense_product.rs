//! The dense product of the Gram route: C[m][16] += sum_k K_mk a_k[16] for real K, columns in ascending order.
//!
//! Every term is a multiplication and then an addition, each rounded; current cores have ports for both, so nothing is
//! lost against fused operations, and the bits do not depend on the processor. Six states share each load of a_k; their
//! sums stay in twelve registers, and a broadcast of K feeds two multiplications.

use super::lanes::{FloatVector, Lanes};

/// States whose sums stay in registers.
pub const ROWS: usize = 6;

/// `rows` are sets of [`ROWS`] interleaved rows of K, `[m.div_ceil(6)][k][6]`; `a` is `[k][16]`, `products` `[m][16]`.
#[inline(always)]
pub(super) fn run<V: FloatVector>(rows: &[[f32; ROWS]], a: &[Lanes<f32>], products: &mut [Lanes<f32>]) {
    for (rows, products) in rows.chunks_exact(a.len()).zip(products.chunks_mut(ROWS)) {
        let mut sums = [V::splat(0.0); ROWS];
        for (sum, product) in sums.iter_mut().zip(&*products) {
            *sum = V::load(product);
        }
        for (row, a) in rows.iter().zip(a) {
            let a = V::load(a);
            for (sum, &factor) in sums.iter_mut().zip(row) {
                *sum = sum.add(V::splat(factor).mul(a));
            }
        }
        for (product, sum) in products.iter_mut().zip(sums) {
            sum.store(product);
        }
    }
}
