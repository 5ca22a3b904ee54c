//! Spin glasses: equilibrium samples of Ising spins with random couplings, by heat bath and parallel tempering.
//!
//! E(s) = - sum over bonds of J_ij s_i s_j, states with probability exp(-E / T): Edwards and Anderson's model (1975) on square
//! and cubic lattices, Sherrington and Kirkpatrick's (1975), or any bonds of the caller's. Training and test samples come
//! from runs of their own. Every sample is one of many independent chains; samples of the same chain are several
//! autocorrelation times apart. How long that is, how long chains take to forget their starts, and at which temperatures
//! replicas are exchanged, is measured on the bonds at hand, and the [`Evidence`] travels with the data.

mod autocorrelation;
mod bonds;
mod energy;
mod equilibration;
mod ladder;
mod lattice;
mod replicas;
mod statistics;
mod tempering;

use super::data_set::{DataSet, Provenance, at_least_one, provenance};
use crate::error::{Error, Result};
use crate::execution::Execution;

use autocorrelation::measure_memory;
use equilibration::{TEST, TRAIN, sample};
use replicas::Model;

pub use autocorrelation::Memory;
pub use bonds::Bonds;
pub use equilibration::{Equilibration, Evidence, Sampling};
pub use ladder::Ladder;
pub use lattice::{BondLaw, Boundary, Lattice};
pub use statistics::Mean;

/// Where the bonds come from.
#[derive(Clone, Debug, PartialEq)]
pub enum BondSource {
    /// Drawn on a lattice, from streams of this seed.
    Lattice { lattice: Lattice, law: BondLaw, seed: u64 },
    /// Given.
    Given(Bonds),
}

/// Equilibrium samples of a spin glass.
#[derive(Clone, Debug, PartialEq)]
pub struct SpinGlass {
    pub bonds: BondSource,
    /// T of the samples, in units of the bonds. Positive.
    pub temperature: f64,
    /// Temperatures of the replicas.
    pub ladder: Ladder,
    /// P.
    pub n_patterns: usize,
    /// Number of unseen samples, from a run of their own; 0 for none.
    pub n_test: usize,
    /// Independent chains of a run, rounded up to whole blocks of 256 (16 where spins have more than 6 neighbours), at least two. Without
    /// a number: a chain for every 32 samples (64).
    pub n_chains: Option<usize>,
    /// Sweeps before the first sample; as many as the chains took to forget their starts if none is given.
    pub equilibration: Option<u64>,
    /// Sweeps between samples of a chain; 40 autocorrelation times if none is given.
    pub spacing: Option<u64>,
    /// Sweeps after which chains that have not forgotten their starts are taken as they are, with a doubt in the evidence.
    pub max_sweeps: u64,
    /// Seed of the chains.
    pub seed: u64,
}

/// Samples of a chain are this many autocorrelation times apart. The integrated time is a mean over memories of all lengths, most
/// of them far shorter than the longest, a collective one: of one eight times as long as the mean, e^-5 is left.
const SPACING_TIMES: f64 = 40.0;
/// Samples of a chain, where nothing else is said.
const SAMPLES_A_CHAIN: usize = 32;
/// The same of chains whose spins have many neighbours.
const SAMPLES_A_DENSE_CHAIN: usize = 64;
/// Below, the errors over chains would not be known.
const LEAST_BLOCKS: usize = 2;

impl SpinGlass {
    /// Samples of these bonds at this temperature, everything else chosen by measurement.
    pub fn new(bonds: BondSource, temperature: f64, n_patterns: usize, n_test: usize, seed: u64) -> Self {
        Self {
            bonds,
            temperature,
            ladder: Ladder::Adapted { hottest: None },
            n_patterns,
            n_test,
            n_chains: None,
            equilibration: None,
            spacing: None,
            max_sweeps: 1 << 17,
            seed,
        }
    }

    /// Checks the parameters, but for bonds that a lattice cannot have.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check(&self) -> Result<()> {
        at_least_one("patterns", self.n_patterns)?;
        self.ladder.check(self.temperature)?;
        for (name, value) in [("spacing", self.spacing), ("max-sweeps", Some(self.max_sweeps))] {
            if value.is_some_and(|value| !(1..=MAX_SWEEPS).contains(&value)) {
                return Err(Error::parameter(name, format!("from 1 to {MAX_SWEEPS}"), value.unwrap_or(0)));
            }
        }
        if self.equilibration.is_some_and(|sweeps| sweeps > MAX_SWEEPS) {
            let found = self.equilibration.unwrap_or(0);
            return Err(Error::parameter("equilibration", format!("at most {MAX_SWEEPS}"), found));
        }
        if self.n_chains.is_some_and(|n_chains| !(1..=MAX_CHAINS).contains(&n_chains)) {
            let found = self.n_chains.unwrap_or(0);
            return Err(Error::parameter("chains", format!("from 1 to {MAX_CHAINS}"), found));
        }
        Ok(())
    }

    /// The bonds.
    ///
    /// # Errors
    /// As [`Lattice::bonds`].
    pub fn bonds(&self) -> Result<Bonds> {
        match &self.bonds {
            BondSource::Lattice { lattice, law, seed } => lattice.bonds(*law, *seed),
            BondSource::Given(bonds) => Ok(bonds.clone()),
        }
    }

    /// Makes the samples, bonds included, and what shows that they are those of equilibrium.
    ///
    /// # Errors
    /// If a parameter is out of range, memory is missing, or interrupted.
    pub fn generate(&self, execution: &Execution) -> Result<(DataSet, Evidence)> {
        self.check()?;
        let bonds = self.bonds()?;
        let temperatures = self.ladder.temperatures(&bonds, self.temperature, self.seed, execution)?;
        let betas: Vec<f64> = temperatures.iter().map(|t| 1.0 / t).collect();
        let model = Model::new(&bonds, &betas)?;
        let memory = measure_memory(&bonds, &model, &betas, self.max_sweeps, self.seed, execution)?;
        let sampling = Sampling {
            temperatures,
            memory,
            equilibration: self.equilibration.unwrap_or(memory.sweeps),
            spacing: self.spacing.unwrap_or((SPACING_TIMES * memory.longest()).ceil() as u64),
        };
        let run = |name, n_rows: usize| {
            let n_blocks = self.n_blocks(n_rows, Model::is_dense(&bonds));
            sample(&bonds, &model, &sampling, n_rows, n_blocks, name, self.seed, execution)
        };
        let (patterns, train) = run(TRAIN, self.n_patterns)?;
        let (unseen, test) = match self.n_test {
            0 => (None, None),
            n_test => run(TEST, n_test).map(|(unseen, test)| (Some(unseen), Some(test)))?,
        };
        let evidence = Evidence { sampling, train, test };
        let mut provenance = self.provenance();
        provenance.extend(evidence.entries());
        let data = DataSet { test: unseen, bonds: Some(bonds), provenance, ..DataSet::from_train(patterns) };
        Ok((data.validated()?, evidence))
    }

    /// Blocks of chains for so many samples.
    fn n_blocks(&self, n_rows: usize, dense: bool) -> usize {
        let each = if dense { SAMPLES_A_DENSE_CHAIN } else { SAMPLES_A_CHAIN };
        let n_chains = self.n_chains.unwrap_or(n_rows.div_ceil(each));
        n_chains.div_ceil(Model::block_size(dense)).max(LEAST_BLOCKS)
    }

    fn provenance(&self) -> Provenance {
        let mut entries: Vec<(&str, String)> = vec![
            ("temperature", self.temperature.to_string()),
            ("n_patterns", self.n_patterns.to_string()),
            ("n_test", self.n_test.to_string()),
            ("seed", self.seed.to_string()),
        ];
        match &self.bonds {
            BondSource::Given(_) => entries.push(("lattice", "given bonds".to_owned())),
            BondSource::Lattice { lattice, law, seed } => {
                entries.push(("lattice", lattice.name().to_owned()));
                entries.push(("bonds", law.name().to_owned()));
                entries.push(("bond_seed", seed.to_string()));
                if let Some(boundary) = lattice.boundary() {
                    entries.push(("boundary", boundary.name().to_owned()));
                }
                match lattice {
                    Lattice::Square { side, .. } | Lattice::Cubic { side, .. } => {
                        entries.push(("side", side.to_string()));
                    }
                    Lattice::Complete { .. } => {}
                }
                if let BondLaw::PlusMinus { ferromagnetic_fraction } = law {
                    entries.push(("ferromagnetic_fraction", ferromagnetic_fraction.to_string()));
                }
            }
        }
        let entries: Vec<(&str, &dyn std::fmt::Display)> =
            entries.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
        provenance("spin-glass", &entries)
    }
}

/// Bounds that keep products of steps, chains and blocks far within 64 bits.
const MAX_SWEEPS: u64 = 1 << 40;
const MAX_CHAINS: usize = 1 << 30;

#[cfg(test)]
mod tests;
