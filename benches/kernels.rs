//! The kernels, per instruction set: `cargo bench`. Throughput is in signed multiply-adds (or words) a second.

use std::hint::black_box;

use attractor::kernels::{
    BYTE_LANES, CountScratch, DenseRows, Finish, Isa, Lanes, Letters, PULL_ROWS, Signs, Source, Tables,
    Weight, dense_product, differing_bits, fields_of_letters, fields_of_one_state, hamming_distance,
    letter_lanes, letter_pull, letter_residuals, local_fields, losses, pull_scratch, residuals,
    signed_product,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Words without structure; a generator of their own keeps the benchmark free of the library's streams.
fn words(count: usize) -> Vec<u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    (0..count).map(|_| next()).collect()
}

fn product<T: Weight>(criterion: &mut Criterion, name: &str, one: T, shapes: &[(usize, usize)]) {
    let mut group = criterion.benchmark_group(name);
    for &(n_states, n_columns) in shapes {
        let signs = words(n_states * n_columns.div_ceil(64));
        let weights = vec![Lanes([one; 16]); n_columns];
        let mut products = vec![Lanes::ZERO; n_states];
        let mut tables = Tables::new();
        group.throughput(Throughput::Elements((n_states * n_columns * 16) as u64));
        for isa in Isa::available() {
            let id = BenchmarkId::new(isa.name(), format!("{n_states}x{n_columns}"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    products.fill(Lanes::ZERO);
                    signed_product(isa, &signs, n_states, &weights, &mut products, &mut tables);
                });
            });
        }
    }
    group.finish();
}

fn signed_products(criterion: &mut Criterion) {
    product(criterion, "signed product f32", 1.0f32, &[(16, 4096), (256, 4096), (4096, 4096)]);
    product(criterion, "signed product i32", 1i32, &[(4096, 4096)]);
}

/// Fields from rows of J as they lie, thresholded in L1.
fn recall_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recall step of a panel");
    let n_columns = 4096;
    for n_states in [16, 256, 4096] {
        let (words, own, rows) =
            (words(n_states * n_columns / 64), words(n_states), vec![1.0; 16 * n_columns]);
        let (mut fields, mut next) = (vec![Lanes::ZERO; n_states], own.clone());
        let mut tables = Tables::new();
        group.throughput(Throughput::Elements((n_states * n_columns * 16) as u64));
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new(isa.name(), n_states), |bencher| {
                bencher.iter(|| {
                    let signs = Signs { words: &words, stride: n_states, n_states };
                    let source = Source::Rows { values: &rows, n_columns };
                    let finish = Finish::Threshold { ties: &own, shift: 0, next: &mut next };
                    local_fields(isa, signs, source, &mut fields, finish, &mut tables);
                });
            });
        }
    }
    group.finish();
}

/// Bits against bits, for Hebb counts and Gram matrices.
fn counts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("differing bits");
    let n_columns = 8192;
    for n_rows in [256, 4096] {
        let (signs, lanes) = (words(n_rows * n_columns / 64), words(n_columns));
        let (mut counts, mut scratch) = (vec![Lanes::ZERO; n_rows], CountScratch::new());
        group.throughput(Throughput::Elements((n_rows * n_columns * BYTE_LANES) as u64));
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new(isa.name(), n_rows), |bencher| {
                bencher.iter(|| {
                    counts.fill(Lanes::ZERO);
                    differing_bits(isa, &signs, n_rows, &lanes, &mut counts, &mut scratch);
                });
            });
        }
    }
    group.finish();
}

/// The Gram route's product.
fn dense(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dense product");
    let n = 819;
    let rows = DenseRows::zeros(n, n).expect("memory for 3 MB");
    let (a, mut products) = (vec![Lanes([1.0; 16]); n], vec![Lanes::ZERO; n]);
    group.throughput(Throughput::Elements((n * n * 16) as u64));
    for isa in Isa::available() {
        group.bench_function(isa.name(), |bencher| {
            bencher.iter(|| dense_product(isa, &rows, &a, &mut products))
        });
    }
    group.finish();
}

fn one_state(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fields of one state");
    let (n_rows, n_columns) = (1024, 4096);
    let (state, rows) = (words(n_columns / 64), vec![1.0f32; n_rows * n_columns]);
    let mut fields = vec![0.0; n_rows];
    group.throughput(Throughput::Bytes((n_rows * n_columns * size_of::<f32>()) as u64));
    for isa in Isa::available() {
        group.bench_function(isa.name(), |bencher| {
            bencher.iter(|| fields_of_one_state(isa, &state, &rows, n_columns, &mut fields));
        });
    }
    group.finish();
}

fn elementwise(criterion: &mut Criterion) {
    let n_states = 4096;
    let signs = words(n_states);
    let mut values = vec![Lanes([0.5f32; 16]); n_states];
    let mut group = criterion.benchmark_group("logistic");
    group.throughput(Throughput::Elements((n_states * 16) as u64));
    for isa in Isa::available() {
        group.bench_function(BenchmarkId::new("residuals", isa.name()), |bencher| {
            bencher.iter(|| residuals(isa, &signs, 16, 0.2, &mut values));
        });
        group.bench_function(BenchmarkId::new("losses", isa.name()), |bencher| {
            bencher.iter(|| losses(isa, 0.2, &mut values));
        });
    }
    group.finish();
}

/// A column of Potts spins: lookups of its fields, the softmax, the pull of the residuals; throughput in lookups a second,
/// in letters a second for the softmax.
fn letters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("letters of a column");
    let (n_rows, n_columns, n_letters) = (PULL_ROWS, 128, 21);
    let lanes = letter_lanes(n_letters);
    let sequences: Vec<u8> =
        words(n_rows * n_columns).iter().map(|word| (word >> 32) as u8 % n_letters as u8).collect();
    let letters = Letters { letters: &sequences, n_columns, n_letters };
    let table = vec![0.25f32; n_columns * n_letters * lanes];
    let mut theta = vec![f32::NEG_INFINITY; lanes];
    theta[..n_letters].fill(0.0);
    let (mut values, mut pull) = (vec![0.0f32; n_rows * lanes], vec![0.0f32; table.len()]);
    let mut scratch = vec![0.0; pull_scratch(n_columns, n_letters)];
    for isa in Isa::available() {
        group.throughput(Throughput::Elements((n_rows * n_columns) as u64));
        group.bench_function(BenchmarkId::new("fields", isa.name()), |bencher| {
            bencher.iter(|| fields_of_letters(isa, letters, &table, &theta, &mut values));
        });
        values.fill(1e-3);
        group.bench_function(BenchmarkId::new("pull", isa.name()), |bencher| {
            bencher.iter(|| {
                pull.fill(0.0);
                letter_pull(isa, letters, &values, &mut pull, &mut scratch);
            });
        });
        group.throughput(Throughput::Elements((n_rows * n_letters) as u64));
        group.bench_function(BenchmarkId::new("residuals", isa.name()), |bencher| {
            bencher.iter(|| letter_residuals(isa, letters, 0, 0.2, None, &mut values));
        });
    }
    group.finish();
}

fn distances(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hamming distance");
    let (a, b) = (words(1024), words(1025)[1..].to_vec());
    group.throughput(Throughput::Bytes(2 * 1024 * 8));
    for isa in Isa::available() {
        group.bench_function(isa.name(), |bencher| {
            bencher.iter(|| black_box(hamming_distance(isa, &a, &b)));
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    signed_products,
    recall_step,
    counts,
    dense,
    one_state,
    elementwise,
    letters,
    distances
);
criterion_main!(benches);
