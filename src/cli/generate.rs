//! `attractor generate`: synthetic data sets.

mod spin_glass;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use attractor::datasets::{Coefficients, DataSet, Manifold, ManifoldParameters, Random};
use attractor::storage::Description;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::estimate::Estimate;
use super::options::Common;
use super::provenance::provenance;
use super::text::{listing, short};

#[derive(Args)]
pub struct Generate {
    #[command(subcommand)]
    source: Source,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Source {
    /// Independent fair spins
    Random(RandomOptions),
    /// Signed sums of few hidden features; feature k is used with weight k^-exponent
    Manifold(ManifoldOptions),
    /// Equilibrium samples of a spin glass: Edwards and Anderson's, Sherrington and Kirkpatrick's, or of given bonds
    SpinGlass(Box<spin_glass::SpinGlassOptions>),
}

#[derive(Args)]
struct Shape {
    /// Number of spins N
    #[arg(long)]
    n: usize,
    /// Number of patterns P
    #[arg(long)]
    patterns: usize,
    /// Number of unseen examples
    #[arg(long, default_value_t = 1000)]
    test: usize,
    /// File to write
    #[arg(long, short, default_value = "data.safetensors")]
    output: PathBuf,
}

#[derive(Args)]
struct RandomOptions {
    #[command(flatten)]
    shape: Shape,
}

#[derive(Args)]
struct ManifoldOptions {
    #[command(flatten)]
    shape: Shape,
    /// Number of features D
    #[arg(long)]
    features: u64,
    /// Features in a pattern, L
    #[arg(long, default_value_t = 3)]
    active: usize,
    /// Exponent eta of the feature frequencies, k^-eta; 0 is uniform
    #[arg(long, default_value_t = 0.0)]
    exponent: f64,
    /// Coefficients of the active features
    #[arg(long, value_enum, default_value_t = CoefficientsOption::Signs)]
    coefficients: CoefficientsOption,
    /// Ranks that the unseen examples use, such as 1..100 [default: all]
    #[arg(long, value_parser = ranks)]
    test_features: Option<RangeInclusive<u64>>,
    /// Features stored in the file, the most frequent ones [default: all, at most 100000]
    #[arg(long)]
    stored_features: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum CoefficientsOption {
    Signs,
    Gaussian,
}

/// "a..b", both ends included.
fn ranks(text: &str) -> Result<RangeInclusive<u64>, String> {
    let parse = |part: &str| part.trim_start_matches('=').parse::<u64>().map_err(|error| error.to_string());
    let (low, high) = text.split_once("..").ok_or("expected two ranks, such as 1..100")?;
    Ok(parse(low)?..=parse(high)?)
}

/// What makes the data, its parameters checked.
enum Generator {
    Random(Random),
    Manifold(Manifold),
}

/// Features stored without being asked for: beyond, the file would outgrow the patterns.
const MAX_STORED_FEATURES: u64 = 100_000;

impl Generate {
    pub fn run(self) -> anyhow::Result<()> {
        let common = self.common;
        let execution = common.execution()?;
        let (shape, generator, n_stored) = match self.source {
            Source::SpinGlass(options) => return options.run(&common, &execution),
            Source::Random(RandomOptions { shape }) => {
                let (n_spins, n_patterns, n_test) = (shape.n, shape.patterns, shape.test);
                let random = Random { n_spins, n_patterns, n_test, seed: common.seed };
                random.check()?;
                (shape, Generator::Random(random), 0)
            }
            Source::Manifold(options) => {
                let default = options.features.min(MAX_STORED_FEATURES) as usize;
                let n_stored_features = options.stored_features.unwrap_or(default);
                let manifold = Manifold::new(ManifoldParameters {
                    n_spins: options.shape.n,
                    n_patterns: options.shape.patterns,
                    n_test: options.shape.test,
                    n_features: options.features,
                    n_active: options.active,
                    exponent: options.exponent,
                    coefficients: match options.coefficients {
                        CoefficientsOption::Signs => Coefficients::Signs,
                        CoefficientsOption::Gaussian => Coefficients::Gaussian,
                    },
                    test_features: options.test_features,
                    n_stored_features,
                    seed: common.seed,
                })?;
                (options.shape, Generator::Manifold(manifold), n_stored_features)
            }
        };
        let Shape { n: n_spins, patterns: n_patterns, test: n_test, output } = shape;
        common.check_outputs(&[&output], &[])?;
        let n_rows = n_patterns as f64 + n_test as f64 + n_stored as f64;
        let size = n_rows * n_spins as f64 / 8.0;
        let estimate = Estimate::new(2.0 * size, size, 100.0 * n_rows * n_spins as f64, &execution);
        if !common.admits(&estimate, Some(&output), &execution)? {
            return Ok(());
        }
        let data = match generator {
            Generator::Random(random) => random.generate(&execution)?,
            Generator::Manifold(manifold) => manifold.generate(&execution)?,
        };
        save(data, &output, &common, provenance(&[])?)
    }
}

/// Writes a data set, unless the run is dry, with what is known of its making, and says so.
pub fn save(
    mut data: DataSet,
    output: &std::path::Path,
    common: &Common,
    made: Description,
) -> anyhow::Result<()> {
    if common.dry_run {
        return common.print_dry_run(output);
    }
    data.provenance.extend(made);
    data.write(output, common.overwrite())?;
    let rows = |part: &Option<attractor::spins::SpinMatrix>| part.as_ref().map_or(0, |part| part.n_rows());
    let (test, features) = (rows(&data.test), rows(&data.features));
    let document = json!({
        "output": output, "n": data.n_spins(), "p": data.n_patterns(), "test": test, "features": features,
        "load": data.load(), "provenance": data.provenance,
    });
    let text = listing([
        ("data set", output.display().to_string()),
        ("spins N", data.n_spins().to_string()),
        ("patterns P", format!("{} (load {})", data.n_patterns(), short(data.load()))),
        ("unseen examples", test.to_string()),
        ("features", features.to_string()),
    ]);
    common.print(&document, &text)
}
