//! All measurements of a run: by exponent, draw, load and epoch; and the table of it all.

use serde::{Deserialize, Serialize};

use super::FeatureLearningConfig;
use crate::analysis::cutoff::{Criterion, FeatureRow};
use crate::experiments::mean::Mean;
use crate::experiments::trajectory::Point;
use crate::storage::Table;

/// What counts as learned in figures and numbers.
pub(in super::super) const LEARNED: Criterion = Criterion::Last(0.9);

/// Couplings at one load and epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct Measurement {
    pub(in super::super) n_patterns: usize,
    pub(in super::super) load: f64,
    pub(in super::super) epoch: u64,
    pub(super) loss: f64,
    pub(super) row_norm: f64,
    pub(super) lambda_eff: f64,
    pub(super) asymmetry: f64,
    pub(super) overlap_train: f64,
    pub(super) overlap_test: f64,
    /// One a feature, `[D]`.
    pub(in super::super) features: Vec<FeatureRow>,
}

impl Measurement {
    pub(super) fn new(point: &Point, features: Vec<FeatureRow>) -> Self {
        let Point { n_patterns, load, epoch, observables } = *point;
        Self {
            n_patterns,
            load,
            epoch,
            loss: observables.loss,
            row_norm: observables.row_norm,
            lambda_eff: observables.lambda_eff,
            asymmetry: observables.asymmetry,
            overlap_train: observables.overlap.train,
            overlap_test: observables.overlap.test.unwrap_or(f64::NAN),
            features,
        }
    }

    /// How many features are learned.
    pub(in super::super) fn n_learned(&self, criterion: Criterion) -> f64 {
        criterion.count(&self.features) as f64
    }

    /// The share of the training patterns' features, counted with repetition, that are learned: sum of P_k over the learned k
    /// by L P.
    pub(in super::super) fn learned_share(&self) -> f64 {
        let sum = |features: &mut dyn Iterator<Item = &FeatureRow>| -> f64 {
            features.fold(0.0, |sum, feature| sum + feature.count as f64)
        };
        let learned = sum(&mut self.features.iter().filter(|feature| LEARNED.is_reached(feature)));
        learned / sum(&mut self.features.iter())
    }

    /// Of the n features learned, the fraction that are among the first n; none if none is learned.
    pub(in super::super) fn prefix_fraction(&self) -> Option<f64> {
        let n_learned = LEARNED.count(&self.features);
        let in_prefix = LEARNED.count(&self.features[..n_learned]);
        (n_learned > 0).then(|| in_prefix as f64 / n_learned as f64)
    }

    /// 1 - m_test.
    pub(in super::super) fn one_minus_test(&self) -> f64 {
        1.0 - self.overlap_test
    }

    /// m_train - m_test.
    pub(in super::super) fn train_minus_test(&self) -> f64 {
        self.overlap_train - self.overlap_test
    }
}

/// One manifold.
pub(in super::super) struct Draw {
    pub(in super::super) exponent: f64,
    pub(in super::super) index: u64,
    /// `[load][epoch]`
    pub(super) measurements: Vec<Vec<Measurement>>,
}

impl Draw {
    pub(in super::super) fn at(&self, load: usize, epoch: usize) -> &Measurement {
        &self.measurements[load][epoch]
    }
}

/// All of a run.
pub(in super::super) struct Measurements<'a> {
    pub(in super::super) config: &'a FeatureLearningConfig,
    /// `[exponent][draw]`, flat.
    pub(in super::super) all: Vec<Draw>,
}

impl Measurements<'_> {
    /// The draws of the exponent with this index.
    pub(in super::super) fn draws(&self, exponent: usize) -> &[Draw] {
        let n_samples = self.config.n_samples as usize;
        &self.all[exponent * n_samples..][..n_samples]
    }

    /// Mean over the draws of the exponent with this index, and its standard error.
    pub(in super::super) fn mean(&self, exponent: usize, value: impl Fn(&Draw) -> f64) -> Mean {
        Mean::of(&self.draws(exponent).iter().map(value).collect::<Vec<_>>())
    }

    /// One row a draw, load and epoch.
    pub(in super::super) fn table(&self) -> Table {
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
                let Measurement { n_patterns, load, epoch, .. } = measurement;
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
                    measurement.loss,
                    measurement.row_norm,
                    measurement.lambda_eff,
                    measurement.asymmetry,
                    measurement.overlap_train,
                    measurement.overlap_test,
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
