//! How many hidden features Hebb couplings store, without ever making the couplings.
//!
//!     cargo run --release --example cutoff
//!
//! Patterns are signs of sums of three hidden features, feature k used with weight k^-eta. In Hebb couplings the field of
//! feature k has a signal, and noise of the other features; their ratio falls as k^-eta and reaches 1 at a rank k_max that
//! grows as N^(1/(2 eta)).

use attractor::analysis::cutoff::{Draws, Estimator, Kept, MeasureOptions, measure, power_law};
use attractor::datasets::{Coefficients, ManifoldParameters};
use attractor::execution::Execution;
use attractor::theory::PowerLawSignal;

const EXPONENT: f64 = 1.5; // eta
const N_PATTERNS: usize = 20_000;
const N_DRAWS: u64 = 8;

fn main() -> attractor::Result<()> {
    let execution = Execution::with_threads(2)?;
    // The first features, three times as many as the law lets expect; no steps of the dynamics; any amount of memory.
    let options = MeasureOptions { kept: Kept::Predicted, n_steps: 0, memory: None };
    let mut sizes = Vec::new();
    println!("    N   k_max   the poster's law");
    for n_spins in [1024, 2048, 4096, 8192] {
        let n_features = n_spins as u64 / 2; // D
        // Features and patterns are drawn anew several times. The fields N h are exact integers.
        let draw = |seed| {
            let parameters = ManifoldParameters {
                n_spins,
                n_patterns: N_PATTERNS,
                n_test: 0,
                n_features,
                n_active: 3, // L
                exponent: EXPONENT,
                coefficients: Coefficients::Signs,
                test_features: None,
                n_stored_features: 0,
                seed,
            };
            measure(&parameters, options, &execution)
        };
        let points = (0..N_DRAWS).map(draw).collect::<attractor::Result<Vec<_>>>()?;

        // Where mean signal over root mean variance crosses 1.
        let k_max = Estimator::SnrCrossing.cutoff(Draws { points: &points }).unwrap_or(f64::NAN);
        // SNR_k = sqrt(N / Z(2 eta, D)) k^-eta: the same exponent, but without the noise of triples and with the frequencies
        // of independent draws, hence another prefactor.
        let law = PowerLawSignal::new(n_spins, n_features, EXPONENT).rank_at(1.0).unwrap_or(f64::NAN);
        println!("{n_spins:5}  {k_max:6.2}  {law:6.2}");
        sizes.push(points);
    }

    // ln k_max = slope ln N + const, with a 95 % interval by bootstrap over the draws.
    let draws: Vec<_> = sizes.iter().map(|points| Draws { points }).collect();
    let fit = power_law(Estimator::SnrCrossing, &draws, 0).expect("four sizes with a cutoff");
    let interval = fit.interval.expect("more than one draw");
    let (expected, slope) = (1.0 / (2.0 * EXPONENT), fit.slope);
    println!("k_max ~ N^{slope:.3} ({:.3} to {:.3}); 1/(2 eta) = {expected:.3}", interval.low, interval.high);

    // What this example claims; the program fails where it is not so.
    assert!(interval.low < expected && expected < interval.high, "the exponent is not 1/(2 eta)");
    Ok(())
}
