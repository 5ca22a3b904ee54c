//! The Hebbian feature cutoff: how many hidden features Hebb couplings store, k_max ~ N^(1/2eta).
//!
//! [`measure`] takes one draw of a hidden manifold through the matrix-free fields of its first features
//! ([`matrix_free`](super::matrix_free)) to a [`CutoffPoint`]; [`Estimator`] turns the points of several draws into k_max;
//! [`cutoff_interval`] gives intervals by bootstrap, [`power_law`] slopes. Beside them stand the laws of
//! [`theory`](crate::theory). [`feature_rows`] measures features under stored couplings of any rule in the same way, and
//! [`Criterion`] says of each whether it is stored.

mod agreement;
mod counts;
mod criterion;
mod decay;
mod estimators;
mod full_law;
mod intervals;
mod last_overlaps;
mod measure;
mod moments;
mod point;
mod prediction;
mod quenched;
mod stored;

pub use agreement::{Agreement, compare_with_couplings};
pub use counts::FeatureCounts;
pub use criterion::Criterion;
pub use estimators::{Draws, Estimator, law_point, power_law_point};
pub use full_law::FullLaw;
pub use intervals::{Interval, PowerLawFit, cutoff_interval, power_law, ratio_intervals};
pub use measure::{Kept, MeasureOptions, estimated_bytes, measure};
pub use moments::{MarginMoments, feature_moments, margin_moments_of_couplings};
pub use point::{CutoffPoint, Effort, FeatureRow};
pub use prediction::{Expected, expected};
pub use quenched::quenched_point;
pub use stored::feature_rows;
