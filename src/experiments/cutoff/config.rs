//! What is measured: sizes, exponents, draws.

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::super::cost::{Cost, Estimated, FIGURE_BYTES};
use super::super::parameters::{Parameters, Shipped};
use crate::analysis::cutoff::{Expected, Kept, MeasureOptions, estimated_bytes, expected};
use crate::datasets::{Coefficients, ManifoldParameters};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::random::stream;

/// Up to this N stored couplings can be compared with: J of 64 GiB, in a file.
const MAX_STORED: usize = 1 << 17;
/// The program itself and what its allocator keeps, beside a measurement.
const PROGRAM_BYTES: u64 = 32 << 20;
/// Of a draw's features, the share that moves on in the mean step of last overlaps.
const MOVING: f64 = 0.5;

/// Parameters of the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutoffConfig {
    /// L.
    pub n_active: usize,
    /// Features measured, the first so many; none for three times the predicted cutoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranks: Option<usize>,
    /// Memory allowed, in bytes; none for any amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Also from stored couplings, where N is at most 131072, and compare.
    pub check_couplings: bool,
    pub seed: u64,
    pub settings: Vec<CutoffSetting>,
}

/// Manifolds that differ by their draw alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutoffSetting {
    /// eta.
    pub exponent: f64,
    /// N.
    pub n_spins: usize,
    /// P.
    pub n_patterns: usize,
    /// D.
    pub n_features: u64,
    pub n_draws: u64,
    /// Parallel steps of the last overlaps; 0 for none.
    pub n_steps: usize,
}

/// What the draws of a setting are expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SettingEstimate {
    /// K of a draw.
    pub features: usize,
    /// Patterns of a draw that differ, up to sign.
    pub columns: usize,
    /// Memory.
    pub bytes: u64,
    /// Disk, besides a few KiB a draw.
    pub disk_bytes: u64,
    /// Signed sums of either pass, all draws.
    pub products: f64,
}

/// A product of bits with integers takes about as long as one with floats, one of bits with bits half of that.
const WORK_A_PRODUCT: f64 = 1.5;

impl SettingEstimate {
    /// What all settings take, one after another.
    pub fn total(all: &[Self]) -> Cost {
        let cost = |estimate: &Self| Cost {
            memory_bytes: estimate.bytes as f64,
            work: WORK_A_PRODUCT * estimate.products,
            ..Cost::default()
        };
        // J is a file that goes before the next.
        let disk_bytes = all.iter().map(|estimate| estimate.disk_bytes).max().unwrap_or(0) as f64;
        Cost { disk_bytes, ..all.iter().map(cost).sum() }
    }
}

impl Parameters for CutoffConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/cutoff.toml"),
        quick: include_str!("../parameters/cutoff-quick.toml"),
        optional: &["ranks", "memory"],
    };

    fn set_samples(parameters: &mut toml::Table, n_samples: u32) {
        let settings = parameters.get_mut("settings").and_then(toml::Value::as_array_mut);
        for setting in settings.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
            setting.insert("n_draws".to_owned(), n_samples.into());
        }
    }
}

impl Estimated for CutoffConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        Ok(SettingEstimate::total(&self.estimates(execution)?))
    }
}

impl CutoffConfig {
    /// eta = 1, 1.5, 2 at N = 2^12 to 2^20 (2^18 for eta = 1, where thousands of features are stored beyond), P = 10^5,
    /// D = N/2, L = 3, with fewer draws of larger N; or N up to 2^15 at P = 20000. Final overlaps for the smaller N.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    /// Memory, work and number of features of each setting.
    ///
    /// # Errors
    /// If a parameter is out of range, or the memory allowed is too little: says how much is needed.
    pub fn estimates(&self, execution: &Execution) -> Result<Vec<SettingEstimate>> {
        if self.settings.is_empty() {
            return Err(Error::parameter("n", "one size or more", "none"));
        }
        let estimate = |setting: &CutoffSetting| {
            if setting.n_draws == 0 {
                return Err(Error::parameter("draws", "1 or more", 0));
            }
            let same = |other: &&CutoffSetting| {
                other.n_spins == setting.n_spins && other.exponent == setting.exponent
            };
            if self.settings.iter().filter(same).count() > 1 {
                return Err(Error::parameter("n", "every size once for each exponent", setting.n_spins));
            }
            let parameters = self.parameters(setting, 0);
            let options = self.options(setting);
            let n_threads = execution.n_threads();
            // Refuses what is out of range before patterns are drawn.
            estimated_bytes(&parameters, options, 1, 1, n_threads)?;
            let Expected { features, columns } = expected(&parameters, options.kept, execution)?;
            let measured = estimated_bytes(&parameters, options, features, columns, n_threads)?;
            let (mut bytes, mut disk_bytes) = ((measured + PROGRAM_BYTES).max(FIGURE_BYTES), 0);
            if self.compares_couplings(setting) {
                // Patterns and two packed layouts of them, fields; J on disk.
                let (n, p) = (setting.n_spins as u64, setting.n_patterns as u64);
                disk_bytes = 4 * n * n;
                bytes = bytes.max(3 * (n * p / 8) + 4 * n * features as u64 + PROGRAM_BYTES);
            }
            if let Some(allowed) = self.memory.filter(|&allowed| bytes > allowed) {
                let expected =
                    format!("at least {} MiB for figures and stored couplings", bytes.div_ceil(1 << 20));
                return Err(Error::parameter("memory", expected, format!("{} MiB", allowed >> 20)));
            }
            let n_states = features as f64 * (1.0 + MOVING * setting.n_steps as f64);
            let products = setting.n_spins as f64 * columns as f64 * n_states * setting.n_draws as f64;
            Ok(SettingEstimate { features, columns, bytes, disk_bytes, products })
        };
        self.settings.iter().map(estimate).collect()
    }

    pub(super) fn compares_couplings(&self, setting: &CutoffSetting) -> bool {
        self.check_couplings && setting.n_spins <= MAX_STORED
    }

    /// The manifold of a draw.
    pub fn parameters(&self, setting: &CutoffSetting, draw: u64) -> ManifoldParameters {
        let index = [setting.n_spins as u64, setting.exponent.to_bits(), draw];
        ManifoldParameters {
            n_spins: setting.n_spins,
            n_patterns: setting.n_patterns,
            n_test: 0,
            n_features: setting.n_features,
            n_active: self.n_active,
            exponent: setting.exponent,
            coefficients: Coefficients::Signs,
            test_features: None,
            n_stored_features: 0,
            // 53 bits, which every reader of JSON and of tables keeps.
            seed: stream(self.seed, "cutoff draw", &index).next_u64() >> 11,
        }
    }

    pub(super) fn options(&self, setting: &CutoffSetting) -> MeasureOptions {
        MeasureOptions {
            kept: self.ranks.map_or(Kept::Predicted, Kept::First),
            n_steps: setting.n_steps,
            memory: self.memory,
        }
    }
}
