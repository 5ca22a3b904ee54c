//! The evidence that samples are those of equilibrium, and the sampling itself.
//!
//! Chains are independent, so the mean of each over its run is one independent sample: standard errors need no
//! autocorrelation time. What is compared: the two halves of the run, chain by chain; chains from random starts with those
//! from a quenched one, in energy and in the squared overlap of pairs; the squared overlap of a chain's successive samples with
//! that of samples of different chains; the samples to train with and those to test with.

use std::fmt::Write;

use super::autocorrelation::{Memory, squared_overlaps_of_pairs};
use super::bonds::Bonds;
use super::replicas::Model;
use super::statistics::{DISAGREE, Mean, squared_overlap};
use super::tempering::{Run, SWEEPS};
use crate::datasets::data_set::Provenance;
use crate::error::Result;
use crate::execution::Execution;
use crate::random::stream;
use crate::spins::SpinMatrix;
use rand_core::Rng;

/// Fewer accepted exchanges than that leave a ladder in two.
const LEAST_RATE: f64 = 0.05;

/// How chains are run for samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// The ladder; samples are taken at its first temperature.
    pub temperatures: Vec<f64>,
    /// What the chains remember.
    pub memory: Memory,
    /// Sweeps before the first sample's interval begins.
    pub equilibration: u64,
    /// Sweeps between two samples of a chain.
    pub spacing: u64,
}

/// What a run of chains says of its equilibrium. Energies are per spin; errors are those over chains.
#[derive(Clone, Debug, PartialEq)]
pub struct Equilibration {
    /// Independent chains; every other one from the quenched start.
    pub n_chains: usize,
    /// Samples of each.
    pub n_samples: u64,
    /// Mean energy after equilibration.
    pub energy: Mean,
    /// That of both halves of the run.
    pub halves: [Mean; 2],
    /// Their difference, chain by chain.
    pub drift: Mean,
    /// Mean energy of chains from random starts and from the quenched one.
    pub starts: [Mean; 2],
    /// Mean squared overlap of two chains of the same kind of start.
    pub squared_overlaps: [Mean; 2],
    /// Mean squared overlap of a chain's successive samples, where a chain has two: that of different chains, if a chain
    /// keeps no memory from sample to sample.
    pub successive: Option<Mean>,
    /// Accepted exchanges over attempted ones, for each pair of neighbouring temperatures.
    pub exchange_rates: Vec<f64>,
}

impl Equilibration {
    /// z-scores of the comparisons: the halves of the run, energies of both starts, squared overlaps of both starts, squared
    /// overlaps of successive samples and of different chains (0 where a chain has one sample).
    pub fn z_scores(&self) -> [f64; 4] {
        let zero = Mean { value: 0.0, error: 0.0 };
        let [random, quenched] = self.starts;
        let [of_random, of_quenched] = self.squared_overlaps;
        let different = Mean {
            value: 0.5 * (of_random.value + of_quenched.value),
            error: 0.5 * of_random.error.hypot(of_quenched.error),
        };
        [
            self.drift.z_score(zero),
            random.z_score(quenched),
            of_random.z_score(of_quenched),
            self.successive.map_or(0.0, |successive| successive.z_score(different)),
        ]
    }
}

/// What is kept of a block.
struct Kept {
    halves: [Vec<f64>; 2],      // energy summed over steps, a replica each
    squared_overlaps: Vec<f64>, // summed over samples, a pair each
    successive: Vec<f64>,       // squared overlap with the sample before, summed over samples, a replica each
    samples: Vec<SpinMatrix>,   // [sample], a row a replica
}

/// Takes `n_rows` samples from `n_blocks` blocks of chains: first one of each chain, then the next of each. The overall sign
/// of a sample, on which its energy does not depend, is a fair coin's.
#[expect(clippy::too_many_arguments)]
pub(super) fn sample(
    bonds: &Bonds,
    model: &Model,
    sampling: &Sampling,
    n_rows: usize,
    n_blocks: usize,
    name: &str,
    seed: u64,
    execution: &Execution,
) -> Result<(SpinMatrix, Equilibration)> {
    let betas: Vec<f64> = sampling.temperatures.iter().map(|t| 1.0 / t).collect();
    let n_spins = bonds.n_spins();
    let mut rows = SpinMatrix::try_all_down(name, n_rows, n_spins)?;
    let mut run = Run::new(bonds, model, &betas, n_blocks, name, seed)?;
    let n_replicas = run.blocks().first().map_or(0, |block| block.energies(0).len());
    let n_chains = n_blocks * n_replicas;
    let n_samples = n_rows.div_ceil(n_chains) as u64;
    let spacing = sampling.spacing.div_ceil(SWEEPS).max(2);
    let (n_before, n_steps) = (sampling.equilibration.div_ceil(SWEEPS), n_samples * spacing);

    execution.progress().begin(&format!("{name} samples"), (n_before + n_steps) * n_blocks as u64);
    let mut kept: Vec<Kept> = (0..n_blocks)
        .map(|_| Kept {
            halves: [vec![0.0; n_replicas], vec![0.0; n_replicas]],
            squared_overlaps: vec![0.0; n_replicas / 4 * 2],
            successive: vec![0.0; n_replicas],
            samples: Vec::new(),
        })
        .collect();
    let done = run.advance(n_before, &mut kept, |_, _, _| (), execution).and_then(|()| {
        run.forget_rates();
        run.advance(
            n_steps,
            &mut kept,
            |step, walkers, kept| {
                let half = &mut kept.halves[usize::from(2 * step >= n_steps)];
                for (sum, energy) in half.iter_mut().zip(walkers.energies(0)) {
                    *sum += energy;
                }
                if (step + 1) % spacing == 0 {
                    let states = walkers.states(0);
                    let isa = execution.isa();
                    let pairs = squared_overlaps_of_pairs(isa, &states);
                    kept.squared_overlaps.iter_mut().zip(pairs).for_each(|(sum, pair)| *sum += pair);
                    if let Some(before) = kept.samples.last() {
                        for (row, sum) in kept.successive.iter_mut().enumerate() {
                            *sum += squared_overlap(isa, &states, row, before, row);
                        }
                    }
                    kept.samples.push(states);
                }
            },
            execution,
        )
    });
    execution.progress().end();
    done?;

    for row in 0..n_rows {
        let (sample, chain) = (row / n_chains, row % n_chains);
        let state = kept[chain / n_replicas].samples[sample].row(chain % n_replicas);
        let flip = stream(seed, "overall sign", &[u64::from(name == TEST), row as u64]).next_u64() >> 63 == 1;
        let last = rows.last_mask();
        let words = rows.row_mut(row);
        words.copy_from_slice(state);
        if flip {
            words.iter_mut().for_each(|word| *word = !*word);
            if let Some(word) = words.last_mut() {
                *word &= last;
            }
        }
    }
    Ok((rows, evidence(&run, &kept, n_samples, n_steps, n_spins)))
}

/// Names of the two runs.
pub(super) const TRAIN: &str = "train";
pub(super) const TEST: &str = "test";

fn evidence(run: &Run<'_>, kept: &[Kept], n_samples: u64, n_steps: u64, n_spins: usize) -> Equilibration {
    let in_second = n_steps / 2;
    let unit = |n_steps: u64| 1.0 / (n_steps as f64 * n_spins as f64);
    let n_replicas = kept.first().map_or(0, |block| block.halves[0].len());
    let chains = || kept.iter().flat_map(|block| (0..n_replicas).map(move |replica| (block, replica)));
    let mean = |of: &dyn Fn(&Kept, usize) -> f64| {
        Mean::of(&chains().map(|(block, replica)| of(block, replica)).collect::<Vec<_>>())
    };
    let first = |block: &Kept, replica: usize| block.halves[0][replica] * unit(n_steps - in_second);
    let second = |block: &Kept, replica: usize| block.halves[1][replica] * unit(in_second);
    let whole =
        |block: &Kept, replica: usize| (block.halves[0][replica] + block.halves[1][replica]) * unit(n_steps);
    let of_start = |kind: usize| {
        let of_kind = chains().filter(|(_, replica)| replica % 2 == kind);
        Mean::of(&of_kind.map(|(block, replica)| whole(block, replica)).collect::<Vec<_>>())
    };
    let overlaps = |kind: usize| {
        let pairs = kept.iter().flat_map(|block| block.squared_overlaps.iter().skip(kind).step_by(2));
        Mean::of(&pairs.map(|sum| sum / n_samples as f64).collect::<Vec<_>>())
    };
    Equilibration {
        n_chains: kept.len() * n_replicas,
        n_samples,
        energy: mean(&whole),
        halves: [mean(&first), mean(&second)],
        drift: mean(&|block, replica| second(block, replica) - first(block, replica)),
        starts: [of_start(0), of_start(1)],
        squared_overlaps: [overlaps(0), overlaps(1)],
        successive: (n_samples > 1)
            .then(|| mean(&|block, replica| block.successive[replica] / (n_samples - 1) as f64)),
        exchange_rates: run.exchange_rates(),
    }
}

/// How samples were taken, and what shows that they are those of equilibrium.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub sampling: Sampling,
    pub train: Equilibration,
    pub test: Option<Equilibration>,
}

impl Evidence {
    /// What speaks against equilibrium or independence, a sentence each; none where nothing does.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let Sampling { memory, equilibration, spacing, .. } = &self.sampling;
        if !memory.settled {
            doubts.push(format!(
                "after {} sweeps chains from random and from quenched starts did not agree over 20 autocorrelation times \
                 of {:.0} sweeps; more sweeps, or a hotter ladder, may help",
                memory.sweeps,
                memory.longest()
            ));
        }
        if (*equilibration as f64) < 10.0 * memory.longest() {
            doubts.push(format!(
                "{equilibration} sweeps of equilibration are fewer than 10 autocorrelation times of {:.0} sweeps",
                memory.longest()
            ));
        }
        if (*spacing as f64) < 2.0 * memory.longest() {
            doubts.push(format!(
                "samples of a chain are {spacing} sweeps apart, fewer than 2 autocorrelation times of {:.0} sweeps",
                memory.longest()
            ));
        }
        for (name, run) in self.runs() {
            for (what, z) in Self::COMPARISONS.into_iter().zip(run.z_scores()) {
                // A comparison that is not a number says nothing for it either.
                if z.is_nan() || z.abs() >= DISAGREE {
                    doubts.push(format!("{name}: {what} differ by {z:.1} standard errors"));
                }
            }
            for (pair, rate) in run.exchange_rates.iter().enumerate().filter(|(_, rate)| **rate < LEAST_RATE)
            {
                let [cold, hot] = [pair, pair + 1].map(|k| self.sampling.temperatures[k]);
                doubts.push(format!(
                    "{name}: {:.1} % of the exchanges between T = {cold:.4} and {hot:.4} are accepted",
                    100.0 * rate
                ));
            }
        }
        if let Some(test) = &self.test
            && !self.train.energy.agrees(test.energy)
        {
            let z = self.train.energy.z_score(test.energy);
            doubts.push(format!("energies of train and test differ by {z:.1} standard errors"));
        }
        doubts
    }

    const COMPARISONS: [&str; 4] = [
        "energies of the two halves",
        "energies of the two starts",
        "squared overlaps of the two starts",
        "squared overlaps of successive samples and of different chains",
    ];

    fn runs(&self) -> impl Iterator<Item = (&'static str, &Equilibration)> {
        [(TRAIN, Some(&self.train)), (TEST, self.test.as_ref())]
            .into_iter()
            .filter_map(|(name, run)| Some((name, run?)))
    }

    /// The same as entries of a data set's provenance.
    pub fn entries(&self) -> Provenance {
        let Sampling { temperatures, memory, equilibration, spacing } = &self.sampling;
        let list = |values: &[f64], digits: usize| {
            let mut text = String::new();
            for (index, value) in values.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                // Writing to a string cannot fail.
                let _ = write!(text, "{comma}{value:.digits$}");
            }
            text
        };
        let mean = |mean: Mean| format!("{:.6} +- {:.6}", mean.value, mean.error);
        let temperatures: Vec<String> = temperatures.iter().map(f64::to_string).collect();
        let mut entries = vec![
            ("temperatures".to_owned(), temperatures.join(",")),
            ("autocorrelation_energy_sweeps".to_owned(), format!("{:.1}", memory.energy)),
            ("autocorrelation_overlap_sweeps".to_owned(), format!("{:.1}", memory.overlap)),
            ("equilibration_sweeps".to_owned(), equilibration.to_string()),
            ("spacing_sweeps".to_owned(), spacing.to_string()),
            (
                "equilibration_doubts".to_owned(),
                match self.doubts() {
                    doubts if doubts.is_empty() => "none".to_owned(),
                    doubts => doubts.join("; "),
                },
            ),
        ];
        for (name, run) in self.runs() {
            let z_scores = run.z_scores();
            for (what, value) in [
                ("chains", run.n_chains.to_string()),
                ("samples_a_chain", run.n_samples.to_string()),
                ("energy_per_spin", mean(run.energy)),
                ("energy_first_half", mean(run.halves[0])),
                ("energy_second_half", mean(run.halves[1])),
                ("energy_random_starts", mean(run.starts[0])),
                ("energy_quenched_start", mean(run.starts[1])),
                ("squared_overlap_random_starts", mean(run.squared_overlaps[0])),
                ("squared_overlap_quenched_start", mean(run.squared_overlaps[1])),
                ("squared_overlap_successive", run.successive.map_or("-".to_owned(), mean)),
                ("z_halves_starts_overlaps_successive", list(&z_scores, 2)),
                ("exchange_rates", list(&run.exchange_rates, 3)),
            ] {
                entries.push((format!("{name}_{what}"), value));
            }
        }
        entries.into_iter().collect()
    }
}
