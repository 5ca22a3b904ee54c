//! A block of replicas at every temperature of a ladder: what moves, and what tempering exchanges.
//!
//! On graphs of few neighbours 256 replicas share words, a bit each ([`Sparse`](Model::Sparse)); where spins have many, each
//! replica keeps its local fields and updates them when a spin flips ([`Dense`](Model::Dense)). Either way every replica is a
//! Markov chain with random numbers of its own, independent of the others.

use rand_core::Rng;
use rand_pcg::Pcg64;

use super::bonds::Bonds;
use super::energy::Energy;
use crate::error::{Error, Result};
use crate::kernels::{HeatBathTable, Isa, MAX_DEGREE, REPLICAS, ReplicaBits, ReplicaRandom, heat_bath_sweep};
use crate::random::uniform;
use crate::spins::SpinMatrix;

/// Replicas of a block where spins have many neighbours.
const DENSE_REPLICAS: usize = 16;

/// Bonds made ready for updates at the temperatures of a ladder.
pub(super) enum Model {
    Sparse {
        tables: Vec<HeatBathTable>, // [temperature]
        energy: Energy,
    },
    Dense {
        couplings: Vec<f64>, // [N][N]
        n_spins: usize,
        betas: Vec<f64>,
    },
}

impl Model {
    /// Whether updates keep local fields.
    pub(super) fn is_dense(bonds: &Bonds) -> bool {
        bonds.neighbours().iter().any(|of_spin| of_spin.len() > MAX_DEGREE)
    }

    /// Replicas in a block.
    pub(super) fn block_size(dense: bool) -> usize {
        if dense { DENSE_REPLICAS } else { REPLICAS }
    }

    /// For inverse temperatures `betas`.
    ///
    /// # Errors
    /// If memory for a full matrix is missing.
    pub(super) fn new(bonds: &Bonds, betas: &[f64]) -> Result<Self> {
        let neighbours = bonds.neighbours();
        if !Self::is_dense(bonds) {
            let tables = betas.iter().map(|&beta| HeatBathTable::new(&neighbours, beta)).collect();
            return Ok(Self::Sparse { tables, energy: Energy::new(bonds) });
        }
        let n_spins = bonds.n_spins();
        let mut couplings = Vec::new();
        let len = n_spins.checked_mul(n_spins);
        if len.is_none_or(|len| couplings.try_reserve_exact(len).is_err()) {
            let expected = "bonds whose full matrix fits in memory";
            return Err(Error::shape("bonds of many neighbours", expected, format!("{n_spins} spins")));
        }
        couplings.resize(n_spins * n_spins, 0.0);
        for (i, j, value) in bonds.iter() {
            couplings[i * n_spins + j] = f64::from(value);
            couplings[j * n_spins + i] = f64::from(value);
        }
        Ok(Self::Dense { couplings, n_spins, betas: betas.to_vec() })
    }

    /// A block that starts from the rows of `starts`, `[temperature x replica]`, and draws from `rng`.
    pub(super) fn block(&self, starts: &SpinMatrix, mut rng: Pcg64) -> Box<dyn Replicas + '_> {
        match self {
            Self::Sparse { tables, energy } => {
                let n_spins = starts.n_spins();
                let states = (0..tables.len()).flat_map(|temperature| {
                    let rows: Vec<usize> = (temperature * REPLICAS..(temperature + 1) * REPLICAS).collect();
                    let sites = starts.select(&rows).transposed();
                    (0..n_spins)
                        .map(move |site| ReplicaBits(std::array::from_fn(|word| sites.row(site)[word])))
                });
                let states = states.collect();
                Box::new(SparseReplicas {
                    tables,
                    energy,
                    n_spins,
                    states,
                    random: ReplicaRandom::new(|| rng.next_u64()),
                })
            }
            Self::Dense { couplings, n_spins, betas } => {
                let chains = (0..starts.n_rows()).map(|row| {
                    let spins: Vec<f64> =
                        (0..*n_spins).map(|site| f64::from(starts.spin(row, site))).collect();
                    let field = |row: &[f64]| row.iter().zip(&spins).map(|(j, s)| j * s).sum();
                    let fields = couplings.chunks_exact(*n_spins).map(field).collect();
                    Chain { spins, fields }
                });
                let chains = chains.collect();
                Box::new(DenseReplicas { couplings, n_spins: *n_spins, betas, chains, rng })
            }
        }
    }
}

/// Replicas at every temperature.
pub(super) trait Replicas: Send {
    /// Updates every spin of every replica `n_sweeps` times.
    fn sweep(&mut self, isa: Isa, n_sweeps: u64);
    /// The energies of all replicas at a temperature.
    fn energies(&self, temperature: usize, energies: &mut [f64]);
    /// Exchanges, with those at the next temperature, the replicas whose bit is set.
    fn exchange(&mut self, temperature: usize, which: &ReplicaBits);
    /// The states at a temperature, a row a replica.
    fn states(&self, temperature: usize) -> SpinMatrix;
}

struct SparseReplicas<'m> {
    tables: &'m [HeatBathTable],
    energy: &'m Energy,
    n_spins: usize,
    states: Vec<ReplicaBits>, // [temperature][site]
    random: ReplicaRandom,
}

impl SparseReplicas<'_> {
    fn at(&self, temperature: usize) -> &[ReplicaBits] {
        &self.states[temperature * self.n_spins..][..self.n_spins]
    }
}

impl Replicas for SparseReplicas<'_> {
    fn sweep(&mut self, isa: Isa, n_sweeps: u64) {
        for (table, states) in self.tables.iter().zip(self.states.chunks_exact_mut(self.n_spins)) {
            for _ in 0..n_sweeps {
                heat_bath_sweep(isa, table, states, &mut self.random);
            }
        }
    }

    fn energies(&self, temperature: usize, energies: &mut [f64]) {
        self.energy.of(self.at(temperature), energies);
    }

    fn exchange(&mut self, temperature: usize, which: &ReplicaBits) {
        let (colder, hotter) =
            self.states[temperature * self.n_spins..][..2 * self.n_spins].split_at_mut(self.n_spins);
        for (colder, hotter) in colder.iter_mut().zip(hotter) {
            for ((colder, hotter), which) in colder.0.iter_mut().zip(&mut hotter.0).zip(which.0) {
                let swap = (*colder ^ *hotter) & which;
                *colder ^= swap;
                *hotter ^= swap;
            }
        }
    }

    fn states(&self, temperature: usize) -> SpinMatrix {
        let mut sites = SpinMatrix::all_down(self.n_spins, REPLICAS);
        for (site, bits) in self.at(temperature).iter().enumerate() {
            sites.row_mut(site).copy_from_slice(&bits.0);
        }
        sites.transposed()
    }
}

struct Chain {
    spins: Vec<f64>,  // [site], +-1
    fields: Vec<f64>, // [site]
}

struct DenseReplicas<'m> {
    couplings: &'m [f64], // [N][N]
    n_spins: usize,
    betas: &'m [f64],
    chains: Vec<Chain>, // [temperature][replica]
    rng: Pcg64,
}

impl Replicas for DenseReplicas<'_> {
    fn sweep(&mut self, _: Isa, n_sweeps: u64) {
        for (&beta, chains) in self.betas.iter().zip(self.chains.chunks_exact_mut(DENSE_REPLICAS)) {
            for Chain { spins, fields } in chains {
                for site in (0..n_sweeps).flat_map(|_| 0..self.n_spins) {
                    let probability = 1.0 / (1.0 + libm::exp(-2.0 * beta * fields[site]));
                    let spin = if uniform(&mut self.rng) < probability { 1.0 } else { -1.0 };
                    if spin != spins[site] {
                        spins[site] = spin;
                        let row = &self.couplings[site * self.n_spins..][..self.n_spins];
                        for (field, coupling) in fields.iter_mut().zip(row) {
                            *field += 2.0 * spin * coupling;
                        }
                    }
                }
            }
        }
    }

    fn energies(&self, temperature: usize, energies: &mut [f64]) {
        let chains = &self.chains[temperature * DENSE_REPLICAS..][..DENSE_REPLICAS];
        for (energy, Chain { spins, fields }) in energies.iter_mut().zip(chains) {
            *energy = -0.5 * spins.iter().zip(fields).map(|(s, h)| s * h).sum::<f64>();
        }
    }

    fn exchange(&mut self, temperature: usize, which: &ReplicaBits) {
        let first = temperature * DENSE_REPLICAS;
        for replica in (0..DENSE_REPLICAS).filter(|replica| which.0[0] >> replica & 1 == 1) {
            self.chains.swap(first + replica, first + DENSE_REPLICAS + replica);
        }
    }

    fn states(&self, temperature: usize) -> SpinMatrix {
        let mut states = SpinMatrix::all_down(DENSE_REPLICAS, self.n_spins);
        let chains = &self.chains[temperature * DENSE_REPLICAS..][..DENSE_REPLICAS];
        for (row, chain) in chains.iter().enumerate() {
            for site in (0..self.n_spins).filter(|&site| chain.spins[site] > 0.0) {
                states.flip(row, site);
            }
        }
        states
    }
}
