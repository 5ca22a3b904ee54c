//! What calculations say, to be plotted beside what is measured. Knows numbers alone.

mod feature_signal;
mod majority;
mod power_sum;

pub use feature_signal::{
    Counted, NoiseTerms, PowerLawSignal, one_step_overlap, one_step_threshold, signal_and_noise,
};
pub use majority::{majority_coefficient, tie_probability};
pub use power_sum::power_sum;
