//! The feature cutoff against plain sums over the spins of the data set file, and against stored couplings.

use attractor::analysis::cutoff::{
    CutoffPoint, Draws, Estimator, FullLaw, Kept, MarginMoments, MeasureOptions, compare_with_couplings,
    estimated_bytes, feature_moments, feature_rows, law_point, margin_moments_of_couplings, measure,
};
use attractor::analysis::matrix_free::{FeatureStates, MatrixFreeHebb};
use attractor::couplings::Couplings;
use attractor::datasets::{Coefficients, DataSet, Manifold, ManifoldParameters, PatternStream};
use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use attractor::execution::{Cancel, Execution, Progress};
use attractor::experiments::{CutoffConfig, CutoffSetting, Options, run_cutoff};
use attractor::learning::hebb;
use attractor::spins::BlockMajor;
use attractor::storage::Overwrite;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

fn parameters(n_spins: usize, n_patterns: usize, n_features: u64, n_active: usize) -> ManifoldParameters {
    ManifoldParameters {
        n_spins,
        n_patterns,
        n_test: 0,
        n_features,
        n_active,
        exponent: 1.2,
        coefficients: Coefficients::Signs,
        test_features: None,
        n_stored_features: n_features.min(100) as usize,
        seed: 11,
    }
}

/// sum_i, sum_i of squares, number not negative, of f_i (sum_mu q_mu xi_i - P f_i), by plain loops over spins.
fn plain_moments(data: &DataSet, rank: usize) -> MarginMoments {
    let features = data.features.as_ref().unwrap();
    let (n, p) = (data.n_spins(), data.n_patterns());
    let f = |i: usize| i64::from(features.spin(rank - 1, i));
    let mut fields = vec![0i64; n];
    for mu in 0..p {
        let xi = |i: usize| i64::from(data.train.spin(mu, i));
        let q: i64 = (0..n).map(|i| xi(i) * f(i)).sum();
        fields.iter_mut().enumerate().for_each(|(i, field)| *field += q * xi(i));
    }
    let mut moments = MarginMoments::default();
    for (i, field) in fields.into_iter().enumerate() {
        let margin = f(i) * (field - p as i64 * f(i));
        moments.sum += i128::from(margin);
        moments.squares += i128::from(margin).pow(2);
        moments.n_stable += u64::from(margin >= 0);
    }
    moments
}

/// Sizes around words, panels, tiles and chunks; few and many patterns; odd and even L; any blocks, threads.
#[test]
fn margins_are_the_sums_of_their_definition() {
    for (n_spins, n_patterns, n_features, n_active, count) in [
        (1, 1, 1, 1, 1),
        (63, 1, 20, 3, 17),
        (65, 70, 7, 2, 7),
        (130, 1100, 100, 3, 40),
        (1000, 129, 5000, 3, 70),
        (2100, 64, 50, 5, 33),
    ] {
        let manifold = Manifold::new(parameters(n_spins, n_patterns, n_features, n_active)).unwrap();
        let data = manifold.generate(&Execution::with_threads(2).unwrap()).unwrap();
        let expected: Vec<MarginMoments> = (1..=count).map(|rank| plain_moments(&data, rank)).collect();
        for n_threads in [1, 3] {
            let execution = Execution::with_threads(n_threads).unwrap();
            let stream = PatternStream::new(&manifold, &execution).unwrap();
            let any = MatrixFreeHebb::new(&stream, None, &execution).unwrap();
            // The least memory allowed makes blocks of 32 states.
            let least = MatrixFreeHebb::new(&stream, Some(any.plan(1).unwrap().bytes()), &execution).unwrap();
            for hebb in [any, least] {
                let all = feature_moments(&hebb, FeatureStates { first_rank: 1, count }).unwrap();
                assert_eq!(all, expected, "N {n_spins}, P {n_patterns}, {n_threads} threads");
                let last = FeatureStates { first_rank: count as u64, count: 1 };
                assert_eq!(feature_moments(&hebb, last).unwrap(), expected[count - 1..]);
            }
        }
    }
}

/// Below 2^24 stored couplings give the same integers. Signals are about N P / 4, partial sums no more than N P.
#[test]
fn stored_couplings_give_the_same_margins() {
    let execution = Execution::with_threads(2).unwrap();
    for (n_spins, n_patterns) in [(200, 300), (500, 1000), (1025, 512)] {
        let manifold = Manifold::new(parameters(n_spins, n_patterns, 40, 3)).unwrap();
        let data = manifold.generate(&execution).unwrap();
        let couplings = hebb(&data.train, &execution).unwrap();
        let features = data.features.as_ref().unwrap();
        let stored = margin_moments_of_couplings(&couplings, features, &execution).unwrap();
        let stream = PatternStream::new(&manifold, &execution).unwrap();
        let matrix_free = MatrixFreeHebb::new(&stream, None, &execution).unwrap();
        let states = FeatureStates { first_rank: 1, count: features.n_rows() };
        assert_eq!(feature_moments(&matrix_free, states).unwrap(), stored);

        // And the same next states, from which the dynamics is made.
        let step = ParallelDynamics { stop: Stop::After(1), ties: Ties::Keep };
        let recall = step.run(&couplings, features, features, &execution).unwrap();
        let next = matrix_free.parallel_update(&BlockMajor::from_rows(features)).unwrap();
        assert_eq!(next.to_rows(), recall.states);
    }
}

/// Where stored counts add up past 2^24, fields in f32 stay within the bound of rounding; below it they are equal. A coupling
/// that is off by more than rounding is noticed.
#[test]
fn stored_couplings_agree_within_rounding() {
    let execution = Execution::with_threads(2).unwrap();
    for (n_spins, n_patterns, exponent, is_exact) in
        [(200, 300, 1.0, true), (1025, 150_000, 2.0, false), (700, 120_001, 1.5, false)]
    {
        let parameters = ManifoldParameters { exponent, ..parameters(n_spins, n_patterns, 40, 3) };
        let manifold = Manifold::new(parameters).unwrap();
        let data = manifold.generate(&execution).unwrap();
        let couplings = hebb(&data.train, &execution).unwrap();
        let stream = PatternStream::new(&manifold, &execution).unwrap();
        let matrix_free = MatrixFreeHebb::new(&stream, None, &execution).unwrap();
        let features = BlockMajor::from_rows(data.features.as_ref().unwrap());
        let agreement = compare_with_couplings(&couplings, &matrix_free, &features).unwrap();
        assert!(agreement.holds(), "{agreement:?}");
        assert_eq!(agreement.n_fields, 40 * n_spins as u64);
        assert_eq!(agreement.n_exact == agreement.n_fields, is_exact, "{agreement:?}");

        let mut values = couplings.values().to_vec();
        values[1] += 0.01 * n_patterns as f32 * n_spins as f32;
        let faulty = Couplings::from_rows(n_spins, values).unwrap();
        assert!(!compare_with_couplings(&faulty, &matrix_free, &features).unwrap().holds());
    }
}

/// The rows of stored Hebb couplings are those of the draw measured without couplings: counts, and below 2^24 the fields,
/// are the same integers; the rest is rounding of f64 over 500 sites.
#[test]
fn stored_hebb_couplings_have_the_rows_of_the_draw() {
    let execution = Execution::with_threads(2).unwrap();
    let parameters = parameters(500, 1000, 40, 3);
    let options = MeasureOptions { kept: Kept::First(40), n_steps: 3, memory: None };
    let point = measure(&parameters, options, &execution).unwrap();
    let data = Manifold::new(parameters.clone()).unwrap().generate(&execution).unwrap();
    let couplings = hebb(&data.train, &execution).unwrap();
    let features = data.features.as_ref().unwrap();
    let counts: Vec<u64> = point.features.iter().map(|feature| feature.count).collect();
    let rows = feature_rows(&couplings, features, &counts, 3, &execution).unwrap();
    let moments = margin_moments_of_couplings(&couplings, features, &execution).unwrap();
    for ((row, expected), moments) in rows.iter().zip(&point.features).zip(&moments) {
        assert_eq!((row.count, row.one_step, row.last), (expected.count, expected.one_step, expected.last));
        assert_eq!(row.one_step, moments.one_step_overlap(500));
        for (found, expected) in [
            (row.signal, expected.signal),
            (row.variance, expected.variance),
            (row.signal, moments.mean(500)),
            (row.variance, moments.variance(500)),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} for {expected}");
        }
    }
}

/// Last overlaps are those of the dynamics on stored couplings after as many steps.
#[test]
fn last_overlaps_are_those_of_stored_couplings() {
    let execution = Execution::with_threads(2).unwrap();
    let parameters = parameters(300, 600, 60, 3);
    let data = Manifold::new(parameters.clone()).unwrap().generate(&execution).unwrap();
    let couplings = hebb(&data.train, &execution).unwrap();
    let features = data.features.as_ref().unwrap();
    for n_steps in [1, 2, 7] {
        let options = MeasureOptions { kept: Kept::First(60), n_steps, memory: None };
        let point = measure(&parameters, options, &execution).unwrap();
        let dynamics = ParallelDynamics { stop: Stop::After(n_steps as u64), ties: Ties::Keep };
        let recall = dynamics.run(&couplings, features, features, &execution).unwrap();
        for (row, feature) in point.features.iter().enumerate() {
            let expected = (0..300).filter(|&i| recall.states.spin(row, i) == features.spin(row, i)).count()
                as f64
                / 150.0
                - 1.0;
            assert!((feature.last.unwrap() - expected).abs() < 1e-12, "feature {}", row + 1);
        }
    }
}

/// The full law against 40 draws at N = 1000, P = 2000, eta = 1.2: the mean signal is within 2 % (counts are those of the
/// draws; what is left is of order 1/sqrt(N) per draw), the root mean variance within 10 % (a few frequent features make it,
/// whose overlaps fluctuate by their own size, 1/sqrt(2 * 40) = 11 % for a single one).
#[test]
fn the_full_law_holds_over_many_draws() {
    let execution = Execution::with_threads(2).unwrap();
    let points: Vec<_> = (0..40)
        .map(|seed| {
            let parameters = ManifoldParameters { seed, ..parameters(1000, 2000, 500, 3) };
            let options = MeasureOptions { kept: Kept::First(32), n_steps: 0, memory: None };
            measure(&parameters, options, &execution).unwrap()
        })
        .collect();
    let law: Vec<_> = points.iter().map(attractor::analysis::cutoff::law_point).collect();
    let sum = |points: &[attractor::analysis::cutoff::CutoffPoint], range: std::ops::Range<usize>| {
        let features = points.iter().flat_map(|point| &point.features[range.clone()]);
        features.fold((0.0, 0.0), |sum, feature| (sum.0 + feature.signal, sum.1 + feature.variance))
    };
    for range in [2..6, 6..15, 15..32] {
        let (measured, expected) = (sum(&points, range.clone()), sum(&law, range.clone()));
        let (signal, noise) = (measured.0 / expected.0, (measured.1 / expected.1).sqrt());
        assert!((signal - 1.0).abs() < 0.02, "signal {signal} at {range:?}");
        assert!((noise - 1.0).abs() < 0.1, "noise {noise} at {range:?}");
    }
}

/// Mean and squared standard error of what single draws come to.
fn mean_and_error(estimator: Estimator, points: &[CutoffPoint]) -> (f64, f64) {
    let of_draw = |point| estimator.cutoff(Draws { points: std::slice::from_ref(point) }).unwrap();
    let values: Vec<f64> = points.iter().map(of_draw).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
}

/// Mean numbers of features with a one-step overlap of 0.9 and mean first ones without, of 120 draws of features and patterns
/// at N = 1000, P = 5000, are those of the law's quenched noise within 3 standard errors of the two means, which are 1 to 3 %
/// and are computed from the draws. The numbers of the law at mean noise are more than 6 of them off.
#[test]
fn the_quenched_law_has_the_counts_of_single_draws() {
    let execution = Execution::with_threads(2).unwrap();
    for exponent in [1.0, 1.5] {
        let points: Vec<CutoffPoint> = (0..120)
            .map(|seed| {
                let parameters = ManifoldParameters { seed, exponent, ..parameters(1000, 5000, 500, 3) };
                let options = MeasureOptions { kept: Kept::First(64), n_steps: 0, memory: None };
                measure(&parameters, options, &execution).unwrap()
            })
            .collect();
        let law = FullLaw::new(&points, &execution).unwrap();
        let at_mean_noise: Vec<CutoffPoint> = points.iter().map(law_point).collect();
        for estimator in [Estimator::OneStep(0.9), Estimator::FirstFailing(0.9)] {
            let (measured, error) = mean_and_error(estimator, &points);
            let (expected, error_of_law) = mean_and_error(estimator, law.draws(estimator).points);
            let of_mean_noise = estimator.cutoff(Draws { points: &at_mean_noise }).unwrap();
            let error = (error + error_of_law).sqrt();
            assert!((measured - expected).abs() < 3.0 * error, "{measured} for {expected} +- {error}");
            if matches!(estimator, Estimator::OneStep(_)) {
                assert!(
                    (of_mean_noise - expected).abs() > 6.0 * error,
                    "{of_mean_noise} {expected} +- {error}"
                );
            }
        }
    }
}

#[test]
fn measurements_out_of_range_are_refused() {
    let execution = Execution::with_threads(1).unwrap();
    let message = |parameters: &ManifoldParameters, kept, memory| {
        let options = MeasureOptions { kept, n_steps: 0, memory };
        measure(parameters, options, &execution).unwrap_err().to_string()
    };
    let good = parameters(100, 10, 50, 3);
    for count in [0, 51] {
        assert!(message(&good, Kept::First(count), None).contains("ranks: expected 1..=50"));
    }
    assert!(message(&good, Kept::Predicted, Some(1000)).contains("memory: expected at least"));
    // The states that last overlaps keep count too: what is enough for blocks is not enough for them.
    let large = parameters(1 << 20, 10, 50, 3);
    let options = |n_steps, memory| MeasureOptions { kept: Kept::First(50), n_steps, memory };
    let blocks = estimated_bytes(&large, options(0, None), 1, 10, 1).unwrap();
    assert!(estimated_bytes(&large, options(0, Some(blocks)), 50, 10, 1).unwrap() <= blocks);
    let error = measure(&large, options(1, Some(blocks)), &execution).unwrap_err().to_string();
    assert!(error.contains("memory: expected at least") && error.contains("last overlaps of 50"), "{error}");
    let gaussian = ManifoldParameters { coefficients: Coefficients::Gaussian, ..good };
    assert!(message(&gaussian, Kept::Predicted, None).contains("coefficients"));
}

/// Asks to stop as soon as a stage begins, and counts the stages that are open.
#[derive(Clone, Default)]
struct Stopping {
    open: Arc<AtomicI64>,
    cancel: Arc<OnceLock<Cancel>>,
}

impl Progress for Stopping {
    fn begin(&self, _: &str, _: u64) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.cancel.get().unwrap().cancel();
    }

    fn advance(&self, _: u64) {}

    fn end(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    fn note(&self, _: &str) {}
}

/// A stage that has begun ends, also where a measurement fails: what shows progress is not left open.
#[test]
fn a_run_that_stops_ends_its_stage() {
    let progress = Stopping::default();
    let execution = Execution::with_threads(1).unwrap().progress_to(Box::new(progress.clone()));
    progress.cancel.set(execution.cancel().clone()).unwrap();
    let setting = CutoffSetting {
        exponent: 1.5,
        n_spins: 100,
        n_patterns: 200,
        n_features: 50,
        n_draws: 1,
        n_steps: 0,
    };
    let config = CutoffConfig {
        n_active: 3,
        ranks: None,
        memory: None,
        check_couplings: false,
        seed: 1,
        settings: vec![setting],
    };
    let folder = tempfile::tempdir().unwrap();
    let options = Options { seed: 1, ..Options::new(folder.path().join("run"), Overwrite::Refuse) };
    let error = run_cutoff(&config, &options, &execution).map(|_| ()).unwrap_err();
    assert!(matches!(error, attractor::Error::Interrupted), "{error}");
    assert_eq!(progress.open.load(Ordering::Relaxed), 0);
}
