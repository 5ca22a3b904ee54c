//! Theory to compare with: what a learning rule does to random patterns in the limit of large N at fixed load.
//!
//! Patterns are independent and unbiased, N and P go to infinity at fixed load alpha = P / N, couplings are asymmetric
//! and have no diagonal. Loads, stabilities and overlaps are pure numbers. Knows [`error`](crate::error) and nothing
//! else of this crate; every function states its formula, source and range, and returns an error outside the range.
//!
//! | law | formula | function |
//! |---|---|---|
//! | largest margin | alpha int_{-kappa}^inf Dt (t + kappa)^2 = 1 | [`kappa_max`], [`gardner_capacity`], [`MaxStabilities`] |
//! | pseudo-likelihood | alpha int Dt (Delta*(t) - t)^2 = 1 | [`PseudoLikelihoodStabilities`], [`max_lambda_eff`] |
//! | Hebb | Delta ~ N(1 / sqrt(alpha), 1) | [`HebbStabilities`], [`hebb_error`] |
//! | pseudo-inverse | Delta = sqrt((1 - alpha) / alpha) | [`pseudo_inverse_stability`], [`PseudoInverseStabilities`] |
//! | retrieval from Hebb couplings | y (sqrt(2 alpha) + 2 exp(-y^2) / sqrt(pi)) = erf(y) | [`hopfield_overlap`], [`hopfield_capacity`] |
//!
//! and, for Hebb couplings of patterns made of hidden features, the signal and noise of each feature ([`signal_and_noise`],
//! [`PowerLawSignal`]) with what they rest on, at any N and P.
//!
//! Dt = exp(-t^2 / 2) dt / sqrt(2 pi). Each law of stabilities maps the field t ~ N(0, 1) that a pattern would feel had it
//! not been learned to a stability Delta*(t), increasing in t: [`StabilityDistribution`] has the density and the
//! cumulative distribution that follow, to plot and to measure distances from.

mod feature_signal;
mod gardner;
mod hebb;
mod hopfield;
mod law;
mod load;
mod majority;
mod normal;
mod power_sum;
mod pseudo_inverse;
mod pseudo_likelihood;
mod quadrature;
mod root;
mod saddle_point;
mod stability_distribution;

pub use feature_signal::{Counted, NoiseTerms, PowerLawSignal, one_step_overlap, signal_and_noise};
pub use gardner::{MaxStabilities, gardner_capacity, kappa_max};
pub use hebb::{HebbStabilities, hebb_error};
pub use hopfield::{HopfieldCapacity, hopfield_capacity, hopfield_overlap};
pub use law::Law;
pub use majority::{majority_coefficient, tie_probability};
pub use power_sum::power_sum;
pub use pseudo_inverse::{PseudoInverseStabilities, pseudo_inverse_stability};
pub use pseudo_likelihood::{Peak, PseudoLikelihoodStabilities, max_lambda_eff};
pub use stability_distribution::{Atom, StabilityDistribution};
