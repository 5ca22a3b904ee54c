//! `attractor stabilities`: the distribution of stabilities, beside theory.

use std::path::{Path, PathBuf};

use attractor::analysis::{Histogram, Stabilities as Measured, kolmogorov_distance, stabilities};
use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::report::{Axis, Color, Figure, Panel, Position, Series, Style};
use attractor::spins::SpinMatrix;
use attractor::storage::Table;
use attractor::theory::{Law, StabilityDistribution};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::estimate::{Estimate, FIGURE_BYTES};
use super::inputs::{files, open_couplings};
use super::options::Common;
use super::text::{listing, name_of, short};

#[derive(Args)]
pub struct Stabilities {
    /// Couplings
    couplings: PathBuf,
    /// Data set with the patterns
    data: PathBuf,
    /// Which patterns
    #[arg(long, value_enum, default_value_t = From::Train)]
    from: From,
    /// Theory of random patterns to compare with
    #[arg(long, value_enum)]
    theory: Option<Theory>,
    /// Load of the theory [default: P / N of the training patterns]
    #[arg(long, requires = "theory")]
    load: Option<f64>,
    /// lambda' |J_i| of the theory
    /// [default: of the couplings, where they were trained with a lambda]
    #[arg(long, requires = "theory")]
    lambda_eff: Option<f64>,
    /// Bins of the histogram
    #[arg(long, default_value_t = 100)]
    bins: usize,
    /// Write the histogram to this name with .csv, .svg and .png
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum From {
    Train,
    Test,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Theory {
    /// Couplings of largest margin
    Gardner,
    PseudoLikelihood,
    Hebb,
    PseudoInverse,
}

/// A theory at the load and lambda_eff it is compared at.
struct Prediction {
    name: String,
    load: f64,
    lambda_eff: Option<f64>,
    law: Box<dyn StabilityDistribution>,
}

/// What the laws are laws of.
const LAW_OF: &str = "training patterns under rows of couplings that are independent of each other";
/// Bytes that a bin takes in the histogram, the table and the figure, by and large.
const BYTES_PER_BIN: f64 = 1536.0;
/// Points of the plotted density.
const CURVE_POINTS: usize = 1001;

impl Stabilities {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let files = self.files();
        let outputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&outputs, &[&self.couplings, &self.data])?;
        Histogram::check_n_bins(self.bins)?;
        let couplings = open_couplings(&self.couplings, &self.common, &execution)?;
        let data = DataSet::open(&self.data)?;
        let n_spins = couplings.n_spins();
        if data.n_spins() != n_spins {
            let expected = format!("N = {n_spins} as in {}", self.couplings.display());
            return Err(Error::format(&self.data, expected, format!("N = {}", data.n_spins())).into());
        }
        let load = self.load.unwrap_or(data.load());
        let patterns = match self.from {
            From::Train => &data.train,
            From::Test => data.test.as_ref().ok_or_else(|| {
                Error::format(&self.data, "a test set, as asked for by --from", "a data set without one")
            })?,
        };
        let norms = couplings.row_norms(&execution)?;
        let row_norm = norms.iter().sum::<f64>() / norms.len() as f64;
        let prediction = self.prediction(&couplings, row_norm, load)?;
        if let Some(reason) = self.is_beside_theory(&couplings) {
            execution.progress().note(&format!("note: the theory is that of {LAW_OF}; {reason}"));
        }
        let (n, p) = (n_spins as f64, patterns.n_rows() as f64);
        let memory = self.memory(&data, patterns.n_rows(), execution.n_threads());
        let estimate = Estimate::new(memory, 0.0, n * n * p, &execution)
            .with_arrays(4.0 * n * p + self.common.loaded_bytes(n));
        if !self.common.admits(&estimate, self.output.as_deref(), &execution)? {
            return Ok(());
        }
        let measured = stabilities(&couplings, patterns, &norms, &execution)?;
        let histogram = Histogram::new(measured.values(), self.bins)?;
        let distance = prediction.as_ref().map(|prediction| {
            kolmogorov_distance(measured.values(), |stability| prediction.law.cumulative(stability))
        });
        let distance = distance.transpose()?;
        if let [csv, svg, _] = &files[..] {
            table(&histogram, prediction.as_ref()).write(csv, self.common.overwrite())?;
            let title = format!("N = {n_spins}, P = {}", patterns.n_rows());
            let figure = figure(title, &histogram, prediction.as_ref())?;
            figure.write(&svg.with_extension(""), self.common.overwrite())?;
        }
        self.report(&measured, row_norm, &histogram, prediction.as_ref(), distance)
    }

    /// Bytes in memory beside the stabilities of so many patterns.
    fn memory(&self, data: &DataSet, n_patterns: usize, n_threads: usize) -> f64 {
        let (n, p) = (data.n_spins() as f64, n_patterns as f64);
        let parts = [Some(&data.train), data.test.as_ref(), data.features.as_ref()];
        let n_rows: usize = parts.into_iter().flatten().map(SpinMatrix::n_rows).sum();
        // The data, and the patterns in both orders; what a thread computes with.
        let bits = n * (n_rows as f64 + 2.0 * p) / 8.0;
        let scratch = n_threads as f64 * 64.0 * (n + p + 2048.0);
        // Where they are held to a theory, a sorted copy in f64, which is gone before the figure is drawn.
        let sorted = if self.theory.is_some() { 8.0 * n * p } else { 0.0 };
        let figure = if self.output.is_some() { FIGURE_BYTES } else { 0.0 };
        bits + scratch + self.bins as f64 * BYTES_PER_BIN + sorted.max(figure)
    }

    /// Table and figure, if any.
    fn files(&self) -> Vec<PathBuf> {
        files(self.output.as_deref(), &[".csv", ".svg", ".png"])
    }

    fn prediction(&self, couplings: &Couplings, row_norm: f64, load: f64) -> Result<Option<Prediction>> {
        let Some(theory) = self.theory else { return Ok(None) };
        let name = name_of(theory);
        if theory != Theory::PseudoLikelihood && self.lambda_eff.is_some() {
            let expected = format!("no such option with --theory {name}");
            return Err(Error::parameter("lambda-eff", expected, "one"));
        }
        let mut used = None;
        let law = match theory {
            Theory::Gardner => Law::MaxStability,
            Theory::Hebb => Law::Hebb,
            Theory::PseudoInverse => Law::PseudoInverse,
            Theory::PseudoLikelihood => {
                let lambda =
                    couplings.description().get("lambda").and_then(|lambda| lambda.parse::<f64>().ok());
                let lambda_eff = self.lambda_eff.or(lambda.map(|lambda| lambda / 2.0 * row_norm));
                let lambda_eff = lambda_eff.ok_or_else(|| {
                    let expected = "--lambda-eff, or couplings that were trained with a lambda";
                    Error::format(&self.couplings, expected, "neither")
                })?;
                used = Some(lambda_eff);
                Law::PseudoLikelihood { lambda_eff }
            }
        };
        Ok(Some(Prediction { name, load, lambda_eff: used, law: law.at_load(load)? }))
    }

    /// What of this comparison the theory does not speak of, if anything.
    fn is_beside_theory(&self, couplings: &Couplings) -> Option<&'static str> {
        self.theory?;
        let variant = couplings.description().get("variant").map(String::as_str);
        match (self.from, variant) {
            (From::Test, _) => Some("these are test patterns"),
            (From::Train, Some("symmetrized" | "symmetric")) => Some("these couplings are symmetric"),
            (From::Train, _) => None,
        }
    }

    fn report(
        &self,
        measured: &Measured,
        row_norm: f64,
        histogram: &Histogram,
        prediction: Option<&Prediction>,
        distance: Option<f64>,
    ) -> anyhow::Result<()> {
        let least = measured.margins().fold(f64::INFINITY, f64::min);
        let mean_margin = measured.margins().sum::<f64>() / measured.margins().len() as f64;
        let theory = prediction.map(|prediction| {
            json!({
                "name": prediction.name,
                "load": prediction.load,
                "lambda_eff": prediction.lambda_eff,
                "mean": prediction.law.mean(),
                "negative_fraction": prediction.law.negative_fraction(),
                "atom": prediction.law.atom().map(|atom| json!({ "stability": atom.stability, "weight": atom.weight })),
                "kolmogorov_distance": distance,
            })
        });
        let bin = |(low, high, count): (f64, f64, u64)| json!({ "low": low, "high": high, "count": count });
        let document = json!({
            "stabilities": histogram.n_samples(),
            "row_norm": row_norm,
            "mean": measured.mean(),
            "min": least,
            "min_mean": mean_margin,
            "negative_fraction": measured.negative_fraction(),
            "histogram": histogram.bins().map(bin).collect::<Vec<Value>>(),
            "theory": theory,
            "output": self.files(),
        });
        let mut rows = vec![
            ("stabilities", histogram.n_samples().to_string()),
            ("mean", short(measured.mean())),
            ("smallest", short(least)),
            ("smallest of a neuron, mean", short(mean_margin)),
            ("negative", format!("{:.3} %", 100.0 * measured.negative_fraction())),
        ];
        if let (Some(prediction), Some(distance)) = (prediction, distance) {
            let lambda_eff = prediction.lambda_eff.map(|value| format!(", lambda_eff {}", short(value)));
            let at = format!(
                "{} at load {}{}",
                prediction.name,
                short(prediction.load),
                lambda_eff.unwrap_or_default()
            );
            rows.push(("theory", at));
            rows.push(("theory: mean", short(prediction.law.mean())));
            rows.push(("theory: negative", format!("{:.3} %", 100.0 * prediction.law.negative_fraction())));
            if let Some(atom) = prediction.law.atom() {
                let of = format!("{} of all at {}", short(atom.weight), short(atom.stability));
                rows.push(("theory: delta peak", of));
            }
            rows.push(("Kolmogorov distance", short(distance)));
        }
        for file in self.files() {
            rows.push(("written", file.display().to_string()));
        }
        self.common.print(&document, &listing(rows))
    }
}

/// A row a bin: its ends, the number of stabilities, their density, and the theory's mean density in the bin, the delta
/// peak included.
fn table(histogram: &Histogram, prediction: Option<&Prediction>) -> Table {
    let theory = prediction.map(|_| "theory");
    let mut table = Table::new(["low", "high", "count", "density"].into_iter().chain(theory));
    let n_samples = histogram.n_samples() as f64;
    for (low, high, count) in histogram.bins() {
        let width = high - low;
        let predicted = prediction.map(|prediction| {
            // Bins hold their lower ends.
            let below = |stability: f64| prediction.law.cumulative(stability.next_down());
            ((below(high) - below(low)) / width).to_string()
        });
        let density = count as f64 / n_samples / width;
        let values = [low.to_string(), high.to_string(), count.to_string(), density.to_string()];
        table.push(values.into_iter().chain(predicted).collect());
    }
    table
}

fn figure(title: String, histogram: &Histogram, prediction: Option<&Prediction>) -> Result<Figure> {
    let measured = Series::new("measured", Style::Line, Color::TRAIN, histogram.density_steps());
    let mut panel = Panel::new(title, Axis::linear("stability Δ"), Axis::linear("density")).with(measured);
    if let Some(prediction) = prediction {
        let (low, high) = prediction.law.bulk();
        // A law that is an atom alone has no curve.
        if low < high {
            let curve = prediction.law.density_curve(low, high, CURVE_POINTS)?;
            let name = format!("theory: {}", prediction.name);
            panel = panel.with(Series::new(name, Style::Dashed, Color::Vermillion, curve));
        }
        if let Some(atom) = prediction.law.atom() {
            let name = format!("delta peak, weight {:.3}", atom.weight);
            panel = panel.with_reference(name, Position::X(atom.stability));
        }
    }
    Ok(Figure::new(vec![panel]))
}
