//! One manifold trained at all loads, measured at all epochs; and the table of it all.

use super::AcquisitionConfig;
use crate::analysis::Evaluation;
use crate::analysis::cutoff::{Criterion, FeatureRow, feature_rows};
use crate::datasets::{Coefficients, DataSet, Manifold, ManifoldParameters};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::mean::Mean;
use crate::experiments::trajectory::{Point, trajectory_with};
use crate::learning::{Initial, PseudoLikelihood, Trainer};
use crate::storage::Table;

/// What counts as learned in figures and numbers.
pub(super) const LEARNED: Criterion = Criterion::Last(0.9);

/// Couplings at one load and epoch.
pub(super) struct Measurement {
    pub(super) point: Point,
    /// One a feature, `[D]`.
    pub(super) features: Vec<FeatureRow>,
}

impl Measurement {
    /// How many features are learned.
    pub(super) fn n_learned(&self, criterion: Criterion) -> f64 {
        criterion.count(&self.features) as f64
    }

    /// The share of the training patterns' features, counted with repetition, that are learned: sum of P_k over the learned k
    /// by L P.
    pub(super) fn learned_share(&self) -> f64 {
        let sum = |features: &mut dyn Iterator<Item = &FeatureRow>| -> f64 {
            features.map(|feature| feature.count as f64).sum()
        };
        let learned = sum(&mut self.features.iter().filter(|feature| LEARNED.is_reached(feature)));
        learned / sum(&mut self.features.iter())
    }

    /// Of the n features learned, the fraction that are among the first n; none if none is learned.
    pub(super) fn prefix_fraction(&self) -> Option<f64> {
        let n_learned = LEARNED.count(&self.features);
        let in_prefix = LEARNED.count(&self.features[..n_learned]);
        (n_learned > 0).then(|| in_prefix as f64 / n_learned as f64)
    }

    /// 1 - m_test.
    pub(super) fn one_minus_test(&self) -> f64 {
        self.point.observables.gap.map_or(f64::NAN, |gap| gap.one_minus_test)
    }

    /// m_train - m_test.
    pub(super) fn train_minus_test(&self) -> f64 {
        self.point.observables.gap.map_or(f64::NAN, |gap| gap.train_minus_test)
    }
}

/// One manifold.
pub(super) struct Draw {
    pub(super) exponent: f64,
    pub(super) index: u64,
    /// `[load][epoch]`
    measurements: Vec<Vec<Measurement>>,
}

impl Draw {
    pub(super) fn at(&self, load: usize, epoch: usize) -> &Measurement {
        &self.measurements[load][epoch]
    }
}

/// All of a run.
pub(super) struct Measurements<'a> {
    pub(super) config: &'a AcquisitionConfig,
    /// `[exponent][draw]`, flat.
    pub(super) all: Vec<Draw>,
}

impl Measurements<'_> {
    /// The draws of the exponent with this index.
    pub(super) fn draws(&self, exponent: usize) -> &[Draw] {
        let n_draws = self.config.n_draws as usize;
        &self.all[exponent * n_draws..][..n_draws]
    }

    /// Mean over the draws of the exponent with this index, and its standard error.
    pub(super) fn mean(&self, exponent: usize, value: impl Fn(&Draw) -> f64) -> Mean {
        Mean::of(&self.draws(exponent).iter().map(value).collect::<Vec<_>>())
    }

    /// One row a draw, load and epoch.
    pub(super) fn table(&self) -> Table {
        let columns = [
            "eta",
            "draw",
            "rule",
            "patterns",
            "load",
            "epoch",
            "loss",
            "row_norm",
            "lambda_eff",
            "asymmetry",
            "overlap_train",
            "overlap_test",
            "gap_one_minus_test",
            "gap_train_minus_test",
        ];
        let counts = Criterion::ALL.map(|criterion| format!("learned_{}", criterion.name()));
        let columns = columns.into_iter().map(str::to_owned).chain(counts);
        let mut table = Table::new(columns.chain(["learned_share", "prefix_fraction"].map(str::to_owned)));
        for draw in &self.all {
            for measurement in draw.measurements.iter().flatten() {
                let Point { n_patterns, load, epoch, observables } = &measurement.point;
                let rule = if *epoch == 0 { "hebb" } else { "pseudo-likelihood" };
                let mut row = vec![
                    draw.exponent.to_string(),
                    draw.index.to_string(),
                    rule.to_owned(),
                    n_patterns.to_string(),
                    load.to_string(),
                    epoch.to_string(),
                ];
                let values = [
                    observables.loss,
                    observables.row_norm,
                    observables.lambda_eff,
                    observables.asymmetry,
                    observables.overlap.train,
                    observables.overlap.test.unwrap_or(f64::NAN),
                    measurement.one_minus_test(),
                    measurement.train_minus_test(),
                ];
                row.extend(values.iter().map(f64::to_string));
                row.extend(Criterion::ALL.map(|criterion| measurement.n_learned(criterion).to_string()));
                row.push(measurement.learned_share().to_string());
                row.push(measurement.prefix_fraction().map_or(String::new(), |value| value.to_string()));
                table.push(row);
            }
        }
        table
    }
}

/// Trains and measures one manifold. Smaller loads are its first patterns, so that curves differ by data alone.
pub(super) fn measure(
    config: &AcquisitionConfig,
    exponent: f64,
    draw: u64,
    execution: &Execution,
) -> Result<Draw> {
    let n_patterns = config.loads.last().map_or(1, |&load| config.n_patterns(load));
    let seed = config.seed.wrapping_add(draw);
    let manifold = Manifold::new(ManifoldParameters {
        n_spins: config.n_spins,
        n_patterns,
        n_test: config.n_states,
        n_features: config.n_features,
        n_active: config.n_active,
        exponent,
        coefficients: Coefficients::Signs,
        test_features: None,
        n_stored_features: config.n_features as usize,
        seed,
    })?;
    let all = manifold.generate(execution)?;
    let mut draws = Draw { exponent, index: draw, measurements: Vec::new() };
    let Some(features) = &all.features else { return Ok(draws) };
    for &load in &config.loads {
        let n_patterns = config.n_patterns(load);
        let counts = feature_counts(&manifold, n_patterns);
        // Without features: their last overlaps come with the rows.
        let data = DataSet { test: all.test.clone(), ..DataSet::from_train(all.train.head(n_patterns)) };
        let parameters = PseudoLikelihood { seed, ..PseudoLikelihood::new(config.lambda, config.lr) };
        let evaluation =
            Evaluation::new(&data, &parameters, config.n_states, config.n_steps, seed, execution)?;
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, execution)?;
        let points = trajectory_with(&mut trainer, &evaluation, &config.epochs, execution, |couplings| {
            feature_rows(couplings, features, &counts, config.n_steps, execution)
        })?;
        let measurement = |(point, features)| Measurement { point, features };
        draws.measurements.push(points.into_iter().map(measurement).collect());
    }
    Ok(draws)
}

/// P_k of the first `n_patterns` patterns, `[D]`.
fn feature_counts(manifold: &Manifold, n_patterns: usize) -> Vec<u64> {
    let mut counts = vec![0; manifold.parameters().n_features as usize];
    for pattern in 0..n_patterns as u64 {
        for &rank in manifold.pattern_draw(pattern).ranks() {
            counts[rank as usize - 1] += 1;
        }
    }
    counts
}
