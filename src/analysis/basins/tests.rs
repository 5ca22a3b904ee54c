//! Basins against plain loops, and their edges.

use super::*;
use crate::dynamics::{ParallelDynamics, Patch, Stop, Ties, at_overlap, random_states};
use crate::learning::{PseudoInverse, hebb};

fn parallel(stop: Stop) -> ParallelDynamics {
    ParallelDynamics { stop, ties: Ties::Keep }
}

#[test]
fn basins_end_where_overlaps_cross_the_threshold() {
    let initial = [0.25, 0.5, 0.75, 1.0];
    assert!((basin_size(&initial, &[0.0, 0.5, 1.0, 1.0], 0.75) - 0.375).abs() < 1e-12);
    // Once below, what lies under it does not count.
    assert!((basin_size(&initial, &[1.0, 0.5, 1.0, 1.0], 0.75) - 0.375).abs() < 1e-12);
    assert_eq!(basin_size(&initial, &[0.9; 4], 0.75), 0.75);
    assert_eq!(basin_size(&initial, &[1.0, 1.0, 1.0, 0.5], 0.75), 0.0);
}

/// Two patterns along a curve; only a crossing has a resolution and an error.
#[test]
fn sizes_without_a_crossing_are_bounds_without_error() {
    let curve = |initial: &[f64], last: &[[f64; 2]]| {
        let point = |(&initial_overlap, overlaps): (&f64, &[f64; 2])| BasinPoint {
            n_damaged: 0,
            initial_overlap,
            final_overlap: (overlaps[0] + overlaps[1]) / 2.0,
            final_overlap_error: 0.0,
            exact_fraction: 0.0,
            settled_fraction: 1.0,
            steps_mean: 1.0,
            overlaps: overlaps.to_vec(),
        };
        BasinCurve::new(initial.iter().zip(last).map(point).collect())
    };
    // Multiples of 1/16: all but the error is exact.
    let crossing = curve(&[0.25, 0.5, 1.0], &[[0.0, 0.5], [0.25, 0.75], [1.0, 1.0]]);
    let size = crossing.size(0.75, 1).unwrap();
    assert_eq!((size.size, size.edge), (0.25, BasinEdge::Between { resolution: 0.5 }));
    // Of the four equally likely choices of two patterns the sizes are 1/6, 1/4, 1/4, 1/2; their standard deviation 1/8,
    // known to some 4 % from 200 resamplings; five times that is allowed.
    let error = size.error.unwrap();
    assert!((error - 0.125).abs() < 0.025, "{error}");
    let beyond = curve(&[0.25, 0.5, 1.0], &[[0.5, 1.0], [1.0, 1.0], [1.0, 1.0]]).size(0.75, 1).unwrap();
    assert_eq!(beyond, BasinSize { size: 0.75, error: None, edge: BasinEdge::Beyond });
    let nowhere = curve(&[0.25, 0.5], &[[1.0, 1.0], [0.25, 1.0]]).size(0.75, 1).unwrap();
    assert_eq!(nowhere, BasinSize { size: 0.0, error: None, edge: BasinEdge::Nowhere });
}

/// Hebb couplings of a single pattern: h_i = xi_i (N m - x_i xi_i) / N. All but ties (m = 0, 1/N) return in one step
/// for m > 1/N, and go to the opposite for m < -1/N; the basin is as large as it can be.
#[test]
fn a_single_pattern_attracts_one_half_of_all_states() {
    let execution = Execution::with_threads(1).unwrap();
    let pattern = random_states(1, 101, 1).unwrap();
    let couplings = hebb(&pattern, &execution).unwrap();
    let dynamics = parallel(Stop::Settled { limit: 10 });
    for damage in [Damage::Inverted, Damage::Erased] {
        let basins = Basins {
            couplings: &couplings,
            patterns: &pattern,
            dynamics: &dynamics,
            clamp: false,
            n_repeats: 1,
            seed: 2,
        };
        let (sizes, curve) = basins.bisect(damage, &[0.999], &execution).unwrap();
        if damage == Damage::Inverted {
            // 50 of 101 flips leave m = 1/101, where aligned spins have field 0 and keep, and the others return.
            assert!((sizes[0].size - 100.0 / 101.0).abs() < 1e-12);
            let point = basins.measure(&Corruption::flips(60), &execution).unwrap();
            assert_eq!((point.final_overlap, point.exact_fraction, point.settled_fraction), (-1.0, 0.0, 1.0));
            assert!((point.initial_overlap + 19.0 / 101.0).abs() < 1e-12);
        }
        assert_eq!(curve.points.last().unwrap().final_overlap, 1.0);
    }
}

/// Against plain loops over copies at every number of flips: point by point, and the edge of the basin.
#[test]
fn halving_finds_where_the_plain_curve_crosses() {
    let execution = Execution::with_threads(2).unwrap();
    let (n, p) = (120, 24);
    let patterns = random_states(p, n, 3).unwrap();
    let rule = PseudoInverse { ridge: 0.0, self_coupling: false };
    let couplings = rule.couplings(&patterns, &execution).unwrap();
    let dynamics = parallel(Stop::After(5));
    let basins = Basins {
        couplings: &couplings,
        patterns: &patterns,
        dynamics: &dynamics,
        clamp: false,
        n_repeats: 1,
        seed: 4,
    };
    let mean = |flips: usize| {
        let starts = at_overlap(&patterns, 1.0 - 2.0 * flips as f64 / n as f64, 4).unwrap();
        let mut sum = 0.0;
        for row in 0..p {
            let mut state: Vec<f64> = (0..n).map(|i| f64::from(starts.spin(row, i))).collect();
            for _ in 0..5 {
                let field = |i: usize| -> f64 {
                    (0..n).map(|j| f64::from(couplings.values()[i * n + j]) * state[j]).sum()
                };
                state = (0..n).map(|i| field(i).signum()).collect();
            }
            sum += (0..n).map(|i| state[i] * f64::from(patterns.spin(row, i))).sum::<f64>() / n as f64;
        }
        sum / p as f64
    };
    let (sizes, curve) = basins.bisect(Damage::Inverted, &[0.999, 0.9], &execution).unwrap();
    for (size, threshold) in sizes.iter().zip([0.999, 0.9]) {
        let flips = (size.size * n as f64 / 2.0).round() as usize;
        assert!(flips > 5 && flips < 60, "{flips}");
        assert!(mean(flips) >= threshold && mean(flips + 1) < threshold);
        assert!(size.error.is_some_and(|error| error > 0.0 && error < 0.2));
        assert_eq!(size.edge, BasinEdge::Between { resolution: 1.0 - (1.0 - 2.0 / n as f64) });
    }
    assert!(sizes[0].size <= sizes[1].size);
    // Sums of 120 terms: rounding far below the overlaps' step of 2 / (24 120).
    for point in &curve.points {
        assert!((point.final_overlap - mean(point.n_damaged)).abs() < 1e-12);
    }
    // On a grid: between its points.
    let grid: Vec<Corruption> = (0..=15).map(|index| Corruption::flips(4 * index)).collect();
    let grid = basins.curve(&grid, &execution).unwrap();
    assert!(grid.points.windows(2).all(|pair| pair[0].initial_overlap < pair[1].initial_overlap));
    let size = grid.size(0.9, 1).unwrap();
    assert!((size.size - sizes[1].size).abs() <= 8.0 / n as f64);
    // The first copies are those of a single one; the others differ.
    let flips = Corruption::flips(48);
    let once = basins.measure(&flips, &execution).unwrap();
    let twice = Basins { n_repeats: 2, ..basins }.measure(&flips, &execution).unwrap();
    let second = |row: usize| 2.0 * twice.overlaps[row] - once.overlaps[row];
    assert!((0..p).any(|row| (second(row) - once.overlaps[row]).abs() > 0.01));
    // Multiples of 2/N again.
    let flips_left = |row: usize| (1.0 - second(row)) * n as f64 / 2.0;
    assert!((0..p).all(|row| (flips_left(row) - flips_left(row).round()).abs() < 1e-9));
}

#[test]
fn held_spins_stay_and_help() {
    let execution = Execution::with_threads(1).unwrap();
    let (n, p) = (144, 30);
    let patterns = random_states(p, n, 5).unwrap();
    let couplings = hebb(&patterns, &execution).unwrap();
    let dynamics = parallel(Stop::Settled { limit: 100 });
    let patch = Patch { image_width: 12, width: 5, height: 4, corner: Some((3, 6)) };
    let corruption = Corruption { sites: Sites::Patch(patch), damage: Damage::Inverted };
    let measure = |clamp: bool| {
        let (couplings, patterns, dynamics) = (&couplings, &patterns, &dynamics);
        let basins = Basins { couplings, patterns, dynamics, clamp, n_repeats: 1, seed: 1 };
        basins.measure(&corruption, &execution).unwrap()
    };
    let (held, free) = (measure(true), measure(false));
    assert_eq!(held.initial_overlap, free.initial_overlap);
    assert!((held.initial_overlap - (1.0 - 40.0 / 144.0)).abs() < 1e-12);
    // 20 spins may be wrong at most; beyond capacity free states leave the patterns altogether.
    assert!(held.overlaps.iter().all(|&overlap| overlap >= 1.0 - 40.0 / 144.0));
    assert!(free.overlaps.iter().any(|&overlap| overlap < 1.0 - 40.0 / 144.0));
    assert!(held.final_overlap > free.final_overlap);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let execution = Execution::with_threads(1).unwrap();
    let patterns = random_states(3, 20, 1).unwrap();
    let couplings = hebb(&patterns, &execution).unwrap();
    let dynamics = parallel(Stop::After(1));
    let none = patterns.head(0);
    let of = |patterns, n_repeats| Basins {
        couplings: &couplings,
        patterns,
        dynamics: &dynamics,
        clamp: false,
        n_repeats,
        seed: 1,
    };
    assert!(of(&none, 1).measure(&Corruption::flips(1), &execution).is_err());
    assert!(of(&patterns, 0).measure(&Corruption::flips(1), &execution).is_err());
    assert!(of(&patterns, 1).measure(&Corruption::flips(21), &execution).is_err());
    assert!(of(&patterns, 1).bisect(Damage::Inverted, &[f64::NAN], &execution).is_err());
    assert!(of(&patterns, 1).curve(&[], &execution).unwrap().size(0.9, 1).is_err());
}
