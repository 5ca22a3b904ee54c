//! The optimum as its norm grows: direction and margins beside the couplings of largest margin.

use serde::{Deserialize, Serialize};

use super::{StabilitiesConfig, optimum_with};
use crate::analysis::stabilities;
use crate::couplings::Couplings;
use crate::dynamics::random_states;
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::patterns_at;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::learning::{Lbfgs, MaxStability, max_stability};
use crate::report::{Axis, Color, Figure, Panel, Position, Series, Style};
use crate::storage::Table;
use crate::theory::{PseudoLikelihoodStabilities, kappa_max};

/// The optimum at one lambda_eff.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stage {
    l2: f64,
    lambda_eff: f64,
    /// Mean over neurons of J_i . J_i* / |J_i| |J_i*|, J* the couplings of largest margin.
    cosine: f64,
    /// Mean over neurons of the smallest stability.
    margin: f64,
    /// Smallest stability.
    least: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Limit {
    n_spins: usize,
    load: f64,
    /// Mean margin of max-stability.
    largest: f64,
    kappa_max: f64,
    stages: Vec<Stage>,
}

/// Relative gap of the margins to compare with.
const TOLERANCE: f64 = 1e-4;
/// Relative gradient of the optima.
const GRADIENT_TOLERANCE: f64 = 1e-4;

/// The place of the limit among the files, and how it is measured.
pub(super) struct Way<'a>(pub(super) &'a StabilitiesConfig);

impl Place for Way<'_> {
    type Point = Limit;

    const WHAT: &'static str = "the way to the largest margin";

    fn name(&self) -> String {
        let StabilitiesConfig { limit_n_spins, load, seed, .. } = self.0;
        format!("limit-n{limit_n_spins}-load{load}-seed{seed}.json")
    }

    fn parameters(&self) -> String {
        let StabilitiesConfig { lambda, limit_lambda_effs, seed, .. } = self.0;
        format!(
            "lambda {lambda}, lambda_eff {limit_lambda_effs:?}, tolerances {TOLERANCE} and {GRADIENT_TOLERANCE}, seed {seed}"
        )
    }

    fn has_shape_of(&self, limit: &Limit) -> bool {
        limit.n_spins == self.0.limit_n_spins && limit.stages.len() == self.0.limit_lambda_effs.len()
    }

    fn cost(&self) -> Cost {
        let StabilitiesConfig { load, limit_n_spins: n_spins, ref limit_lambda_effs, .. } = *self.0;
        let n_patterns = patterns_at(load, n_spins);
        // Searches take longer as norms grow.
        let search = Cost::search(n_patterns, n_spins, false).times(10 * limit_lambda_effs.len());
        Cost::largest_margins(n_patterns, n_spins).beside(search)
    }

    fn measure(&self, execution: &Execution) -> Result<Limit> {
        measure(self.0, execution)
    }
}

fn measure(config: &StabilitiesConfig, execution: &Execution) -> Result<Limit> {
    let n_spins = config.limit_n_spins;
    let patterns = random_states(patterns_at(config.load, n_spins), n_spins, sample_seed(config.seed, 100))?;
    let load = patterns.n_rows() as f64 / n_spins as f64;
    let parameters = MaxStability { tolerance: TOLERANCE, ..MaxStability::default() };
    let best = max_stability(&patterns, &parameters, execution)?;
    // Near the limit curvatures range over as many decades as residuals do; an error of the direction counts by its square.
    let solver = Lbfgs { tolerance: GRADIENT_TOLERANCE, ..Lbfgs::new(config.lambda) };
    let mut stages = Vec::new();
    for &aimed in &config.limit_lambda_effs {
        let l2 = PseudoLikelihoodStabilities::new(load, aimed)?.weight_decay(config.lambda)?;
        let couplings = optimum_with(l2, &solver, config.lambda, &patterns, execution)?;
        let norms = couplings.row_norms(execution)?;
        let measured = stabilities(&couplings, &patterns, &norms, execution)?;
        stages.push(Stage {
            l2,
            lambda_eff: config.lambda / 2.0 * norms.iter().sum::<f64>() / n_spins as f64,
            cosine: mean_cosine(&couplings, &best.couplings),
            margin: measured.margins().sum::<f64>() / n_spins as f64,
            least: measured.margins().fold(f64::INFINITY, f64::min),
        });
    }
    Ok(Limit { n_spins, load, largest: best.summary().mean_lower, kappa_max: kappa_max(load)?, stages })
}

/// Mean over neurons of the cosine between their rows.
fn mean_cosine(a: &Couplings, b: &Couplings) -> f64 {
    let n_spins = a.n_spins();
    let rows = a.values().chunks_exact(n_spins).zip(b.values().chunks_exact(n_spins));
    let cosine = |(a, b): (&[f32], &[f32])| {
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    rows.map(cosine).sum::<f64>() / n_spins as f64
}

impl Limit {
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([
            "l2",
            "lambda_eff",
            "cosine",
            "stability_min_mean",
            "stability_min",
            "largest_margin_mean",
        ]);
        for stage in &self.stages {
            let numbers = [stage.l2, stage.lambda_eff, stage.cosine, stage.margin, stage.least, self.largest];
            table.push(numbers.iter().map(f64::to_string).collect());
        }
        table
    }

    pub(super) fn figure(&self) -> Figure {
        let series = |value: fn(&Stage) -> f64| {
            self.stages.iter().map(|stage| (stage.lambda_eff, value(stage))).collect::<Vec<_>>()
        };
        let title = format!("N = {}, P / N = {}", self.n_spins, self.load);
        let margins = Panel::new(title, Axis::log("λ_eff"), Axis::linear("smallest stability of a neuron"))
            .with(Series::new(
                "optimum, mean",
                Style::LineAndMarkers,
                Color::TRAIN,
                series(|stage| stage.margin),
            ))
            .with(Series::new(
                "optimum, smallest",
                Style::LineAndMarkers,
                Color::TEST,
                series(|stage| stage.least),
            ))
            .with_reference("max-stability, mean", Position::Y(self.largest))
            .with_reference("Gardner", Position::Y(self.kappa_max));
        let direction =
            Panel::new("direction", Axis::log("λ_eff"), Axis::log("1 − cosine with max-stability")).with(
                Series::new("", Style::LineAndMarkers, Color::TRAIN, series(|stage| 1.0 - stage.cosine)),
            );
        let end = self.stages.last().map_or(String::new(), |stage| {
            format!(
                ": at λ_eff = {:.3} the mean margin is {:.4} and 1 − cosine {:.1e}",
                stage.lambda_eff,
                stage.margin,
                1.0 - stage.cosine
            )
        });
        Figure::new(vec![margins, direction]).with_caption(format!(
            "Margins of the optimum (left) and how far its direction is from the couplings of largest margin (right) as its norm \
             grows{end}, where max-stability has {:.4} and Gardner's theory {:.4}.",
            self.largest, self.kappa_max
        ))
    }

    pub(super) fn summary(&self) -> String {
        let mut text = format!(
            "The optimum on its way to the largest margin, N = {}, P / N = {}: mean margin of max-stability {:.4}, Gardner {:.4}\n\n",
            self.n_spins, self.load, self.largest, self.kappa_max
        );
        text += " lambda_eff  mean margin  smallest  1 - cosine\n";
        for stage in &self.stages {
            text += &format!(
                "{:11.3} {:12.4} {:9.4} {:11.2e}\n",
                stage.lambda_eff,
                stage.margin,
                stage.least,
                1.0 - stage.cosine
            );
        }
        text
    }
}
