//! What was learned: overlaps, margins, stabilities, features, symmetry.
//!
//! Knows couplings, dynamics and rules; turns states and couplings into the numbers of tables and figures. Sums run in
//! f64 in a fixed order.

pub mod cutoff;
mod explained;
mod histogram;
mod inverse_ising;
mod kolmogorov;
mod margins;
pub mod matrix_free;
mod observables;
mod overlaps;
mod rank_correlation;
mod stabilities;

pub use explained::{explained_by_any_curve, explained_by_monotone_curve, monotone_curve};
pub use histogram::Histogram;
pub use inverse_ising::{InverseIsing, RecoveredPair, couplings_of_bonds, inverse_ising, recovered_pairs};
pub use kolmogorov::kolmogorov_distance;
pub use margins::{MarginStatistics, NeuronStatistics, margin_statistics, neuron_statistics};
pub use observables::{
    Evaluation, FeatureCount, Gap, Observables, Overlaps, RecallSummary, StabilitySummary, note_rising_loss,
    observe, recall_summary,
};
pub use overlaps::{learned_features, mean_overlap_of_pairs, mean_overlap_within_classes, overlap, overlaps};
pub use rank_correlation::rank_correlation;
pub use stabilities::{Stabilities, stabilities};
