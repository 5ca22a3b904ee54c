//! `attractor generate spin-glass`: equilibrium samples of Ising spins with random couplings.

use std::path::{Path, PathBuf};

use attractor::Error;
use attractor::datasets::spin_glass::{
    BondLaw, BondSource, Bonds, Boundary, Equilibration, Evidence, Ladder, Lattice, Mean, SpinGlass,
};
use attractor::execution::Execution;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::estimate::Estimate;
use crate::cli::options::Common;
use crate::cli::provenance::provenance;
use crate::cli::text::{listing, short};

#[derive(Args)]
pub struct SpinGlassOptions {
    /// Where the spins are: L x L, L x L x L, or all coupled with all (SK)
    #[arg(long, value_enum, default_value_t = LatticeOption::Square)]
    lattice: LatticeOption,
    /// Side L of a square or cubic lattice
    #[arg(long)]
    side: Option<usize>,
    /// Number of spins N of a complete lattice, or of --bonds-file
    /// [default there: one above the largest index]
    #[arg(long)]
    n: Option<usize>,
    /// Law of the bonds: normal, or +1 and -1; divided by sqrt(N) where all are coupled
    #[arg(long, value_enum, default_value_t = LawOption::Gaussian)]
    bonds: LawOption,
    /// Fraction of +1 among pm1 bonds; 1 is the ferromagnet [default: 0.5]
    #[arg(long)]
    ferromagnetic_fraction: Option<f64>,
    /// What is beyond the last site of a line
    #[arg(long, value_enum, default_value_t = BoundaryOption::Periodic)]
    boundary: BoundaryOption,
    /// Seed of the bonds [default: --seed]
    #[arg(long)]
    bond_seed: Option<u64>,
    /// Take the bonds from this file: lines "i j J", spins counted from 0
    #[arg(long, conflicts_with_all = ["lattice", "side", "bonds", "ferromagnetic_fraction", "boundary", "bond_seed"])]
    bonds_file: Option<PathBuf>,
    /// Write the bonds to this file, in the same form
    #[arg(long)]
    write_bonds: Option<PathBuf>,
    /// Temperature T of the samples; E = - sum J s s
    #[arg(long)]
    temperature: f64,
    /// Hottest temperature of the replicas
    /// [default: 1.25 sqrt(sum_j J_ij^2)]
    #[arg(long)]
    hottest: Option<f64>,
    /// All temperatures of the replicas, ascending from T, as 1,1.2,1.5
    /// [default: chosen for exchange rates of 30 %]
    #[arg(long, value_delimiter = ',', conflicts_with = "hottest")]
    temperatures: Option<Vec<f64>>,
    /// Number of samples to train with, P
    #[arg(long)]
    patterns: usize,
    /// Number of samples to test with, from a run of their own
    #[arg(long, default_value_t = 1000)]
    test: usize,
    /// Independent chains of a run, rounded up to blocks of 256 (16 where spins have more than 6 neighbours), at least two
    /// blocks [default: one for every 32 samples (64)]
    #[arg(long)]
    chains: Option<usize>,
    /// Sweeps before the first sample
    /// [default: what chains take to forget their starts]
    #[arg(long)]
    equilibration: Option<u64>,
    /// Sweeps between samples of a chain
    /// [default: 40 autocorrelation times]
    #[arg(long)]
    spacing: Option<u64>,
    /// Give up waiting for chains to forget their starts after this many sweeps
    #[arg(long, default_value_t = 1 << 17)]
    max_sweeps: u64,
    /// File to write
    #[arg(long, short, default_value = "data.safetensors")]
    output: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LatticeOption {
    Square,
    Cubic,
    Complete,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LawOption {
    Gaussian,
    Pm1,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BoundaryOption {
    Periodic,
    Open,
}

/// Spin updates a second and thread, with AVX2: a guess for estimates alone.
const UPDATES_PER_SECOND: f64 = 1e9;
/// Sweeps of a chain and temperatures, before they are measured: a guess for estimates alone.
const SWEEPS: f64 = 4000.0;
const TEMPERATURES: f64 = 15.0;

impl SpinGlassOptions {
    pub fn run(&self, common: &Common, execution: &Execution) -> anyhow::Result<()> {
        let outputs: Vec<&Path> =
            std::iter::once(&self.output).chain(&self.write_bonds).map(PathBuf::as_path).collect();
        let inputs: Vec<&Path> = self.bonds_file.iter().map(PathBuf::as_path).collect();
        common.check_outputs(&outputs, &inputs)?;
        let glass = SpinGlass {
            ladder: match &self.temperatures {
                Some(temperatures) => Ladder::Given(temperatures.clone()),
                None => Ladder::Adapted { hottest: self.hottest },
            },
            n_chains: self.chains,
            equilibration: self.equilibration,
            spacing: self.spacing,
            max_sweeps: self.max_sweeps,
            ..SpinGlass::new(self.source(common)?, self.temperature, self.patterns, self.test, common.seed)
        };
        glass.check()?;
        let shape = match &glass.bonds {
            BondSource::Lattice { lattice, .. } => (lattice.n_spins()?, lattice.n_bonds()?),
            BondSource::Given(bonds) => (bonds.n_spins(), bonds.len()),
        };
        let estimate = self.estimate(shape, execution);
        let text = format!("{} (guessed: chains are timed in the run)", estimate.text(execution));
        if !common.admits_as(&estimate, &text, &estimate, Some(&self.output), execution)? {
            return Ok(());
        }
        let bonds = glass.bonds()?;
        let (mut data, evidence) = glass.generate(execution)?;
        let doubts = evidence.doubts();
        doubts.iter().for_each(|doubt| execution.progress().note(&format!("warning: {doubt}")));
        if let Some(asked) = self.chains.filter(|&asked| asked != evidence.train.n_chains) {
            let run = evidence.train.n_chains;
            execution
                .progress()
                .note(&format!("note: {run} chains are whole blocks for the {asked} asked for"));
        }
        let inputs: Vec<(&str, &Path)> = inputs.iter().map(|path| ("bonds_file", *path)).collect();
        data.provenance.extend(provenance(&inputs)?);
        if let Some(path) = &self.write_bonds {
            bonds.write(path, common.overwrite())?;
        }
        data.write(&self.output, common.overwrite())?;
        let document = json!({
            "output": self.output, "n": data.n_spins(), "p": data.n_patterns(), "test": self.test,
            "load": data.load(), "bonds": bonds.len(), "temperatures": evidence.sampling.temperatures,
            "exchange_rates": evidence.train.exchange_rates,
            "autocorrelation_sweeps": {
                "energy": evidence.sampling.memory.energy, "overlap": evidence.sampling.memory.overlap,
            },
            "equilibration_sweeps": evidence.sampling.equilibration,
            "spacing_sweeps": evidence.sampling.spacing,
            "train": run_document(&evidence.train),
            "test_run": evidence.test.as_ref().map(run_document),
            "doubts": doubts, "provenance": data.provenance,
        });
        let head = listing([
            ("data set", self.output.display().to_string()),
            ("spins N", format!("{}, {} bonds", data.n_spins(), bonds.len())),
            ("patterns P", format!("{} (load {})", data.n_patterns(), short(data.load()))),
            ("unseen examples", self.test.to_string()),
        ]);
        common.print(&document, &(head + &evidence_text(&evidence)))
    }

    fn source(&self, common: &Common) -> anyhow::Result<BondSource> {
        if let Some(path) = &self.bonds_file {
            return Ok(BondSource::Given(Bonds::read(path, self.n)?));
        }
        let boundary = match self.boundary {
            BoundaryOption::Periodic => Boundary::Periodic,
            BoundaryOption::Open => Boundary::Open,
        };
        let side = || self.side.ok_or_else(|| Error::parameter("side", "the side L of the lattice", "none"));
        let refuse = |name, given: bool, expected: &str| match given {
            true => Err(Error::parameter(name, format!("no such option with {expected}"), "one")),
            false => Ok(()),
        };
        let lattice = match self.lattice {
            LatticeOption::Complete => {
                refuse("side", self.side.is_some(), "--lattice complete")?;
                let n_spins = self.n.ok_or_else(|| Error::parameter("n", "the number of spins", "none"))?;
                Lattice::Complete { n_spins }
            }
            LatticeOption::Square | LatticeOption::Cubic => {
                refuse("n", self.n.is_some(), "a lattice of --side")?;
                let side = side()?;
                match self.lattice {
                    LatticeOption::Square => Lattice::Square { side, boundary },
                    _ => Lattice::Cubic { side, boundary },
                }
            }
        };
        let law = match self.bonds {
            LawOption::Gaussian => {
                let given = self.ferromagnetic_fraction.is_some();
                refuse("ferromagnetic-fraction", given, "--bonds gaussian")?;
                BondLaw::Gaussian
            }
            LawOption::Pm1 => {
                BondLaw::PlusMinus { ferromagnetic_fraction: self.ferromagnetic_fraction.unwrap_or(0.5) }
            }
        };
        Ok(BondSource::Lattice { lattice, law, seed: self.bond_seed.unwrap_or(common.seed) })
    }

    fn estimate(&self, (n_spins, n_bonds): (usize, usize), execution: &Execution) -> Estimate {
        let (n, rows) = (n_spins as f64, self.patterns as f64 + self.test as f64);
        // Where each spin has many neighbours an update costs as many additions, some of the time.
        let neighbours = 2.0 * n_bonds as f64 / n;
        let dense = neighbours > 6.0;
        let cost = if dense { 20.0 + neighbours / 8.0 } else { 1.0 };
        let chains = (rows / if dense { 64.0 } else { 32.0 }).max(512.0);
        let updates = chains * n * TEMPERATURES * SWEEPS;
        let matrix = if dense { 8.0 * n * n } else { 64.0 * n * TEMPERATURES };
        let chain = n * TEMPERATURES * if dense { 16.0 } else { 0.25 };
        Estimate {
            array_bytes: 0,
            optional_bytes: 0,
            memory_bytes: (rows * n / 2.0 + 100.0 * n_bonds as f64 + matrix + chains * chain) as u64,
            disk_bytes: (rows * n / 8.0 + 12.0 * n_bonds as f64) as u64,
            seconds: cost * updates / UPDATES_PER_SECOND / execution.n_threads() as f64,
        }
    }
}

fn run_document(run: &Equilibration) -> Value {
    let mean = |mean: Mean| json!({ "value": mean.value, "error": mean.error });
    let [halves, starts, overlaps, successive] = run.z_scores();
    json!({
        "chains": run.n_chains, "samples_a_chain": run.n_samples, "energy_per_spin": mean(run.energy),
        "energy_of_halves": run.halves.map(mean), "energy_of_starts": run.starts.map(mean),
        "squared_overlap_of_starts": run.squared_overlaps.map(mean), "exchange_rates": run.exchange_rates,
        "squared_overlap_successive": run.successive.map(mean),
        "z": { "halves": halves, "starts": starts, "overlaps": overlaps, "successive": successive },
    })
}

/// The evidence for people.
fn evidence_text(evidence: &Evidence) -> String {
    let sampling = &evidence.sampling;
    let hottest = sampling.temperatures.last().copied().unwrap_or(f64::NAN);
    let rates = &evidence.train.exchange_rates;
    let extreme = |pick: fn(f64, f64) -> f64| rates.iter().copied().reduce(pick).unwrap_or(f64::NAN);
    let mut rows = vec![
        (
            "temperatures",
            format!(
                "{} from {} to {}",
                sampling.temperatures.len(),
                sampling.temperatures[0],
                short(hottest)
            ),
        ),
        (
            "autocorrelation times",
            format!(
                "{} sweeps of the energy, {} of the overlap",
                short(sampling.memory.energy),
                short(sampling.memory.overlap)
            ),
        ),
        (
            "sweeps",
            format!(
                "{} before the first sample, {} between samples",
                sampling.equilibration, sampling.spacing
            ),
        ),
    ];
    if !rates.is_empty() {
        rows.insert(
            1,
            ("exchanges accepted", format!("{:.3} to {:.3}", extreme(f64::min), extreme(f64::max))),
        );
    }
    let mean = |mean: Mean| format!("{:.5} +- {:.5}", mean.value, mean.error);
    for (name, run) in [("train", Some(&evidence.train)), ("test", evidence.test.as_ref())] {
        let Some(run) = run else { continue };
        let [halves, starts, overlaps, successive] = run.z_scores();
        rows.push((name, format!("{} chains, {} samples each", run.n_chains, run.n_samples)));
        rows.push(("  energy per spin", mean(run.energy)));
        rows.push((
            "  first, second half",
            format!("{}, {} (z {halves:.1})", mean(run.halves[0]), mean(run.halves[1])),
        ));
        rows.push((
            "  random, quenched starts",
            format!("{}, {} (z {starts:.1})", mean(run.starts[0]), mean(run.starts[1])),
        ));
        rows.push((
            "  their squared overlaps",
            format!("{}, {} (z {overlaps:.1})", mean(run.squared_overlaps[0]), mean(run.squared_overlaps[1])),
        ));
        if let Some(mean_successive) = run.successive {
            let text = format!("{} (z {successive:.1})", mean(mean_successive));
            rows.push(("  of successive samples", text));
        }
    }
    let verdict = if evidence.doubts().is_empty() { "nothing speaks against it" } else { "see the warnings" };
    rows.push(("equilibrium", verdict.to_owned()));
    listing(rows)
}
