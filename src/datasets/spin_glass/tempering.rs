//! Parallel tempering: blocks of replicas that exchange temperatures (Hukushima and Nemoto 1996), and how long they run.
//!
//! A step is [`SWEEPS`] sweeps at every temperature, then exchanges between every other pair of neighbouring temperatures,
//! replica by replica: (T_k, T_k+1) swap with probability min(1, exp((beta_k - beta_k+1) (E_k - E_k+1))).

use rand_core::Rng;
use rand_pcg::Pcg64;

use super::bonds::Bonds;
use super::replicas::{Model, Replicas};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{Isa, ReplicaBits};
use crate::random::{stream, uniform};
use crate::spins::{SpinMatrix, WORD};

/// Sweeps of a step.
pub(super) const SWEEPS: u64 = 2;

/// One block of replicas and its exchanges.
pub(super) struct Walkers<'m> {
    replicas: Box<dyn Replicas + 'm>,
    betas: &'m [f64],
    n_replicas: usize,
    energies: Vec<f64>, // [temperature][replica]
    rng: Pcg64,
    n_steps: u64,
    attempted: Vec<u64>, // [pair]
    accepted: Vec<u64>,  // [pair]
}

impl Walkers<'_> {
    /// Energies after the last step at a temperature, a replica each.
    pub(super) fn energies(&self, temperature: usize) -> &[f64] {
        &self.energies[temperature * self.n_replicas..][..self.n_replicas]
    }

    /// States at a temperature, a row a replica.
    pub(super) fn states(&self, temperature: usize) -> SpinMatrix {
        self.replicas.states(temperature)
    }

    pub(super) fn step(&mut self, isa: Isa) {
        let n = self.n_replicas;
        self.replicas.sweep(isa, SWEEPS);
        for (temperature, energies) in self.energies.chunks_exact_mut(n).enumerate() {
            self.replicas.energies(temperature, energies);
        }
        let first = (self.n_steps % 2) as usize;
        for colder in (first..self.betas.len().saturating_sub(1)).step_by(2) {
            let difference = self.betas[colder] - self.betas[colder + 1];
            let mut which = ReplicaBits::default();
            let (cold, hot) = self.energies[colder * n..][..2 * n].split_at_mut(n);
            for (replica, (cold, hot)) in cold.iter_mut().zip(hot).enumerate() {
                let gain = difference * (*cold - *hot);
                if gain >= 0.0 || uniform(&mut self.rng) < libm::exp(gain) {
                    std::mem::swap(cold, hot);
                    which.0[replica / WORD] |= 1 << (replica % WORD);
                }
            }
            self.replicas.exchange(colder, &which);
            self.attempted[colder] += n as u64;
            self.accepted[colder] += which.0.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
        self.n_steps += 1;
    }
}

/// Independent blocks at the same temperatures: every replica of every block is a chain of its own.
///
/// Chains of even number start from independent random states, a new one at every temperature; those of odd number all from
/// one and the same state, in which no single flip lowers the energy. Both kinds forget where they came from; that they agree
/// shows it.
pub(super) struct Run<'m> {
    walkers: Vec<Walkers<'m>>,
}

impl<'m> Run<'m> {
    /// `n_blocks` blocks. `name` and `seed` name the random streams.
    ///
    /// # Errors
    /// If memory for the states is missing.
    pub(super) fn new(
        bonds: &Bonds,
        model: &'m Model,
        betas: &'m [f64],
        n_blocks: usize,
        name: &str,
        seed: u64,
    ) -> Result<Self> {
        let n_replicas = Model::block_size(matches!(model, Model::Dense { .. }));
        let quenched = quenched_state(bonds, &mut stream(seed, &format!("quenched start, {name}"), &[]));
        let block = |block: usize| {
            let mut rng = stream(seed, &format!("random starts, {name}"), &[block as u64]);
            let n_rows = betas.len() * n_replicas;
            let mut starts = SpinMatrix::try_all_down("replicas", n_rows, bonds.n_spins())?;
            let last = starts.last_mask();
            for row in 0..n_rows {
                match row % 2 {
                    0 => {
                        let words = starts.row_mut(row);
                        words.fill_with(|| rng.next_u64());
                        if let Some(word) = words.last_mut() {
                            *word &= last;
                        }
                    }
                    _ => starts.row_mut(row).copy_from_slice(quenched.row(0)),
                }
            }
            let updates = stream(seed, &format!("updates, {name}"), &[block as u64]);
            Ok(Walkers {
                replicas: model.block(&starts, updates),
                betas,
                n_replicas,
                energies: vec![0.0; n_rows],
                rng: stream(seed, &format!("exchanges, {name}"), &[block as u64]),
                n_steps: 0,
                attempted: vec![0; betas.len().saturating_sub(1)],
                accepted: vec![0; betas.len().saturating_sub(1)],
            })
        };
        Ok(Self { walkers: (0..n_blocks).map(block).collect::<Result<_>>()? })
    }

    /// Makes `n_steps` steps of every block; after each, `record` sees the block with what `recorders` holds for it, one a
    /// block, and the step's number from 0. Progress advances by 1 a step and block.
    ///
    /// # Errors
    /// If interrupted.
    pub(super) fn advance<R: Send>(
        &mut self,
        n_steps: u64,
        recorders: &mut [R],
        record: impl Fn(u64, &Walkers<'m>, &mut R) + Sync,
        execution: &Execution,
    ) -> Result<()> {
        debug_assert_eq!(recorders.len(), self.walkers.len());
        execution.for_each(
            self.walkers.iter_mut().zip(recorders),
            || (),
            |(), (walkers, recorder)| {
                for step in 0..n_steps {
                    execution.check_cancelled()?;
                    walkers.step(execution.isa());
                    record(step, walkers, recorder);
                    execution.progress().advance(1);
                }
                Ok(())
            },
        )
    }

    /// The blocks.
    pub(super) fn blocks(&self) -> &[Walkers<'m>] {
        &self.walkers
    }

    /// Accepted exchanges over attempted ones, for each pair of neighbouring temperatures since the last call of
    /// [`forget_rates`](Self::forget_rates).
    pub(super) fn exchange_rates(&self) -> Vec<f64> {
        let n_pairs = self.walkers.first().map_or(0, |walkers| walkers.attempted.len());
        let sum = |of: &dyn Fn(&Walkers<'m>) -> u64| self.walkers.iter().map(of).sum::<u64>() as f64;
        let rate = |pair| sum(&|walkers| walkers.accepted[pair]) / sum(&|walkers| walkers.attempted[pair]);
        (0..n_pairs).map(rate).collect()
    }

    /// Begins to count exchanges anew.
    pub(super) fn forget_rates(&mut self) {
        for walkers in &mut self.walkers {
            walkers.attempted.fill(0);
            walkers.accepted.fill(0);
        }
    }
}

/// A random state, its spins turned into their fields in order until none is against its field.
fn quenched_state(bonds: &Bonds, rng: &mut Pcg64) -> SpinMatrix {
    let neighbours = bonds.neighbours();
    let mut spins: Vec<f64> =
        (0..bonds.n_spins()).map(|_| if rng.next_u64() >> 63 == 1 { 1.0 } else { -1.0 }).collect();
    // Each flip lowers the energy, so this ends; a flip by the last bit of rounding might not.
    for _ in 0..10_000 {
        let mut moved = false;
        for site in 0..spins.len() {
            let field: f64 = neighbours[site].iter().map(|&(other, j)| j * spins[other as usize]).sum();
            if field * spins[site] < 0.0 {
                spins[site] = -spins[site];
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let mut state = SpinMatrix::all_down(1, spins.len());
    (0..spins.len()).filter(|&site| spins[site] > 0.0).for_each(|site| state.flip(0, site));
    state
}
