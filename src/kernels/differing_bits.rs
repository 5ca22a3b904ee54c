//! Bits times bits: in how many places do two columns differ, for all pairs of 32 columns with 32.
//!
//! Hebb counts (sum_mu xi_i xi_j = P - 2 d_ij), Gram matrices (xi^mu . xi^nu = N - 2 d) and sets of overlaps are this
//! count. It is the method of the four Russians inside a register: columns come as *nibble planes* `[k / 4][32]` bytes,
//! byte c of plane k holding bits 4k..4k+3 of column c. For a nibble a of one column, the 16 possible values of
//! popcount(a ^ b) fit a vector, and one byte shuffle looks them up for 32 columns b at once:
//!
//! ```text
//! for each plane k:
//!     for each column i of the first block: bytes[i] += shuffle(table[a_ik], plane)
//! ```
//!
//! 1. Eight columns i share each load of a plane; their eight sums stay in registers.
//! 2. A byte holds 63 sums of at most 4, so sums are widened every [`PLANES_PER_BYTE`] planes.
//! 3. Missing rows and columns are zero nibbles in both blocks, which never differ.

/// Columns in a block.
pub const PLANE_WIDTH: usize = 32;
/// Planes whose sums of at most 4 fit a byte.
const PLANES_PER_BYTE: usize = 63;
/// Columns of the first block handled together.
const TOGETHER: usize = 8;

/// One plane, or one byte sum a column.
pub type Plane = [u8; PLANE_WIDTH];

/// 32 bytes in registers.
pub(super) trait Bytes: Copy {
    fn zero() -> Self;
    fn load(plane: &Plane) -> Self;
    fn store(self, plane: &mut Plane);
    /// Byte-wise sum, without overflow.
    fn add(self, other: Self) -> Self;
    /// popcount(a ^ b) of each byte b < 16, where a is byte `column` of `nibbles`.
    fn differing_from(self, nibbles: u64, column: usize) -> Self;
}

/// `counts[i][j]` += places in which column i of `a` differs from column j of `b`; both are `[k]` planes.
#[inline(always)]
pub(super) fn run<V: Bytes>(a: &[Plane], b: &[Plane], counts: &mut [[u32; PLANE_WIDTH]; PLANE_WIDTH]) {
    for (a, b) in a.chunks(PLANES_PER_BYTE).zip(b.chunks(PLANES_PER_BYTE)) {
        for (set, counts) in counts.chunks_exact_mut(TOGETHER).enumerate() {
            let mut sums = [V::zero(); TOGETHER];
            for (a, b) in a.iter().zip(b) {
                let columns = V::load(b);
                // One word, not eight bytes: taking them apart in a general register is what the loop has time for.
                let mut nibbles = [0; TOGETHER];
                nibbles.copy_from_slice(&a[set * TOGETHER..][..TOGETHER]);
                let nibbles = u64::from_le_bytes(nibbles);
                for (column, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(columns.differing_from(nibbles, column));
                }
            }
            for (counts, sum) in counts.iter_mut().zip(sums) {
                let mut bytes = [0; PLANE_WIDTH];
                sum.store(&mut bytes);
                for (count, byte) in counts.iter_mut().zip(bytes) {
                    *count += u32::from(byte);
                }
            }
        }
    }
}

/// popcount(a ^ b) for nibbles, `[a][b]`.
pub(super) static DIFFERING: [[u8; 16]; 16] = {
    let mut table = [[0; 16]; 16];
    let mut a = 0;
    while a < 16 {
        let mut b = 0;
        while b < 16 {
            table[a][b] = (a ^ b).count_ones() as u8;
            b += 1;
        }
        a += 1;
    }
    table
};
