//! [`Law`]: the laws of stabilities by name.

use super::stability_distribution::StabilityDistribution;
use super::{HebbStabilities, MaxStabilities, PseudoInverseStabilities, PseudoLikelihoodStabilities};
use crate::error::Result;

/// Which couplings the stabilities are those of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// The couplings of largest margin: [`MaxStabilities`].
    MaxStability,
    /// The minimum of the pseudo-likelihood loss at this lambda_eff: [`PseudoLikelihoodStabilities`].
    PseudoLikelihood { lambda_eff: f64 },
    /// Hebb couplings: [`HebbStabilities`].
    Hebb,
    /// Pseudo-inverse couplings: [`PseudoInverseStabilities`].
    PseudoInverse,
}

impl Law {
    /// The distribution of stabilities at the load alpha.
    ///
    /// # Errors
    /// If the load or lambda_eff is outside the range of the law.
    pub fn at_load(self, load: f64) -> Result<Box<dyn StabilityDistribution>> {
        Ok(match self {
            Self::MaxStability => Box::new(MaxStabilities::new(load)?),
            Self::PseudoLikelihood { lambda_eff } => {
                Box::new(PseudoLikelihoodStabilities::new(load, lambda_eff)?)
            }
            Self::Hebb => Box::new(HebbStabilities::new(load)?),
            Self::PseudoInverse => Box::new(PseudoInverseStabilities::new(load)?),
        })
    }
}
