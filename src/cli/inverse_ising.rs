//! `attractor inverse-ising`: recovered couplings against the true ones.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use attractor::Error;
use attractor::analysis::{InverseIsing as Comparison, RecoveredPair, inverse_ising, recovered_pairs};
use attractor::datasets::DataSet;
use attractor::datasets::spin_glass::Bonds;
use attractor::report::{Axis, Color, Figure, Panel, Series, Style};
use attractor::storage::Table;
use clap::Args;
use serde_json::json;

use super::estimate::{Estimate, FIGURE_BYTES};
use super::inputs::open_couplings;
use super::options::Common;
use super::text::{listing, short};

#[derive(Args)]
pub struct InverseIsing {
    /// Couplings, learned by pseudo-likelihood
    couplings: PathBuf,
    /// Data set with the true bonds (generate spin-glass), or their file of lines "i j J"
    data: PathBuf,
    /// lambda of the loss [default: that in the couplings' file]
    #[arg(long)]
    lambda: Option<f64>,
    /// Temperature of the samples [default: that in the data set]
    #[arg(long)]
    temperature: Option<f64>,
    /// Write all pairs and their scatter plot to this name with .csv, .svg and .png
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Pairs without a bond that the plot shows, evenly spread over all of them.
const PLOTTED_ABSENT: usize = 1000;

impl InverseIsing {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let files = self.files();
        let outputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&outputs, &[&self.couplings, &self.data])?;
        let couplings = open_couplings(&self.couplings, &self.common, &execution)?;
        let (bonds, temperature) = self.truth(couplings.n_spins())?;
        let lambda = couplings.description().get("lambda").and_then(|lambda| lambda.parse().ok());
        let lambda = self.lambda.or(lambda).ok_or_else(|| {
            let expected = "--lambda, or couplings that were trained with a lambda";
            Error::format(&self.couplings, expected, "neither")
        })?;
        let n = couplings.n_spins() as f64;
        let disk = if self.output.is_some() { 40.0 * n * n } else { 0.0 };
        let drawing = if self.output.is_some() { FIGURE_BYTES } else { 0.0 };
        let estimate = Estimate::new((4.0 * disk).max(drawing), disk, 100.0 * n * n, &execution)
            .with_arrays(self.common.loaded_bytes(n));
        if !self.common.admits(&estimate, self.output.as_deref(), &execution)? {
            return Ok(());
        }
        let found = inverse_ising(&couplings, &bonds, lambda, temperature, &execution)?;
        if let [csv, svg, _] = &files[..] {
            let pairs: Vec<RecoveredPair> =
                recovered_pairs(&couplings, &bonds, lambda, temperature)?.collect();
            table(&pairs).write(csv, self.common.overwrite())?;
            let figure = figure(&pairs, &found);
            figure.write(&svg.with_extension(""), self.common.overwrite())?;
        }
        let document = json!({
            "pairs": found.n_pairs, "bonds": found.n_bonds, "lambda": lambda, "temperature": temperature,
            "gamma": found.gamma, "gamma_bonds": found.gamma_bonds, "gamma_absent": found.gamma_absent,
            "slope": found.slope, "asymmetry": found.asymmetry, "output": files,
        });
        let mut rows = vec![
            ("pairs", format!("{}, {} of them bonds", found.n_pairs, found.n_bonds)),
            ("lambda, temperature", format!("{}, {}", short(lambda), short(temperature))),
            ("error gamma", short(found.gamma)),
            ("  of bonds", short(found.gamma_bonds)),
            ("  of absent pairs", short(found.gamma_absent)),
            ("slope", short(found.slope)),
            ("asymmetry", short(found.asymmetry)),
        ];
        rows.extend(files.iter().map(|file| ("written", file.display().to_string())));
        self.common.print(&document, &listing(rows))
    }

    /// Table and figure, if any.
    fn files(&self) -> Vec<PathBuf> {
        let with = |suffix: &str| {
            let stem = self.output.as_ref()?;
            let mut name = stem.file_name()?.to_owned();
            name.push(suffix);
            Some(stem.with_file_name(name))
        };
        [".csv", ".svg", ".png"].into_iter().filter_map(with).collect()
    }

    /// The true bonds and the temperature.
    fn truth(&self, n_spins: usize) -> anyhow::Result<(Bonds, f64)> {
        let wanted = || "--temperature, or a data set of a known temperature";
        if is_text(&self.data)? {
            let temperature =
                self.temperature.ok_or_else(|| Error::format(&self.data, wanted(), "bonds alone"))?;
            return Ok((Bonds::read(&self.data, Some(n_spins))?, temperature));
        }
        let data = DataSet::open(&self.data)?;
        if data.n_spins() != n_spins {
            let expected = format!("N = {n_spins} as in {}", self.couplings.display());
            return Err(Error::format(&self.data, expected, format!("N = {}", data.n_spins())).into());
        }
        let temperature = data.provenance.get("temperature").and_then(|t| t.parse().ok());
        let temperature =
            self.temperature.or(temperature).ok_or_else(|| Error::format(&self.data, wanted(), "neither"))?;
        let Some(bonds) = data.bonds else {
            return Err(Error::format(&self.data, "a data set with the bonds it was made of", "none").into());
        };
        Ok((bonds, temperature))
    }
}

/// A container begins with the length of its header in eight bytes, the last of them 0; text has no such bytes.
fn is_text(path: &Path) -> attractor::Result<bool> {
    let mut first = Vec::new();
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    file.take(8).read_to_end(&mut first).map_err(Error::io(path, "read"))?;
    Ok(!first.contains(&0))
}

/// A row a pair; `true` is empty where there is no bond.
fn table(pairs: &[RecoveredPair]) -> Table {
    let mut table = Table::new(["i", "j", "true", "recovered", "half_difference"]);
    for pair in pairs {
        table.push(vec![
            pair.i.to_string(),
            pair.j.to_string(),
            pair.truth.map_or(String::new(), |truth| truth.to_string()),
            pair.recovered.to_string(),
            pair.half_difference.to_string(),
        ]);
    }
    table
}

fn figure(pairs: &[RecoveredPair], found: &Comparison) -> Figure {
    let bonds: Vec<(f64, f64)> =
        pairs.iter().filter_map(|pair| Some((pair.truth?, pair.recovered))).collect();
    let absent: Vec<f64> =
        pairs.iter().filter(|pair| pair.truth.is_none()).map(|pair| pair.recovered).collect();
    let every = absent.len().div_ceil(PLOTTED_ABSENT).max(1);
    let absent = absent.into_iter().step_by(every).map(|recovered| (0.0, recovered)).collect();
    let low = bonds.iter().map(|bond| bond.0).fold(0.0, f64::min);
    let high = bonds.iter().map(|bond| bond.0).fold(0.0, f64::max);
    let panel = Panel::new(
        format!("γ = {}", short(found.gamma)),
        Axis::linear("true J / T"),
        Axis::linear("recovered λJ / 2"),
    )
    .with(Series::new("absent pairs", Style::Markers, Color::Vermillion, absent))
    .with(Series::new("bonds", Style::Markers, Color::Blue, bonds))
    .with(Series::new("equal", Style::Dashed, Color::Black, vec![(low, low), (high, high)]));
    Figure::new(vec![panel])
}
