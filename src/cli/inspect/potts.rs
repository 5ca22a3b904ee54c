//! What is measured of Potts couplings.

use attractor::Result;
use attractor::execution::Execution;
use attractor::potts::PottsCouplings;
use serde_json::json;

use super::Facts;

pub(super) fn facts(couplings: &PottsCouplings, execution: &Execution) -> Result<Facts> {
    let norms = couplings.column_norms(execution)?;
    let asymmetry = couplings.asymmetry(execution)?;
    let (least, most) = norms.iter().fold((f64::INFINITY, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
    Ok(vec![
        ("columns", json!(couplings.n_columns())),
        ("q", json!(couplings.n_letters())),
        ("column_norm", json!(norms.iter().sum::<f64>() / norms.len() as f64)),
        ("column_norm_min", json!(least)),
        ("column_norm_max", json!(most)),
        ("fields", json!(couplings.theta().iter().any(|&theta| theta != 0.0))),
        ("asymmetry", json!(asymmetry.ratio)),
        ("asymmetry_msd", json!(asymmetry.mean_square)),
    ])
}
