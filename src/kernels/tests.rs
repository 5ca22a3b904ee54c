//! Every twin against the others by bits, and against plain f64 loops.

use proptest::prelude::*;
use rand_core::Rng;

use super::*;
use crate::random::{gaussian, stream};
use crate::spins::{BlockMajor, SpinMatrix};

/// Around the edges of groups, halves of blocks, blocks, chunks, the choices of tables, and tiles.
const COLUMNS: [usize; 14] = [0, 1, 7, 8, 9, 33, 63, 64, 65, 127, 196, 255, 257, 500];
const STATES: [usize; 12] = [0, 1, 2, 63, 65, 129, 257, 511, 513, 1199, 1201, 4099];

fn random_spins(n_rows: usize, n_spins: usize, seed: u64) -> SpinMatrix {
    let mut rng = stream(seed, "kernel test spins", &[]);
    let bools: Vec<bool> = (0..n_rows * n_spins).map(|_| rng.next_u64() >> 63 == 1).collect();
    SpinMatrix::from_bools(n_rows, n_spins, &bools).unwrap()
}

fn random_weights(k: usize, seed: u64) -> Vec<Lanes<f32>> {
    let mut rng = stream(seed, "kernel test weights", &[]);
    (0..k).map(|_| Lanes(std::array::from_fn(|_| gaussian(&mut rng) as f32))).collect()
}

fn product<T: Weight>(isa: Isa, spins: &SpinMatrix, weights: &[Lanes<T>]) -> Vec<Lanes<T>> {
    let signs = BlockMajor::from_rows(spins);
    let mut products = vec![Lanes::ZERO; spins.n_rows()];
    signed_product(isa, signs.words(), signs.n_rows(), weights, &mut products, &mut Tables::new());
    products
}

fn bits(lanes: &[Lanes<f32>]) -> Vec<u32> {
    lanes.iter().flat_map(|lanes| lanes.0.map(f32::to_bits)).collect()
}

/// Row-major [16][k] from interleaved [k][16].
fn rows(weights: &[Lanes<f32>]) -> Vec<f32> {
    (0..LANES).flat_map(|lane| weights.iter().map(move |w| w.0[lane])).collect()
}

/// The canonical order, written out.
fn canonical_field(spins: &SpinMatrix, state: usize, weights: &[Lanes<f32>], lane: usize) -> f32 {
    let term = |k: usize| match weights.get(k) {
        Some(w) if spins.spin(state, k) == 1 => w.0[lane],
        Some(w) => -w.0[lane],
        None => 0.0,
    };
    (0..weights.len()).step_by(8).fold(0.0, |sum, k| {
        let pair = |k: usize| term(k) + term(k + 1);
        sum + ((pair(k) + pair(k + 2)) + (pair(k + 4) + pair(k + 6)))
    })
}

#[test]
fn every_twin_and_path_gives_the_canonical_bits() {
    for k in COLUMNS {
        for m in STATES {
            let (spins, weights) = (random_spins(m, k, 1), random_weights(k, 2));
            let reference = product(Isa::Scalar, &spins, &weights);
            for isa in Isa::available() {
                let products = product(isa, &spins, &weights);
                assert_eq!(bits(&products), bits(&reference), "{} M = {m}, K = {k}", isa.name());
            }
            // States near both ends of the range against the definition and the one-state path.
            for state in (0..m.min(2)).chain(m.saturating_sub(2)..m) {
                let expected: [f32; LANES] =
                    std::array::from_fn(|lane| canonical_field(&spins, state, &weights, lane));
                assert_eq!(
                    reference[state].0.map(f32::to_bits),
                    expected.map(f32::to_bits),
                    "M = {m}, K = {k}"
                );
                for isa in Isa::available() {
                    for n_rows in [1, 4, 7, LANES] {
                        let mut fields = vec![0.0; n_rows];
                        fields_of_one_state(
                            isa,
                            spins.row(state),
                            &rows(&weights)[..n_rows * k],
                            k,
                            &mut fields,
                        );
                        let equal = fields.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                        assert!(equal, "{} M = {m}, K = {k}, {n_rows} rows", isa.name());
                    }
                }
            }
        }
    }
}

/// Pins the canonical order: fails if the grouping changes, which would change every seeded result.
#[test]
fn canonical_order_is_pinned() {
    let (spins, weights) = (random_spins(3, 100, 5), random_weights(100, 6));
    let sum = bits(&product(Isa::detect(), &spins, &weights))
        .into_iter()
        .fold(0u64, |hash, bits| (hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(sum, 405_949_327_708_104_648);
}

#[test]
fn i32_twin_is_exact() {
    for k in COLUMNS {
        for m in [1, 65, 800] {
            let spins = random_spins(m, k, 3);
            let mut rng = stream(4, "integers", &[]);
            let weights: Vec<Lanes<i32>> =
                (0..k).map(|_| Lanes(std::array::from_fn(|_| rng.next_u64() as i32 >> 12))).collect();
            for isa in Isa::available() {
                let products = product(isa, &spins, &weights);
                for (state, lanes) in products.iter().enumerate() {
                    for (lane, &found) in lanes.0.iter().enumerate() {
                        let expected: i64 = (0..k)
                            .map(|j| i64::from(spins.spin(state, j)) * i64::from(weights[j].0[lane]))
                            .sum();
                        assert_eq!(i64::from(found), expected, "{} M = {m}, K = {k}", isa.name());
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The sum of K rounded terms around partial sums of size |w|_2: a random walk of K / 8 roundings, so
    /// sqrt(K) eps |w|_2 holds with a wide margin.
    #[test]
    fn fields_are_within_rounding_of_f64(k in 1usize..3000, m in 1usize..20, seed: u64) {
        let (spins, weights) = (random_spins(m, k, seed), random_weights(k, seed));
        let products = product(Isa::detect(), &spins, &weights);
        for (state, lanes) in products.iter().enumerate() {
            for (lane, &found) in lanes.0.iter().enumerate() {
                let w = |j: usize| f64::from(weights[j].0[lane]);
                let expected: f64 = (0..k).map(|j| f64::from(spins.spin(state, j)) * w(j)).sum();
                let norm = (0..k).map(|j| w(j) * w(j)).sum::<f64>().sqrt();
                let bound = (k as f64).sqrt() * f64::from(f32::EPSILON) * norm;
                prop_assert!((f64::from(found) - expected).abs() <= bound);
            }
        }
    }

    #[test]
    fn opposite_states_have_opposite_fields(k in 1usize..200, seed: u64) {
        let spins = random_spins(1, k, seed);
        let opposite: Vec<bool> = spins.row_bits(0).iter().map(|up| !*up).collect();
        let opposite = SpinMatrix::from_bools(1, k, &opposite).unwrap();
        let weights = random_weights(k, seed);
        let fields = product(Isa::detect(), &spins, &weights)[0];
        let negated = product(Isa::detect(), &opposite, &weights)[0];
        prop_assert_eq!(fields.0.map(|h| -h), negated.0);
    }

    #[test]
    fn distances_count_differing_spins(n in 0usize..300, seed: u64) {
        let spins = random_spins(2, n, seed);
        let expected = (0..n).filter(|&i| spins.spin(0, i) != spins.spin(1, i)).count() as u64;
        for isa in Isa::available() {
            prop_assert_eq!(hamming_distance(isa, spins.row(0), spins.row(1)), expected);
        }
    }
}

/// Values over the whole range of z, dense where the functions bend.
fn arguments() -> Vec<Lanes<f32>> {
    let dense = (-40_000..40_000).map(|step| step as f32 * 1e-3);
    let wide = (-870..870).map(|step| step as f32 * 0.1);
    let tiny = [0.0, -0.0, 1e-30, -1e-30, 1e-7, -1e-7, 86.99, -86.99];
    let all: Vec<f32> = dense.chain(wide).chain(tiny).collect();
    all.chunks(LANES)
        .map(|chunk| Lanes(std::array::from_fn(|lane| chunk.get(lane).copied().unwrap_or(0.0))))
        .collect()
}

/// With xi = +1 and lambda = 1 a residual is sigma(-h) and a loss is log(1 + exp(-h)).
#[test]
fn logistic_functions_are_within_four_ulps_and_equal_by_bits() {
    let all_up = |len| vec![u64::MAX; len];
    let apply_residuals = |isa| {
        let mut values = arguments();
        residuals(isa, &all_up(values.len()), 0, 1.0, &mut values);
        values
    };
    let apply_losses = |isa| {
        let mut values = arguments();
        losses(isa, 1.0, &mut values);
        values
    };
    for isa in Isa::available() {
        assert_eq!(bits(&apply_residuals(isa)), bits(&apply_residuals(Isa::Scalar)), "{}", isa.name());
        assert_eq!(bits(&apply_losses(isa)), bits(&apply_losses(Isa::Scalar)), "{}", isa.name());
    }
    let worst = |found: Vec<Lanes<f32>>, exact: fn(f64) -> f64| {
        let pairs = arguments().into_iter().zip(found).flat_map(|(z, y)| z.0.into_iter().zip(y.0));
        pairs.fold(0.0f64, |worst, (z, y)| {
            let exact = exact(f64::from(z));
            worst.max(((f64::from(y) - exact) / exact).abs())
        })
    };
    let bound = 2.4e-7;
    let sigma = worst(apply_residuals(Isa::Scalar), |z| 1.0 / (1.0 + z.exp()));
    assert!(sigma < bound, "{sigma:e}");
    let softplus = worst(apply_losses(Isa::Scalar), |z| (-z).exp().ln_1p() + 0.0);
    assert!(softplus < bound, "{softplus:e}");
}

#[test]
fn margins_and_thresholds_follow_the_spins() {
    let spins = random_spins(40, 64, 9);
    let signs = BlockMajor::from_rows(&spins);
    let mut fields = random_weights(40, 10);
    // Exact ties of both signs of zero.
    fields[3].0[5] = 0.0;
    fields[4].0[6] = -0.0;
    for isa in Isa::available() {
        for shift in [0, 16, 32, 48] {
            let mut aligned = fields.clone();
            margins(isa, signs.block(0), shift, &mut aligned);
            let mut next = vec![0x5555_5555_5555_5555; 40];
            threshold(isa, &fields, signs.block(0), shift, &mut next);
            for state in 0..40 {
                for lane in 0..LANES {
                    let (site, h) = (shift as usize + lane, fields[state].0[lane]);
                    let spin = spins.spin(state, site);
                    assert_eq!(aligned[state].0[lane], h * f32::from(spin));
                    let expected = if h == 0.0 { spin == 1 } else { h > 0.0 };
                    assert_eq!(next[state] >> site & 1 == 1, expected, "{}", isa.name());
                }
                let outside = !(0xffff << shift);
                assert_eq!(next[state] & outside, 0x5555_5555_5555_5555 & outside);
            }
        }
    }
}

/// Each way that fields can end, from rows and from a panel, is the definition applied to the canonical fields.
#[test]
fn fields_end_as_they_are_told() {
    for (k, m, n_rows) in
        [(1, 1, 1), (65, 130, 16), (196, 520, 16), (83, 1201, 5), (500, 4099, 16), (64, 0, 3)]
    {
        let (spins, mut panel) = (random_spins(m, k, 21), random_weights(k, 22));
        panel.iter_mut().for_each(|column| column.0[n_rows..].fill(0.0));
        let canonical = product(Isa::Scalar, &spins, &panel);
        let rows = &rows(&panel)[..n_rows * k];
        let states = BlockMajor::from_rows(&spins);
        let signs = Signs { words: states.words(), stride: m, n_states: m };
        let own = BlockMajor::from_rows(&random_spins(m, 64, 23));
        let weights: Vec<f32> = (0..m).map(|state| 0.25 * (state % 7) as f32).collect();
        let tables = &mut Tables::new();
        for isa in Isa::available() {
            for source in [Source::Panel(&panel), Source::Rows { values: rows, n_columns: k }] {
                // Scratch that holds anything.
                let mut kept = vec![Lanes([7.0; LANES]); m];
                local_fields(isa, signs, source, &mut kept, Finish::Keep, tables);
                assert_eq!(bits(&kept), bits(&canonical), "{} M = {m}, K = {k}", isa.name());

                let (mut streamed, mut scratch) = (kept.clone(), vec![Lanes([7.0; LANES]); field_scratch(m)]);
                streamed.fill(Lanes([9.0; LANES]));
                local_fields(isa, signs, source, &mut scratch, Finish::Stream(&mut streamed), tables);
                assert_eq!(bits(&streamed), bits(&canonical));

                let theta = Lanes(std::array::from_fn(|lane| lane as f32 - 7.5));
                local_fields_with(isa, signs, source, Some(&theta), &mut kept, Finish::Keep, tables);
                for (found, canonical) in kept.iter().zip(&canonical) {
                    for lane in 0..LANES {
                        assert_eq!(found.0[lane], canonical.0[lane] + theta.0[lane]);
                    }
                }

                let mut next = vec![0x5555_5555_5555_5555; m];
                let mut expected = next.clone();
                let finish = Finish::Threshold { ties: own.words(), shift: 16, next: &mut next };
                local_fields(isa, signs, source, &mut scratch, finish, tables);
                threshold(Isa::Scalar, &canonical, own.words(), 16, &mut expected);
                assert_eq!(next, expected);

                for weights in [None, Some(&weights[..])] {
                    let (own, shift, lambda) = (own.words(), 48, 0.3);
                    let finish = Finish::Residuals { signs: own, shift, lambda, weights };
                    local_fields(isa, signs, source, &mut kept, finish, tables);
                    let mut expected = canonical.clone();
                    residuals(Isa::Scalar, own, shift, lambda, &mut expected);
                    if let Some(weights) = weights {
                        for (lanes, weight) in expected.iter_mut().zip(weights) {
                            *lanes = Lanes(lanes.0.map(|residual| residual * weight));
                        }
                    }
                    assert_eq!(bits(&kept), bits(&expected));
                }
            }
        }
    }
}

#[test]
fn panels_hold_the_columns_of_their_rows() {
    for (n_rows, n_columns) in [(16, 40), (16, 16), (5, 33), (1, 1), (16, 7), (16, 83)] {
        let rows: Vec<f32> = (0..n_rows * n_columns).map(|x| x as f32 + 1.0).collect();
        for isa in Isa::available() {
            let mut panel = vec![Lanes([-1.0; LANES]); n_columns];
            interleave(isa, &rows, &mut panel);
            for (k, column) in panel.iter().enumerate() {
                for (lane, &value) in column.0.iter().enumerate() {
                    let expected = if lane < n_rows { rows[lane * n_columns + k] } else { 0.0 };
                    assert_eq!(value, expected);
                }
            }
            let mut stored = vec![0.0; rows.len()];
            deinterleave(isa, &panel, &mut stored);
            assert_eq!(stored, rows);
        }
    }
}

#[test]
fn differing_bits_are_counted_for_all_pairs() {
    // Around groups, blocks, the three blocks whose counts fit a byte, and the two choices of tables.
    for n_bits in [0, 1, 7, 9, 64, 191, 192, 193, 600] {
        for n_rows in [1, 130, 767, 769] {
            let (rows, lanes) = (random_spins(n_rows, n_bits, 11), random_spins(BYTE_LANES, n_bits, 12));
            let (signs, columns) = (BlockMajor::from_rows(&rows), BlockMajor::from_columns(&lanes));
            for isa in Isa::available() {
                let mut counts = vec![Lanes([7; BYTE_LANES]); n_rows];
                let lane_words = columns.block(0);
                differing_bits(isa, signs.words(), n_rows, lane_words, &mut counts, &mut CountScratch::new());
                for (row, counts) in counts.iter().enumerate().step_by(1 + n_rows / 40) {
                    for (lane, &count) in counts.0.iter().enumerate() {
                        let expected = hamming_distance(isa, rows.row(row), lanes.row(lane));
                        assert_eq!(u64::from(count), 7 + expected, "{} {n_bits} bits", isa.name());
                    }
                }
            }
        }
    }
}

#[test]
fn dense_products_follow_ascending_columns_on_every_twin() {
    // Around sets of rows and blocks of columns.
    for (m, k) in [(1_usize, 1_usize), (5, 7), (6, 6), (13, 64), (20, 1), (7, 255), (7, 600)] {
        let a = random_weights(k, 12);
        let mut rng = stream(13, "dense", &[]);
        let mut rows = DenseRows::zeros(m, k).unwrap();
        for mut block in rows.blocks_mut() {
            let columns = block.columns();
            for (row, column) in (0..m).flat_map(|row| columns.clone().map(move |column| (row, column))) {
                block.set(row, column, gaussian(&mut rng) as f32);
            }
        }
        for isa in Isa::available() {
            let mut products = random_weights(m, 14);
            let mut expected = vec![Lanes::<f32>::ZERO; m];
            dense_product(isa, &rows, &a, &mut products);
            for (state, lanes) in expected.iter_mut().enumerate() {
                for (lane, sum) in lanes.0.iter_mut().enumerate() {
                    for (column, a) in a.iter().enumerate() {
                        let factor = rows.get(state, column);
                        *sum = factor.mul_add(a.0[lane], *sum);
                    }
                }
            }
            assert_eq!(bits(&products), bits(&expected), "{} M = {m}, K = {k}", isa.name());
        }
    }
}
