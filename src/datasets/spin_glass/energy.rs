//! Energies of many packed replicas: bonds four at a time from tables of their signed sums.

use super::bonds::Bonds;
use crate::kernels::{REPLICAS, ReplicaBits};
use crate::spins::{WORD, transpose_64x64};

/// Bonds whose sums share a table.
const GROUP: usize = 4;

/// The energies of four bonds for each of their 16 states; bit b is set where the spins of bond b differ.
type Sums = [f64; 1 << GROUP];

/// E = - sum_ij J_ij s_i s_j, replica by replica.
pub(super) struct Energy {
    pairs: Vec<[u32; 2]>,
    sums: Vec<Sums>, // [pairs.div_ceil(4)]
}

impl Energy {
    pub(super) fn new(bonds: &Bonds) -> Self {
        let sums = |values: &[f32]| -> Sums {
            std::array::from_fn(|state| {
                let signed = |(bond, &value): (usize, &f32)| {
                    if state >> bond & 1 == 1 { f64::from(value) } else { -f64::from(value) }
                };
                values.iter().enumerate().map(signed).sum()
            })
        };
        Self { pairs: bonds.pairs().to_vec(), sums: bonds.values().chunks(GROUP).map(sums).collect() }
    }

    /// Energies of the replicas whose spins are `states`, `[site]`; `energies` is `[REPLICAS]`.
    pub(super) fn of(&self, states: &[ReplicaBits], energies: &mut [f64]) {
        debug_assert_eq!(energies.len(), REPLICAS);
        energies.fill(0.0);
        for (pairs, sums) in self.pairs.chunks(WORD).zip(self.sums.chunks(WORD / GROUP)) {
            let mut differ = [[0; WORD]; REPLICAS / WORD]; // [64 replicas][bond], then [64 replicas][replica]
            for (bond, &[i, j]) in pairs.iter().enumerate() {
                let (one, other) = (&states[i as usize].0, &states[j as usize].0);
                for (word, (one, other)) in one.iter().zip(other).enumerate() {
                    differ[word][bond] = one ^ other;
                }
            }
            for (differ, energies) in differ.iter_mut().zip(energies.chunks_exact_mut(WORD)) {
                transpose_64x64(differ);
                for (group, sums) in sums.iter().enumerate() {
                    for (energy, bonds) in energies.iter_mut().zip(differ.iter()) {
                        *energy += sums[(bonds >> (GROUP * group)) as usize % (1 << GROUP)];
                    }
                }
            }
        }
    }
}

/// The energy of one state by the plain sum.
#[cfg(test)]
pub(super) fn plain_energy(bonds: &Bonds, spin: impl Fn(usize) -> f64) -> f64 {
    -bonds.iter().map(|(i, j, value)| f64::from(value) * spin(i) * spin(j)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::lattice::{BondLaw, Boundary, Lattice};
    use super::*;
    use crate::random::stream;
    use rand_core::Rng;

    #[test]
    fn energies_are_the_plain_sums() {
        for side in [2, 3, 5, 9] {
            let lattice = Lattice::Square { side, boundary: Boundary::Open };
            let bonds = lattice.bonds(BondLaw::Gaussian, 1).unwrap();
            let mut rng = stream(side as u64, "energy test", &[]);
            let states: Vec<_> =
                (0..side * side).map(|_| ReplicaBits(std::array::from_fn(|_| rng.next_u64()))).collect();
            let mut energies = vec![f64::NAN; REPLICAS];
            Energy::new(&bonds).of(&states, &mut energies);
            for (replica, energy) in energies.into_iter().enumerate() {
                let spin = |site: usize| match states[site].0[replica / 64] >> (replica % 64) & 1 {
                    1 => 1.0,
                    _ => -1.0,
                };
                // Sums of up to 144 terms of order 1 in f64.
                assert!((energy - plain_energy(&bonds, spin)).abs() < 1e-11);
            }
        }
    }
}
