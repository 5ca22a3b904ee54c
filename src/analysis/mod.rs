//! What was learned: overlaps, margins, stabilities, features, symmetry.
//!
//! Knows couplings, dynamics and rules; turns states and couplings into the numbers of tables and figures. Sums run in
//! f64 in a fixed order.

mod basins;
mod census;
mod census_file;
pub mod cutoff;
mod data_facts;
mod distinct_rows;
mod explained;
mod histogram;
mod inverse_ising;
mod kolmogorov;
mod margins;
pub mod matrix_free;
pub(crate) mod mean;
mod nearest;
mod observables;
mod overlaps;
mod rank_correlation;
mod row_observables;
mod sequence_facts;
mod stabilities;

pub use basins::{BasinCurve, BasinEdge, BasinPoint, BasinSize, Basins, basin_size};
pub use census::{Attractor, Census, Destinations, StartKind, census, energies, least_energy_bytes};
pub use census_file::StoredAttractors;
pub use data_facts::{SpinFacts, UnseenSpinFacts, WeightFacts, spin_facts, unseen_spin_facts, weight_facts};
pub use explained::{explained_by_any_curve, explained_by_monotone_curve, monotone_curve};
pub use histogram::Histogram;
pub use inverse_ising::{InverseIsing, RecoveredPair, couplings_of_bonds, inverse_ising, recovered_pairs};
pub use kolmogorov::kolmogorov_distance;
pub use margins::{MarginStatistics, NeuronStatistics, margin_statistics, neuron_statistics};
pub use nearest::{Nearest, nearest};
pub use observables::{
    Evaluation, FeatureCount, Gap, Observables, Overlaps, RecallSummary, fixed_fraction, observe,
    recall_summary,
};
pub use overlaps::{
    class_counts, learned_features, mean_overlap_of_pairs, mean_overlap_within_classes, overlap, overlaps,
};
pub use rank_correlation::rank_correlation;
pub use row_observables::{RowObservables, StabilitySummary, note_rising_loss, observe_rows};
pub use sequence_facts::{
    SequenceFacts, UnseenSequenceFacts, letter_counts, sequence_facts, unseen_sequence_facts,
};
pub use stabilities::{Stabilities, stabilities};
