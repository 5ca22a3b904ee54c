//! How much is explained, in numbers: for the manifest, and in words.

use super::super::feature_learning::{FeatureLearningConfig, LEARNED};
use super::explanations::{Curve, Explanations, Gap, Scope, Variable};

/// Variables that a gap is compared with, and the kind of curve; names for people.
const COMPARED: [(&str, Variable, Curve); 5] = [
    ("learned features", Variable::Learned(LEARNED), Curve::Monotone),
    ("share of uses learned", Variable::Share, Curve::Monotone),
    ("P, monotone", Variable::Patterns, Curve::Monotone),
    ("P, any curve", Variable::Patterns, Curve::Any),
    ("epochs, any curve", Variable::Epochs, Curve::Any),
];

/// Key figures for the manifest, by name. What a run does not have is left out.
pub(super) fn results(explanations: &Explanations<'_>) -> Vec<(String, f64)> {
    let config = explanations.measurements.config;
    let mut results = Vec::new();
    for gap in Gap::ALL {
        for scope in scopes(config) {
            let place = match scope.exponent {
                Some(index) => format!("eta_{}", config.exponents[index]),
                None => "all_eta".into(),
            };
            for (label, variable, curve) in COMPARED {
                if let Some(value) = explanations.get(gap, scope, variable, curve) {
                    let label = label.replace([' ', ','], "_").replace("__", "_");
                    results.push((format!("{}_explained_by_{label}_at_{place}", gap.name()), value));
                }
            }
        }
    }
    results
}

/// Each eta, then all, without Hebb.
fn scopes(config: &FeatureLearningConfig) -> impl Iterator<Item = Scope> {
    let exponents = (0..config.exponents.len()).map(Some).chain([None]);
    exponents.map(|exponent| Scope { exponent, with_hebb: false })
}

pub(super) fn text(explanations: &Explanations<'_>) -> String {
    let config = explanations.measurements.config;
    let mut text = format!(
        "N = {}, D = {}, L = {}; {} draws; learned: final overlap of at least 0.9 with the feature\n",
        config.n_spins, config.n_features, config.n_active, config.n_samples
    );
    for gap in Gap::ALL {
        text += &format!("\nvariance of {} over all P and epochs that a curve explains\n", gap.label());
        let names = config.exponents.iter().map(|exponent| format!("eta {exponent}"));
        let header: String = names.chain(["all eta".into()]).map(|name| format!("{name:>9}")).collect();
        text += &format!("{:24}{header}\n", "of");
        for (label, variable, curve) in COMPARED {
            let values = scopes(config).map(|scope| explanations.get(gap, scope, variable, curve));
            let values: String = values
                .map(|value| value.map_or("        -".into(), |value| format!("{value:9.2}")))
                .collect();
            text += &format!("{label:24}{values}\n");
        }
    }
    text
}
