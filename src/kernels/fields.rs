//! Local fields, the f32 signed product, and what is done to them while they are in L1.
//!
//! Couplings come as a panel, or as rows of J as they lie in memory or in a mapped file; those are interleaved block by
//! block, while the next block is being fetched.

use super::lanes::{FloatVector, LANES, Lanes, prefetch_to_l2};
use super::logistic;
use super::signed_product::{BLOCK, Columns, Epilogue, Interleaved, Keep, Scratch, Signs, Start, run};
use super::tables::{Full, Half, Split};

/// From this number of states on, tables of all sums pay for their construction (see the [product](super::signed_product)).
const MANY_STATES: usize = 1200;
/// From this number of states on, half of a block's tables are worth it.
const SOME_STATES: usize = 512;

/// The couplings of up to 16 neurons.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Interleaved, `[k][16]`.
    Panel(&'a [Lanes<f32>]),
    /// Up to 16 whole rows, row-major; missing ones are zero.
    Rows {
        /// `[rows][n_columns]`.
        values: &'a [f32],
        /// Columns of a row.
        n_columns: usize,
    },
}

impl Source<'_> {
    /// Columns that a field sums over.
    pub fn n_columns(&self) -> usize {
        match self {
            Source::Panel(panel) => panel.len(),
            Source::Rows { n_columns, .. } => *n_columns,
        }
    }
}

/// What becomes of the fields of M states.
pub enum Finish<'a> {
    /// They are kept, `[m][16]`.
    Keep,
    /// They are written to another place, `[m][16]`, past the caches.
    Stream(&'a mut [Lanes<f32>]),
    /// They become residuals and are kept: h -> w_m xi sigma(-lambda xi h), where xi of lane l is bit `shift + l` of the
    /// state's sign.
    Residuals {
        /// `[m]`.
        signs: &'a [u64],
        /// 0, 16, 32 or 48.
        shift: u32,
        /// Inverse temperature of the loss.
        lambda: f32,
        /// Factors w_m, `[m]`; none: all 1.
        weights: Option<&'a [f32]>,
    },
    /// Zero-temperature update: bits `shift..shift + 16` of `next` become their signs; where a field is exactly 0, the bit
    /// of `ties`.
    Threshold {
        /// `[m]`.
        ties: &'a [u64],
        /// 0, 16, 32 or 48.
        shift: u32,
        /// `[m]`.
        next: &'a mut [u64],
    },
}

struct RowMajor<'a> {
    values: &'a [f32],
    n_columns: usize,
}

impl<V: FloatVector> Columns<V> for RowMajor<'_> {
    #[inline(always)]
    fn n_columns(&self) -> usize {
        self.n_columns
    }
    #[inline(always)]
    fn block<'s>(&'s self, block: usize, scratch: &'s mut [Lanes<f32>]) -> &'s [Lanes<f32>] {
        let first = block * BLOCK;
        let columns = &mut scratch[..BLOCK.min(self.n_columns - first)];
        interleave::<V>(self.values, self.n_columns, first, columns);
        for row in self.values.chunks_exact(self.n_columns) {
            // Rows at a power of two share a set of L1, which has room for eight. A fetch may name what is past the rows.
            let next = row.as_ptr().wrapping_add(first + BLOCK);
            (0..BLOCK).step_by(LANES).for_each(|column| prefetch_to_l2(next.wrapping_add(column)));
        }
        columns
    }
}

/// Adds the panel's own fields theta, then does what [`Finish`] says.
struct Finisher<'a, V> {
    theta: Option<&'a Lanes<f32>>,
    finish: Finish<'a>,
    vector: std::marker::PhantomData<V>,
}

impl<V: FloatVector> Epilogue<Lanes<f32>> for Finisher<'_, V> {
    #[inline(always)]
    fn finish(&mut self, first: usize, fields: &mut [Lanes<f32>]) {
        let states = first..first + fields.len();
        if let Some(theta) = self.theta {
            let theta = V::load(theta);
            for field in &mut *fields {
                V::load(field).add(theta).store(field);
            }
        }
        match &mut self.finish {
            Finish::Keep => {}
            Finish::Stream(target) => {
                for (field, target) in fields.iter().zip(&mut target[states]) {
                    V::load(field).stream(target);
                }
            }
            Finish::Residuals { signs, shift, lambda, weights } => {
                logistic::residuals::<V>(&signs[states.clone()], *shift, *lambda, fields);
                if let Some(weights) = weights {
                    for (field, &weight) in fields.iter_mut().zip(&weights[states]) {
                        V::load(field).mul(V::splat(weight)).store(field);
                    }
                }
            }
            Finish::Threshold { ties, shift, next } => {
                logistic::threshold::<V>(fields, &ties[states.clone()], *shift, &mut next[states]);
            }
        }
    }
}

/// The fields of all states, theta added last; `fields` has room for all, or, unless they are kept, for a tile of them.
#[inline(always)]
pub(super) fn local_fields<V: FloatVector>(
    signs: Signs,
    source: Source,
    theta: Option<&Lanes<f32>>,
    fields: &mut [Lanes<f32>], // [m][16]
    finish: Finish,
    scratch: &mut Scratch<Lanes<f32>>,
) {
    let mut end = Finisher { theta, finish, vector: std::marker::PhantomData::<V> };
    match source {
        Source::Panel(panel) => {
            choose::<V>(signs, &Interleaved(panel), Start::Zero, fields, scratch, &mut end)
        }
        Source::Rows { values, n_columns } => {
            choose::<V>(signs, &RowMajor { values, n_columns }, Start::Zero, fields, scratch, &mut end);
        }
    }
    V::fence();
}

/// The product with the tables that fit the number of states.
#[inline(always)]
pub(super) fn choose<V: FloatVector>(
    signs: Signs,
    columns: &impl Columns<V>,
    start: Start,
    sums: &mut [Lanes<f32>],
    scratch: &mut Scratch<Lanes<f32>>,
    epilogue: &mut impl Epilogue<Lanes<f32>>,
) {
    match signs.n_states {
        MANY_STATES.. => run::<V, Full, Half>(signs, columns, start, sums, scratch, epilogue),
        SOME_STATES.. => run::<V, Split, Half>(signs, columns, start, sums, scratch, epilogue),
        _ => run::<V, Split, Split>(signs, columns, start, sums, scratch, epilogue),
    }
}

/// `C += ...` for weights that lie interleaved.
#[inline(always)]
pub(super) fn accumulate<V: FloatVector>(
    signs: Signs,
    weights: &[Lanes<f32>],
    products: &mut [Lanes<f32>],
    scratch: &mut Scratch<Lanes<f32>>,
) {
    choose::<V>(signs, &Interleaved(weights), Start::Sums, products, scratch, &mut Keep);
}

/// Columns `first..` of up to 16 rows, `[rows][n_columns]`, interleaved; lanes of missing rows are 0.
#[inline(always)]
pub(super) fn interleave<V: FloatVector>(
    rows: &[f32],
    n_columns: usize,
    first: usize,
    columns: &mut [Lanes<f32>],
) {
    let mut sets = columns.chunks_exact_mut(LANES);
    let mut done = 0;
    if rows.len() == LANES * n_columns {
        for columns in &mut sets {
            V::interleave(rows, n_columns, first + done, columns.try_into().expect("a chunk of 16"));
            done += LANES;
        }
    }
    let rest = &mut columns[done..];
    rest.fill(Lanes::ZERO);
    for (lane, row) in rows.chunks_exact(n_columns).enumerate() {
        for (column, &value) in rest.iter_mut().zip(&row[first + done..]) {
            column.0[lane] = value;
        }
    }
}

/// The inverse of [`interleave`] for whole panels; lanes past the rows are dropped.
#[inline(always)]
pub(super) fn deinterleave<V: FloatVector>(panel: &[Lanes<f32>], rows: &mut [f32]) {
    let n_columns = panel.len();
    let mut done = 0;
    if rows.len() == LANES * n_columns {
        let mut rest = rows.chunks_exact_mut(n_columns);
        let mut rows: [&mut [f32]; LANES] = std::array::from_fn(|_| rest.next().unwrap_or_default());
        for columns in panel.chunks_exact(8) {
            V::deinterleave(columns.try_into().expect("a chunk of 8"), done, &mut rows);
            done += 8;
        }
    }
    for (lane, row) in rows.chunks_exact_mut(n_columns).enumerate() {
        for (value, column) in row[done..].iter_mut().zip(&panel[done..]) {
            *value = column.0[lane];
        }
    }
}
