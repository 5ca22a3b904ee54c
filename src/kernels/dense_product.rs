//! The dense product of the Gram route: C[m][16] = sum_k K_mk a_k[16] for real K, columns in ascending order.
//!
//! Every term is one fused multiply-add, which IEEE 754 defines to the bit: the vector twin and plain loops agree whether or
//! not the processor has the instruction (without it, it is slow). Six states share each load of a_k; their sums stay in
//! twelve registers, and a broadcast of K feeds two of the operations. Columns go in blocks whose a_k stay in L1.

use super::lanes::{FloatVector, Lanes};

/// States whose sums stay in registers.
pub(super) const ROWS: usize = 6;
/// Columns in a block: 16 KiB of a.
const BLOCK: usize = 256;

/// Rows of a dense matrix as the product reads them, from the first to the last: for each block of columns all sets of
/// six rows, interleaved, `[k / 256][m.div_ceil(6)][256][6]`.
#[derive(Clone, Debug)]
pub struct DenseRows {
    n_columns: usize,
    n_sets: usize,
    values: Vec<[f32; ROWS]>,
}

impl DenseRows {
    /// All zero; none if there is no memory for them.
    pub fn zeros(n_rows: usize, n_columns: usize) -> Option<Self> {
        let n_sets = n_rows.div_ceil(ROWS);
        let mut values = Vec::new();
        let len = n_sets.checked_mul(n_columns)?;
        values.try_reserve_exact(len).ok()?;
        values.resize(len, [0.0; ROWS]);
        Some(Self { n_columns, n_sets, values })
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Whether these are that many rows and columns, up to missing rows of the last set.
    pub(super) fn has_shape(&self, n_rows: usize, n_columns: usize) -> bool {
        (self.n_sets, self.n_columns) == (n_rows.div_ceil(ROWS), n_columns)
    }

    /// Whether rows can be taken from that one on, and there are as many, up to missing ones of the last set.
    pub(super) fn has_rows(&self, first: usize, n_rows: usize) -> bool {
        first.is_multiple_of(ROWS) && (first + n_rows).div_ceil(ROWS) <= self.n_sets
    }

    /// The values of a set of six rows in a column.
    #[inline(always)]
    pub(super) fn set_in_column(&self, set: usize, column: usize) -> &[f32; ROWS] {
        let (first, width) = self.block(column);
        &self.values[first * self.n_sets + set * width + column - first]
    }

    /// Bytes of a matrix of that shape.
    pub fn bytes(n_rows: usize, n_columns: usize) -> usize {
        n_rows.div_ceil(ROWS).saturating_mul(n_columns).saturating_mul(size_of::<[f32; ROWS]>())
    }

    /// The value of a row in a column.
    pub fn get(&self, row: usize, column: usize) -> f32 {
        self.set_in_column(row / ROWS, column)[row % ROWS]
    }

    /// Its blocks of 256 columns, to be filled.
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = DenseBlock<'_>> + Send {
        let (n_columns, n_sets) = (self.n_columns, self.n_sets);
        let blocks = self.values.chunks_mut((BLOCK * n_sets).max(1)).enumerate();
        blocks.map(move |(block, values)| {
            let first = block * BLOCK;
            DenseBlock { columns: first..n_columns.min(first + BLOCK), values }
        })
    }

    /// The block of a column: its first, and how many it has.
    fn block(&self, column: usize) -> (usize, usize) {
        let first = column / BLOCK * BLOCK;
        (first, BLOCK.min(self.n_columns - first))
    }
}

/// Some columns of all rows.
pub struct DenseBlock<'a> {
    columns: std::ops::Range<usize>,
    values: &'a mut [[f32; ROWS]],
}

impl DenseBlock<'_> {
    /// Its columns; the first is a multiple of 64.
    pub fn columns(&self) -> std::ops::Range<usize> {
        self.columns.clone()
    }

    /// Sets the value of a row in one of its columns.
    pub fn set(&mut self, row: usize, column: usize, value: f32) {
        let place = row / ROWS * self.columns.len() + column - self.columns.start;
        self.values[place][row % ROWS] = value;
    }
}

/// The sums of six rows over a block's columns, added one by one to `sums`.
#[inline(always)]
fn add_block<V: FloatVector>(rows: &[[f32; ROWS]], columns: &[Lanes<f32>], mut sums: [V; ROWS]) -> [V; ROWS] {
    for (row, a) in rows.iter().zip(columns) {
        let a = V::load(a);
        for (sum, &factor) in sums.iter_mut().zip(row) {
            *sum = sum.fused_add(V::splat(factor), a);
        }
    }
    sums
}

/// `a` is `[k][16]`, `products` `[m][16]`.
#[inline(always)]
pub(super) fn run<V: FloatVector>(rows: &DenseRows, a: &[Lanes<f32>], products: &mut [Lanes<f32>]) {
    let blocks = rows.values.chunks((BLOCK * rows.n_sets).max(1));
    for (block, (rows, columns)) in blocks.zip(a.chunks(BLOCK)).enumerate() {
        for (rows, products) in rows.chunks_exact(columns.len()).zip(products.chunks_mut(ROWS)) {
            let mut sums = [V::splat(0.0); ROWS];
            if block > 0 {
                for (sum, product) in sums.iter_mut().zip(&*products) {
                    *sum = V::load(product);
                }
            }
            let sums = add_block(rows, columns, sums);
            for (product, sum) in products.iter_mut().zip(sums) {
                sum.store(product);
            }
        }
    }
}

/// The rows from `first` on, a multiple of six. Blocks are summed on their own and added with what each addition loses
/// (D. E. Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B), which joins the sum at the end: `lost`,
/// `[m][16]`, is scratch.
#[inline(always)]
pub(super) fn run_compensated<V: FloatVector>(
    rows: &DenseRows,
    first: usize,
    a: &[Lanes<f32>],
    products: &mut [Lanes<f32>],
    lost: &mut [Lanes<f32>],
) {
    let zero = V::splat(0.0);
    for lanes in products.iter_mut().chain(&mut *lost) {
        zero.store(lanes);
    }
    let blocks = rows.values.chunks((BLOCK * rows.n_sets).max(1));
    for (rows, columns) in blocks.zip(a.chunks(BLOCK)) {
        let sets = rows[first / ROWS * columns.len()..].chunks_exact(columns.len());
        for ((rows, products), lost) in sets.zip(products.chunks_mut(ROWS)).zip(lost.chunks_mut(ROWS)) {
            let sums = add_block(rows, columns, [zero; ROWS]);
            for ((product, lost), block) in products.iter_mut().zip(lost).zip(sums) {
                let before = V::load(product);
                let sum = before.add(block);
                let added = sum.sub(before);
                let error = before.sub(sum.sub(added)).add(block.sub(added));
                V::load(lost).add(error).store(lost);
                sum.store(product);
            }
        }
    }
    for (product, lost) in products.iter_mut().zip(lost) {
        V::load(product).add(V::load(lost)).store(product);
    }
}
