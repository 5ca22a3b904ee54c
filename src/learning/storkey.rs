//! Storkey's rule: incremental, local, and of larger capacity than Hebb's (A. Storkey, ICANN 1997, LNCS 1327, 451).
//!
//! ```text
//! J_ij += (1/N) (xi_i xi_j - xi_i h_ji - h_ij xi_j),   h_ij = sum over k except i and j of J_ik xi_k,   J_ii = 0
//! ```
//!
//! pattern after pattern, in the order of the data. As J is symmetric, h_ij = h_i - J_ij xi_j with the local field h, so for
//! i != j
//!
//! ```text
//! J <- g J + (1/N) (xi u^T + u xi^T),   g = 1 + 2/N,   u = xi/2 - h
//! ```
//!
//! Hence patterns go in blocks of 64. The fields of a block's patterns are taken from the couplings before it by one signed
//! product; u then follows pattern by pattern in f64, the earlier ones of the block entering through
//!
//! ```text
//! h^nu = g^nu J xi^nu + (1/N) sum_{k < nu} g^(nu-1-k) [xi^k (u^k . xi^nu) + u^k (xi^k . xi^nu) - 2 xi^k u^k xi^nu]
//! ```
//!
//! (products without a dot are entry by entry: the diagonal that J has not); and J takes all of the block at once, with
//! W_ij = (1/N) sum_k g^(m-1-k) u_i^k xi_j^k by signed products: J <- g^m J + W + W^T. About 3 N^2 P signed products in all.
//! Both of W_ij and W_ji are summed in the canonical order wherever they are made, so J is symmetric to the bit.

use super::panelwise::room_for_couplings;
use super::patterns::{PatternBits, check_patterns};
use crate::couplings::{Couplings, PANEL, RowRange, n_panels};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{
    Finish, LANES, Lanes, Signs, Source, Tables, hamming_distance, local_fields, signed_product,
};
use crate::spins::{SpinMatrix, WORD};

/// Below this N a block of 64 patterns magnifies rounding too much: g^64 is 7 here.
const FEW_SPINS: usize = 64;
/// Patterns of a block: one word of a spin.
const BLOCK: usize = WORD;
/// Neurons that a task takes through a pattern: their part of a block, in f64, is 512 KiB.
const CHUNK: usize = 32 * PANEL;
/// Neurons whose rows a task updates.
const STRIP: usize = 8 * PANEL;

/// Couplings of the rows of `patterns`, symmetric to the bit, of scale 1.
///
/// # Errors
/// If there are no patterns or no spins; if memory is missing; if interrupted.
pub fn storkey(patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
    check_patterns(patterns)?;
    let bits = PatternBits::new(patterns);
    let n_spins = bits.n_spins();
    if n_spins < FEW_SPINS {
        return of_few_spins(patterns, execution);
    }
    let mut couplings = room_for_couplings(n_spins, RowRange::all(n_spins), execution)?;
    let mut lanes = Vec::new();
    if lanes.try_reserve_exact(n_panels(n_spins) * BLOCK).is_err() {
        return Err(Error::parameter("n", "memory for the fields of 64 patterns", n_spins));
    }
    lanes.resize(n_panels(n_spins) * BLOCK, Lanes::ZERO);
    let mut chunks: Vec<Chunk> = (0..n_spins.div_ceil(CHUNK)).map(|_| Chunk::new()).collect();
    let n_blocks = bits.n_patterns().div_ceil(BLOCK);
    execution.progress().begin("learning (storkey)", n_blocks as u64);
    for block in 0..n_blocks {
        let first = block * BLOCK;
        let size = BLOCK.min(bits.n_patterns() - first);
        fields(&couplings, &bits, first, size, &mut lanes, execution)?;
        corrections(patterns, bits.by_spin().block(block), first, size, &mut chunks, &mut lanes, execution)?;
        update(&mut couplings, bits.by_spin().block(block), size, &lanes, execution)?;
        if !couplings.row_norms(execution)?.iter().all(|norm| norm.is_finite()) {
            return Err(overflow(first + size, n_spins));
        }
        execution.progress().advance(1);
    }
    execution.progress().end();
    Ok(couplings)
}

/// The rule's couplings grow without bound far above its capacity.
fn overflow(n_patterns: usize, n_spins: usize) -> Error {
    let expected = format!("so few that couplings of N = {n_spins} spins stay finite");
    Error::parameter("patterns", expected, format!("an overflow within the first {n_patterns}"))
}

/// The definition, pattern by pattern in f64: where N is small, g^64 would magnify the rounding of a block.
fn of_few_spins(patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
    let n = patterns.n_spins();
    let mut couplings = vec![0.0f64; n * n];
    for mu in 0..patterns.n_rows() {
        execution.check_cancelled()?;
        let x: Vec<f64> = (0..n).map(|i| f64::from(patterns.spin(mu, i))).collect();
        let field = |row: &[f64]| row.iter().zip(&x).map(|(j, x)| j * x).sum::<f64>();
        let h: Vec<f64> = couplings.chunks_exact(n).map(field).collect();
        for i in 0..n {
            for j in 0..i {
                let (forth, back) = (i * n + j, j * n + i);
                let change = x[i] * x[j] - x[i] * h[j] - h[i] * x[j] + 2.0 * couplings[forth];
                couplings[forth] += change / n as f64;
                couplings[back] = couplings[forth];
            }
        }
    }
    let rows: Vec<f32> = couplings.iter().map(|&coupling| coupling as f32).collect();
    if rows.iter().all(|coupling| coupling.is_finite()) {
        Couplings::from_rows(n, rows)
    } else {
        Err(overflow(patterns.n_rows(), n))
    }
}

/// Bytes that [`storkey`] takes: 4 N^2, packed patterns, a block's fields and numbers in f64, each thread's scratch.
pub fn storkey_bytes(n_patterns: usize, n_spins: usize, n_threads: usize) -> u64 {
    let (p, n) = (n_patterns as u64, n_spins as u64);
    let chunks = (n.div_ceil(CHUNK as u64)) * (2 * BLOCK as u64 + 2) * 8 * CHUNK as u64;
    let scratch = 64 * n + 4 * (STRIP as u64 + 16) * n + (132 << 10);
    4 * n * n + n * p / 4 + 4 * BLOCK as u64 * n + chunks + n_threads as u64 * scratch
}

/// g, what a pattern multiplies earlier couplings by.
fn growth(n_spins: usize) -> f64 {
    1.0 + 2.0 / n_spins as f64
}

/// J xi of `size` patterns from `first` on, into `lanes`, `[panel][k][16]`.
fn fields(
    couplings: &Couplings,
    bits: &PatternBits,
    first: usize,
    size: usize,
    lanes: &mut [Lanes<f32>],
    execution: &Execution,
) -> Result<()> {
    let n_columns = couplings.n_spins();
    execution.for_each(lanes.chunks_exact_mut(BLOCK).enumerate(), Tables::new, |tables, (panel, fields)| {
        let words = &bits.by_pattern().words()[first..];
        let signs = Signs { words, stride: bits.n_patterns(), n_states: size };
        let source = Source::Rows { values: couplings.panel(panel), n_columns };
        local_fields(execution.isa(), signs, source, &mut fields[..size], Finish::Keep, tables);
        Ok(())
    })
}

/// What a block's patterns are at some neurons. Neurons past the last have spins, and so all else, 0.
struct Chunk {
    spins: Vec<f64>, // [k][CHUNK]
    u: Vec<f64>,     // [k][CHUNK]
    /// (2/N) sum_k g^(..) xi^k u^k, what J would have on its diagonal.
    diagonal: Vec<f64>, // [CHUNK]
    field: Vec<f64>, // [CHUNK]
    /// u . xi^l of the last pattern with each of the block.
    products: [f64; BLOCK],
}

/// The terms that earlier patterns of the block add to the field of one of them.
struct Terms {
    /// g^nu, the factor of J xi.
    growth: f64,
    /// Factors of xi^k and of u^k.
    factors: Vec<(f64, f64)>,
}

impl Chunk {
    fn new() -> Self {
        let zeros = |len| vec![0.0; len];
        Self {
            spins: zeros(BLOCK * CHUNK),
            u: zeros(BLOCK * CHUNK),
            diagonal: zeros(CHUNK),
            field: zeros(CHUNK),
            products: [0.0; BLOCK],
        }
    }

    /// Begins a block whose pattern k is bit k of each neuron's word.
    fn begin(&mut self, words: &[u64], size: usize) {
        self.diagonal.fill(0.0);
        for (k, spins) in self.spins.chunks_exact_mut(CHUNK).enumerate().take(size) {
            for (spin, word) in spins.iter_mut().zip(words) {
                *spin = if word >> k & 1 == 1 { 1.0 } else { -1.0 };
            }
        }
    }

    /// Takes pattern nu of the block, of `size`; `lanes` are the fields before the block, `[panel][k][16]`.
    fn learn(&mut self, nu: usize, size: usize, terms: &Terms, lanes: &[Lanes<f32>], n_spins: usize) {
        let Self { spins, u, diagonal, field, products } = self;
        for (field, lanes) in field.chunks_exact_mut(LANES).zip(lanes.chunks_exact(BLOCK)) {
            for (field, &before) in field.iter_mut().zip(&lanes[nu].0) {
                *field = terms.growth * f64::from(before);
            }
        }
        let earlier = spins.chunks_exact(CHUNK).zip(u.chunks_exact(CHUNK));
        for (&(of_spins, of_u), (spins, u)) in terms.factors.iter().zip(earlier) {
            for (field, (spin, u)) in field.iter_mut().zip(spins.iter().zip(u)) {
                *field += of_spins * spin + of_u * u;
            }
        }
        let own = &spins[nu * CHUNK..][..CHUNK];
        let u = &mut u[nu * CHUNK..][..CHUNK];
        let (growth, share) = (growth(n_spins), 2.0 / n_spins as f64);
        for (((u, &spin), diagonal), &field) in u.iter_mut().zip(own).zip(diagonal).zip(&*field) {
            *u = 0.5 * spin - (field - *diagonal * spin);
            *diagonal = growth * *diagonal + share * spin * *u;
        }
        for (product, later) in products.iter_mut().zip(spins.chunks_exact(CHUNK)).take(size).skip(nu + 1) {
            *product = dot(u, later);
        }
    }
}

/// Eight sums side by side, so that they can share registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// Takes the block's patterns one after the other; `lanes` come in as their fields and leave as g^(m-1-k) u^k / N.
fn corrections(
    patterns: &SpinMatrix,
    words: &[u64], // [n_spins], bit k the spin in pattern k of the block
    first: usize,
    size: usize,
    chunks: &mut [Chunk],
    lanes: &mut [Lanes<f32>],
    execution: &Execution,
) -> Result<()> {
    let n_spins = patterns.n_spins();
    let (growth, per_spin) = (growth(n_spins), 1.0 / n_spins as f64);
    let power = |exponent: usize| libm::pow(growth, exponent as f64);
    let lanes_per_chunk = CHUNK / PANEL * BLOCK;
    execution.for_each(
        chunks.iter_mut().zip(words.chunks(CHUNK)),
        || (),
        |(), (chunk, words)| {
            chunk.begin(words, size);
            Ok(())
        },
    )?;
    let mut products: Vec<[f64; BLOCK]> = Vec::with_capacity(size); // u^k . xi^l, l > k
    for nu in 0..size {
        let factors = products.iter().enumerate().map(|(k, products)| {
            let rows = (patterns.row(first + k), patterns.row(first + nu));
            let overlap = n_spins as f64 - 2.0 * hamming_distance(execution.isa(), rows.0, rows.1) as f64;
            let share = power(nu - 1 - k) * per_spin;
            (share * products[nu], share * overlap)
        });
        let terms = Terms { growth: power(nu), factors: factors.collect() };
        let tasks = chunks.iter_mut().zip(lanes.chunks(lanes_per_chunk));
        execution.for_each(
            tasks,
            || (),
            |(), (chunk, lanes)| {
                chunk.learn(nu, size, &terms, lanes, n_spins);
                Ok(())
            },
        )?;
        // In the order of the chunks, whoever made them.
        let mut sums = [0.0; BLOCK];
        for chunk in &*chunks {
            for (sum, product) in sums.iter_mut().zip(&chunk.products).take(size).skip(nu + 1) {
                *sum += product;
            }
        }
        products.push(sums);
    }
    execution.for_each(
        chunks.iter().zip(lanes.chunks_mut(lanes_per_chunk)),
        || (),
        |(), (chunk, lanes)| {
            for (panel, lanes) in lanes.chunks_exact_mut(BLOCK).enumerate() {
                for (k, lanes) in lanes.iter_mut().enumerate().take(size) {
                    let share = power(size - 1 - k) * per_spin;
                    let u = &chunk.u[k * CHUNK + panel * PANEL..][..LANES];
                    for (lane, &u) in lanes.0.iter_mut().zip(u) {
                        *lane = (share * u) as f32;
                    }
                }
            }
            Ok(())
        },
    )
}

/// Scratch of one thread of the update.
struct Scratch {
    own: Vec<Lanes<f32>>,    // [j][16]: W_ij of the 16 neurons i of a panel
    across: Vec<Lanes<f32>>, // [panel of j][i][16]: W_ji of a strip's neurons i
    tables: Tables<f32>,
}

/// J <- g^m J + W + W^T for a block of m patterns; `lanes` are the weights of W, `[panel][k][16]`.
fn update(
    couplings: &mut Couplings,
    words: &[u64],
    size: usize,
    lanes: &[Lanes<f32>],
    execution: &Execution,
) -> Result<()> {
    let n_spins = couplings.n_spins();
    let growth = libm::pow(growth(n_spins), size as f64) as f32;
    let isa = execution.isa();
    let scratch = || Scratch {
        own: vec![Lanes::ZERO; n_spins],
        across: vec![Lanes::ZERO; n_panels(n_spins) * STRIP.min(n_spins)],
        tables: Tables::new(),
    };
    let strips = couplings.values_mut().chunks_mut(STRIP * n_spins).enumerate();
    execution.for_each(strips, scratch, |Scratch { own, across, tables }, (strip, rows)| {
        let first = strip * STRIP;
        let n_rows = rows.len() / n_spins;
        for (across, weights) in across.chunks_exact_mut(n_rows).zip(lanes.chunks_exact(BLOCK)) {
            across.fill(Lanes::ZERO);
            signed_product(isa, &words[first..], n_spins, &weights[..size], across, tables);
        }
        for (panel, rows) in rows.chunks_mut(PANEL * n_spins).enumerate() {
            let neuron = first + panel * PANEL;
            own.fill(Lanes::ZERO);
            let weights = &lanes[neuron / PANEL * BLOCK..][..size];
            signed_product(isa, words, n_spins, weights, own, tables);
            for (columns, (own, across)) in own.chunks(LANES).zip(across.chunks_exact(n_rows)).enumerate() {
                for (lane, row) in rows.chunks_exact_mut(n_spins).enumerate() {
                    let row = &mut row[columns * LANES..][..own.len()];
                    let across = &across[panel * PANEL + lane];
                    for ((coupling, own), &across) in row.iter_mut().zip(own).zip(&across.0) {
                        *coupling = growth * *coupling + (own.0[lane] + across);
                    }
                }
            }
            for (lane, row) in rows.chunks_exact_mut(n_spins).enumerate() {
                row[neuron + lane] = 0.0;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Dynamics, ParallelDynamics, Stop, Ties, random_states};

    /// The definition, by plain loops in f64.
    fn plain(patterns: &SpinMatrix) -> Vec<Vec<f64>> {
        let n = patterns.n_spins();
        let mut j = vec![vec![0.0; n]; n];
        for mu in 0..patterns.n_rows() {
            let x = |i: usize| f64::from(patterns.spin(mu, i));
            let before = j.clone();
            let field = |a: usize, b: usize| -> f64 {
                (0..n).filter(|&k| k != a && k != b).map(|k| before[a][k] * x(k)).sum()
            };
            for (a, row) in j.iter_mut().enumerate() {
                for (b, value) in row.iter_mut().enumerate().filter(|(b, _)| *b != a) {
                    *value += (x(a) * x(b) - x(a) * field(b, a) - field(a, b) * x(b)) / n as f64;
                }
            }
        }
        j
    }

    /// Sizes around panels, strips and words, N so small that g is 3 and 2; whole blocks, a part of one, more than two. A
    /// coupling is rounded to f32 a few times a block, and a field at every group of 8 columns, 20 times here.
    #[test]
    fn couplings_are_those_of_the_definition() {
        let execution = Execution::with_threads(2).unwrap();
        for (p, n) in [
            (1, 1),
            (3, 2),
            (5, 16),
            (64, 30),
            (65, 49),
            (150, 60),
            (70, 161),
            (300, 2),
            (128, 5),
            (200, 8),
            (300, 64),
        ] {
            let patterns = random_states(p, n, 3).unwrap();
            let expected = plain(&patterns);
            let couplings = storkey(&patterns, &execution).unwrap();
            let scale = expected.iter().flatten().fold(0.0f64, |most, x| most.max(x.abs()));
            let bound = 64.0 * f64::from(f32::EPSILON) * scale;
            for (x, &found) in couplings.values().iter().enumerate() {
                let (i, j) = (x / n, x % n);
                assert!(
                    (f64::from(found) - expected[i][j]).abs() <= bound,
                    "{p} x {n}, ({i}, {j}): {found} {}",
                    expected[i][j]
                );
                assert_eq!(found.to_bits(), couplings.values()[j * n + i].to_bits());
            }
        }
    }

    #[test]
    fn bits_depend_on_neither_threads_nor_instructions() {
        let patterns = random_states(100, 600, 8).unwrap();
        let values = |n_threads, isa| {
            let pool = crate::execution::thread_pool(n_threads).unwrap();
            let execution = Execution::new(pool, isa).unwrap();
            storkey(&patterns, &execution).unwrap().values().to_vec()
        };
        let reference = values(1, crate::kernels::Isa::detect());
        for isa in crate::kernels::Isa::available() {
            assert!(reference.iter().zip(values(3, isa)).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    /// The capacity is about N / sqrt(2 ln N) = 0.3 N here (Storkey and Valabregue 1999), against 0.14 N of Hebb's rule.
    #[test]
    fn patterns_beyond_the_capacity_of_hebb_are_fixed_points() {
        let execution = Execution::with_threads(2).unwrap();
        let patterns = random_states(50, 200, 5).unwrap();
        let fixed = |couplings| {
            let dynamics = ParallelDynamics { stop: Stop::After(1), ties: Ties::Keep };
            let recall = dynamics.run(&couplings, &patterns, &patterns, &execution).unwrap();
            (0..50).filter(|&row| recall.states.row(row) == patterns.row(row)).count()
        };
        let hebb = super::super::hebb(&patterns, &execution).unwrap();
        let (storkey, hebb) = (fixed(storkey(&patterns, &execution).unwrap()), fixed(hebb));
        assert!(storkey == 50 && hebb < 10, "{storkey} and {hebb} of 50");
    }

    #[test]
    fn couplings_that_overflow_are_refused() {
        let execution = Execution::with_threads(2).unwrap();
        for (p, n) in [(3500, 30), (8000, 66)] {
            let error = storkey(&random_states(p, n, 1).unwrap(), &execution).unwrap_err().to_string();
            assert!(error.contains("patterns") && error.contains("finite"), "{error}");
        }
    }

    #[test]
    fn nothing_to_learn_is_refused() {
        let execution = Execution::with_threads(1).unwrap();
        for (p, n) in [(0, 5), (5, 0)] {
            assert!(storkey(&SpinMatrix::all_down(p, n), &execution).is_err());
        }
        execution.cancel().cancel();
        let stopped = storkey(&SpinMatrix::all_down(5, 5), &execution);
        assert!(matches!(stopped, Err(Error::Interrupted)));
    }
}
