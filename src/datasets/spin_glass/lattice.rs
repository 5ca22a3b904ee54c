//! Which spins are coupled, and the laws of their couplings.

use super::bonds::Bonds;
use crate::error::{Error, Result};
use crate::random::{gaussian, stream, uniform};

/// Where the spins are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lattice {
    /// L x L sites, spin x + L y.
    Square { side: usize, boundary: Boundary },
    /// L x L x L sites, spin x + L y + L^2 z.
    Cubic { side: usize, boundary: Boundary },
    /// Every spin with every other: Sherrington and Kirkpatrick's model. Bonds are divided by sqrt(N).
    Complete { n_spins: usize },
}

/// What is beyond the last site of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The first one.
    Periodic,
    /// Nothing.
    Open,
}

/// The law of the bonds, which are independent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BondLaw {
    /// Normal, mean 0, variance 1.
    Gaussian,
    /// +1 with probability `ferromagnetic_fraction`, else -1: 1/2 is the spin glass, 1 the ferromagnet,
    /// 1 / (1 + exp(-2 / T)) Nishimori's line, on which the energy per bond is -tanh(1 / T) for every lattice.
    PlusMinus { ferromagnetic_fraction: f64 },
}

/// The largest complete graph: its bonds take 12 bytes each.
const MAX_COMPLETE: usize = 1 << 15;

impl Lattice {
    /// N.
    ///
    /// # Errors
    /// If a side is too small for its boundary (2, or 3 where it is periodic: two bonds of a pair would be one), the
    /// complete graph has fewer than 2 spins or more than 32768, or there are 2^32 spins or more.
    pub fn n_spins(self) -> Result<usize> {
        let (side, boundary, dimensions) = match self {
            Self::Square { side, boundary } => (side, boundary, 2),
            Self::Cubic { side, boundary } => (side, boundary, 3),
            Self::Complete { n_spins } => {
                if !(2..=MAX_COMPLETE).contains(&n_spins) {
                    return Err(Error::parameter("n", format!("from 2 to {MAX_COMPLETE}"), n_spins));
                }
                return Ok(n_spins);
            }
        };
        let (smallest, why) = match boundary {
            Boundary::Periodic => (3, "at least 3 with periodic boundaries"),
            Boundary::Open => (2, "at least 2"),
        };
        if side < smallest {
            return Err(Error::parameter("side", why, side));
        }
        let n_spins = u32::try_from(side).ok().and_then(|side| side.checked_pow(dimensions));
        match n_spins {
            Some(n_spins) => Ok(n_spins as usize),
            None => Err(Error::parameter("side", "fewer than 2^32 spins in all", side)),
        }
    }

    /// Number of bonds.
    ///
    /// # Errors
    /// As [`n_spins`](Self::n_spins).
    pub fn n_bonds(self) -> Result<usize> {
        let n_spins = self.n_spins()?;
        let (side, boundary, dimensions) = match self {
            Self::Square { side, boundary } => (side, boundary, 2),
            Self::Cubic { side, boundary } => (side, boundary, 3),
            Self::Complete { .. } => return Ok(n_spins * (n_spins - 1) / 2),
        };
        let a_line = if boundary == Boundary::Periodic { side } else { side - 1 };
        Ok(dimensions * (n_spins / side) * a_line)
    }

    /// A word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Square { .. } => "square",
            Self::Cubic { .. } => "cubic",
            Self::Complete { .. } => "complete",
        }
    }

    /// What is beyond the last site, where there is a last one.
    pub fn boundary(self) -> Option<Boundary> {
        match self {
            Self::Square { boundary, .. } | Self::Cubic { boundary, .. } => Some(boundary),
            Self::Complete { .. } => None,
        }
    }

    /// The coupled pairs, each once.
    fn pairs(self) -> Result<Vec<(usize, usize)>> {
        let n_spins = self.n_spins()?;
        let mut pairs = Vec::new();
        if pairs.try_reserve_exact(self.n_bonds()?).is_err() {
            let found = format!("{} of {n_spins} spins", self.n_bonds()?);
            return Err(Error::shape("bonds", "bonds that fit in memory", found));
        }
        let (side, boundary, strides) = match self {
            Self::Square { side, boundary } => (side, boundary, vec![1, side]),
            Self::Cubic { side, boundary } => (side, boundary, vec![1, side, side * side]),
            Self::Complete { .. } => {
                pairs.extend((0..n_spins).flat_map(|i| (i + 1..n_spins).map(move |j| (i, j))));
                return Ok(pairs);
            }
        };
        for site in 0..n_spins {
            for &stride in &strides {
                if site / stride % side + 1 < side {
                    pairs.push((site, site + stride));
                } else if boundary == Boundary::Periodic {
                    pairs.push((site, site + stride - side * stride));
                }
            }
        }
        Ok(pairs)
    }

    /// Bonds of this law; bond b of the lattice has a random stream of its own.
    ///
    /// # Errors
    /// As [`n_spins`](Self::n_spins), or if the fraction is not within 0..=1.
    pub fn bonds(self, law: BondLaw, seed: u64) -> Result<Bonds> {
        if let BondLaw::PlusMinus { ferromagnetic_fraction: fraction } = law
            && !(0.0..=1.0).contains(&fraction)
        {
            return Err(Error::parameter("ferromagnetic-fraction", "a number from 0 to 1", fraction));
        }
        let n_spins = self.n_spins()?;
        let scale = match self {
            Self::Complete { n_spins } => 1.0 / libm::sqrt(n_spins as f64),
            _ => 1.0,
        };
        let bonds = self.pairs()?.into_iter().enumerate().map(|(index, (i, j))| {
            let mut rng = stream(seed, "bond", &[index as u64]);
            let value = match law {
                BondLaw::Gaussian => gaussian(&mut rng),
                BondLaw::PlusMinus { ferromagnetic_fraction } => {
                    if uniform(&mut rng) < ferromagnetic_fraction { 1.0 } else { -1.0 }
                }
            };
            (i, j, scale * value)
        });
        Bonds::new(n_spins, bonds)
    }
}

impl Boundary {
    /// A word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Open => "open",
        }
    }
}

impl BondLaw {
    /// A word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::PlusMinus { .. } => "pm1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPIN_GLASS: BondLaw = BondLaw::PlusMinus { ferromagnetic_fraction: 0.5 };

    /// 2 N and 3 N bonds where lines close, one a line fewer where they are open; all sites alike on a torus.
    #[test]
    fn lattices_have_their_bonds() {
        for (boundary, square, cubic) in [(Boundary::Periodic, 50, 375), (Boundary::Open, 40, 300)] {
            let bonds = |lattice: Lattice| lattice.bonds(SPIN_GLASS, 1).unwrap();
            let (flat, deep) =
                (bonds(Lattice::Square { side: 5, boundary }), bonds(Lattice::Cubic { side: 5, boundary }));
            assert_eq!((flat.n_spins(), flat.len()), (25, square));
            assert_eq!((deep.n_spins(), deep.len()), (125, cubic));
            assert_eq!(Lattice::Square { side: 5, boundary }.n_bonds().unwrap(), square);
            assert_eq!(Lattice::Cubic { side: 5, boundary }.n_bonds().unwrap(), cubic);
            if boundary == Boundary::Periodic {
                assert!(flat.neighbours().iter().all(|of_site| of_site.len() == 4));
                assert!(deep.neighbours().iter().all(|of_site| of_site.len() == 6));
            }
            let distance = |(i, j, _): (usize, usize, f32)| {
                let apart = |stride: usize| {
                    let d = (i / stride % 5).abs_diff(j / stride % 5);
                    if boundary == Boundary::Periodic { d.min(5 - d) } else { d }
                };
                apart(1) + apart(5) + apart(25)
            };
            assert!(flat.iter().chain(deep.iter()).all(|bond| distance(bond) == 1));
        }
        let complete = Lattice::Complete { n_spins: 9 }.bonds(SPIN_GLASS, 1).unwrap();
        assert_eq!((complete.len(), complete.values()[0].abs()), (36, 1.0 / 3.0));
    }

    /// Mean and second moment of the 2 N bonds of L = 100, to five standard errors.
    #[test]
    fn bonds_follow_their_law() {
        let lattice = Lattice::Square { side: 100, boundary: Boundary::Periodic };
        for (law, mean, square, of_square) in [
            (BondLaw::Gaussian, 0.0, 1.0, 2.0),
            (SPIN_GLASS, 0.0, 1.0, 0.0),
            (BondLaw::PlusMinus { ferromagnetic_fraction: 0.8 }, 0.6, 1.0, 0.0),
            (BondLaw::PlusMinus { ferromagnetic_fraction: 1.0 }, 1.0, 1.0, 0.0),
        ] {
            let bonds = lattice.bonds(law, 3).unwrap();
            let n = bonds.len() as f64;
            let moment = |power| bonds.values().iter().map(|&j| f64::from(j).powi(power)).sum::<f64>() / n;
            let variance: f64 = square - mean * mean;
            assert!((moment(1) - mean).abs() <= 5.0 * (variance / n).sqrt(), "{law:?}: {}", moment(1));
            assert!((moment(2) - square).abs() <= 5.0 * f64::sqrt(of_square / n), "{law:?}: {}", moment(2));
        }
    }

    #[test]
    fn sizes_and_laws_out_of_range_are_refused() {
        let message = |lattice: Lattice| lattice.bonds(SPIN_GLASS, 0).unwrap_err().to_string();
        let (periodic, open) = (Boundary::Periodic, Boundary::Open);
        assert!(message(Lattice::Square { side: 2, boundary: periodic }).contains("at least 3"));
        assert!(message(Lattice::Cubic { side: 1, boundary: open }).contains("at least 2"));
        for side in [1 << 16, usize::MAX] {
            assert!(message(Lattice::Square { side, boundary: open }).contains("2^32"));
        }
        assert!(message(Lattice::Complete { n_spins: 1 }).contains("from 2"));
        let law = BondLaw::PlusMinus { ferromagnetic_fraction: f64::NAN };
        assert!(Lattice::Complete { n_spins: 3 }.bonds(law, 0).is_err());
    }
}
