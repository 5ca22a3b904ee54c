//! The numbers of the experiment: for the manifest, and in words.

use super::super::feature_learning::{LEARNED, Measurements};
use super::order::{Correlation, FirstLearned};
use crate::experiments::mean::Mean;

/// What the order of learning at one eta comes to, means over draws.
struct Order {
    exponent: f64,
    /// Features learned after all epochs at the largest load.
    n_learned: Mean,
    n_hebb: Mean,
    prefix: Option<Mean>,
    prefix_hebb: Option<Mean>,
    epoch: [Option<Mean>; 2], // of the learned, of all
    load: [Option<Mean>; 2],
    hebb_load: [Option<Mean>; 2],
}

/// None where a draw has none.
fn mean_of(values: Vec<Option<f64>>) -> Option<Mean> {
    values.into_iter().collect::<Option<Vec<f64>>>().map(|values| Mean::of(&values))
}

fn orders<'a>(measurements: &'a Measurements<'_>) -> impl Iterator<Item = Order> + 'a {
    let config = measurements.config;
    let (load, epoch) = (config.loads.len() - 1, config.epochs.len() - 1);
    config.exponents.iter().enumerate().map(move |(index, &exponent)| {
        let draws = measurements.draws(index);
        let firsts: Vec<FirstLearned> =
            draws.iter().map(|draw| FirstLearned::of(measurements, draw)).collect();
        let correlations = |of: fn(&FirstLearned) -> &[f64]| -> [Option<Mean>; 2] {
            let all: Vec<Correlation> = firsts.iter().map(|first| Correlation::of(of(first))).collect();
            [
                mean_of(all.iter().map(|correlation| correlation.of_learned).collect()),
                mean_of(all.iter().map(|correlation| correlation.of_all).collect()),
            ]
        };
        let prefix =
            |epoch| mean_of(draws.iter().map(|draw| draw.at(load, epoch).prefix_fraction()).collect());
        let n_learned = |epoch| measurements.mean(index, |draw| draw.at(load, epoch).n_learned(LEARNED));
        Order {
            exponent,
            n_learned: n_learned(epoch),
            n_hebb: n_learned(0),
            prefix: prefix(epoch),
            prefix_hebb: prefix(0),
            epoch: correlations(|first| &first.epoch),
            load: correlations(|first| &first.load),
            hebb_load: correlations(|first| &first.hebb_load),
        }
    })
}

/// Key figures for the manifest, by name. What a run does not have is left out.
pub(super) fn results(measurements: &Measurements<'_>) -> Vec<(String, f64)> {
    let mut results = Vec::new();
    for order in orders(measurements) {
        let exponent = order.exponent;
        let mut push = |name: &str, mean: Option<Mean>| {
            if let Some(mean) = mean {
                results.push((format!("{name}_at_eta_{exponent}"), mean.value));
                results.push((format!("{name}_at_eta_{exponent}_error"), mean.error));
            }
        };
        push("learned_features", Some(order.n_learned));
        push("hebb_learned_features", Some(order.n_hebb));
        push("prefix_fraction", order.prefix);
        push("hebb_prefix_fraction", order.prefix_hebb);
        for (name, [of_learned, of_all]) in
            [("first_epoch", order.epoch), ("first_load", order.load), ("hebb_first_load", order.hebb_load)]
        {
            push(&format!("spearman_{name}_of_learned"), of_learned);
            push(&format!("spearman_{name}_of_all"), of_all);
        }
    }
    results
}

pub(super) fn text(measurements: &Measurements<'_>) -> String {
    let config = measurements.config;
    let load = config.loads.last().copied().unwrap_or(f64::NAN);
    let plus_minus = |mean: Mean, digits| format!("{:.digits$} ± {:.digits$}", mean.value, mean.error);
    let or_none = |mean: Option<Mean>| mean.map_or("-".into(), |mean| plus_minus(mean, 2));
    let mut text = format!(
        "N = {}, D = {}, L = {}; {} draws; learned: final overlap of at least 0.9 with the feature\n\n",
        config.n_spins, config.n_features, config.n_active, config.n_samples
    );
    text += &format!("after {} epochs at P / N = {load}, and by Hebb\n", config.last_epoch());
    text += "  eta      learned   of them among the first      Hebb: learned   among the first\n";
    for order in orders(measurements) {
        text += &format!(
            "{:5} {:>12} {:>25} {:>18} {:>17}\n",
            order.exponent,
            plus_minus(order.n_learned, 0),
            or_none(order.prefix),
            plus_minus(order.n_hebb, 0),
            or_none(order.prefix_hebb)
        );
    }
    text += "\nrank correlation of k with when it is learned: over features learned, over all\n";
    text += "  eta                first epoch                 first load           Hebb: first load\n";
    for order in orders(measurements) {
        let pair =
            |[of_learned, of_all]: [Option<Mean>; 2]| format!("{}, {}", or_none(of_learned), or_none(of_all));
        text += &format!(
            "{:5} {:>26} {:>26} {:>26}\n",
            order.exponent,
            pair(order.epoch),
            pair(order.load),
            pair(order.hebb_load)
        );
    }
    text
}
