//! Stabilities of the optimum and of descent beside the law at their own lambda_eff.

use serde::{Deserialize, Serialize};

use super::{StabilitiesConfig, optimum_with};
use crate::analysis::{Histogram, Stabilities, kolmogorov_distance, stabilities};
use crate::couplings::Couplings;
use crate::dynamics::random_states;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::mean::Mean;
use crate::experiments::patterns_at;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::experiments::trajectory::train_to;
use crate::learning::{Initial, Lbfgs, PseudoLikelihood, Trainer};
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::spins::SpinMatrix;
use crate::storage::Table;
use crate::theory::{PseudoLikelihoodStabilities, StabilityDistribution};

/// Bins of the histograms, and points of the law's curves.
const BINS: usize = 80;
const CURVE_POINTS: usize = 401;

/// The solvers, in the order of [`Compared::solvers`].
const SOLVERS: [&str; 2] = ["optimum", "descent"];

/// Couplings of one set of patterns beside the law.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Compared {
    n_spins: usize,
    sample: u64,
    solvers: [Distance; 2],
}

/// From the law at the couplings' own lambda_eff.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Distance {
    lambda_eff: f64,
    distance: f64,
}

/// The optimum at one lambda_eff.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    load: f64,
    lambda_eff: f64,
    histogram: Histogram,
}

struct Density {
    lambda_eff: f64,
    histogram: Histogram,
    law: PseudoLikelihoodStabilities,
}

pub(super) struct Densities {
    compared: Vec<Compared>,
    densities: Vec<Density>,
    shown_n_spins: usize,
}

impl Densities {
    /// # Errors
    /// If there is no law at the lambda_eff of what is shown.
    pub(super) fn new(
        config: &StabilitiesConfig,
        compared: Vec<Compared>,
        shown: Vec<Shown>,
    ) -> Result<Self> {
        let density = |Shown { load, lambda_eff, histogram }| {
            let law = PseudoLikelihoodStabilities::new(load, lambda_eff)?;
            Ok(Density { lambda_eff, histogram, law })
        };
        let densities = shown.into_iter().map(density).collect::<Result<_>>()?;
        Ok(Self { compared, densities, shown_n_spins: config.n_spins[1] })
    }
}

/// An N and sample: its place among the files, and how it is measured.
pub(super) struct Size<'a> {
    config: &'a StabilitiesConfig,
    n_spins: usize,
    sample: u64,
}

impl<'a> Size<'a> {
    /// N slowest, then samples.
    pub(super) fn all(config: &'a StabilitiesConfig) -> impl Iterator<Item = Self> {
        let of = move |n_spins, n_samples| (0..n_samples).map(move |sample| Self { config, n_spins, sample });
        config
            .n_spins
            .iter()
            .zip(&config.n_samples)
            .flat_map(move |(&n_spins, &n_samples)| of(n_spins, n_samples))
    }
}

impl Place for Size<'_> {
    type Point = Compared;

    const WHAT: &'static str = "a finished distance from the law";

    fn name(&self) -> String {
        let StabilitiesConfig { load, seed, .. } = self.config;
        format!("distance-n{}-load{load}-seed{seed}-sample{}.json", self.n_spins, self.sample)
    }

    fn parameters(&self) -> String {
        let StabilitiesConfig { lambda, lambda_effs, descent_epochs, descent_lr, seed, .. } = self.config;
        format!(
            "lambda {lambda}, lambda_eff {}, descent of {descent_epochs} epochs, lr {descent_lr}, seed {seed}",
            lambda_effs[1]
        )
    }

    fn has_shape_of(&self, compared: &Compared) -> bool {
        (compared.n_spins, compared.sample) == (self.n_spins, self.sample)
    }

    fn cost(&self) -> Cost {
        let &Size { config, n_spins, .. } = self;
        let n_patterns = patterns_at(config.load, n_spins);
        let parameters = PseudoLikelihood::new(config.lambda, config.descent_lr);
        let descent = Cost::descent(&parameters, n_patterns, n_spins, config.descent_epochs);
        Cost::search(n_patterns, n_spins, false).beside(descent)
    }

    fn measure(&self, execution: &Execution) -> Result<Compared> {
        let &Size { config, n_spins, sample } = self;
        let lambda = config.lambda;
        let patterns = patterns(config, n_spins, sample)?;
        let load = patterns.n_rows() as f64 / n_spins as f64;
        let l2 = PseudoLikelihoodStabilities::new(load, config.lambda_effs[1])?.weight_decay(lambda)?;
        let best = optimum_with(l2, &Lbfgs::new(lambda), lambda, &patterns, execution)?;
        let parameters = PseudoLikelihood::new(lambda, config.descent_lr);
        let mut trainer = Trainer::new(&patterns, parameters, &Initial::Hebb, 1.0, execution)?;
        train_to(&mut trainer, config.descent_epochs, execution)?;
        let distance = |couplings| {
            let (measured, law, lambda_eff) = beside(couplings, &patterns, lambda, execution)?;
            let distance = kolmogorov_distance(measured.values(), |stability| law.cumulative(stability))?;
            Ok::<_, Error>(Distance { lambda_eff, distance })
        };
        let solvers = [distance(&best)?, distance(trainer.couplings())?];
        Ok(Compared { n_spins, sample, solvers })
    }
}

/// A lambda_eff that is shown: its place among the files, and how it is measured.
pub(super) struct AtLambdaEff<'a> {
    config: &'a StabilitiesConfig,
    lambda_eff: f64,
}

impl<'a> AtLambdaEff<'a> {
    pub(super) fn all(config: &'a StabilitiesConfig) -> impl Iterator<Item = Self> {
        config.lambda_effs.iter().map(move |&lambda_eff| Self { config, lambda_eff })
    }
}

impl Place for AtLambdaEff<'_> {
    type Point = Shown;

    const WHAT: &'static str = "a finished density";

    fn name(&self) -> String {
        let StabilitiesConfig { load, n_spins, seed, .. } = self.config;
        format!("density-n{}-load{load}-lambda-eff{}-seed{seed}.json", n_spins[1], self.lambda_eff)
    }

    fn parameters(&self) -> String {
        format!("lambda {}, {BINS} bins, seed {}", self.config.lambda, self.config.seed)
    }

    fn has_shape_of(&self, shown: &Shown) -> bool {
        shown.histogram.bins().count() == BINS
    }

    fn cost(&self) -> Cost {
        let n_spins = self.config.n_spins[1];
        Cost::search(patterns_at(self.config.load, n_spins), n_spins, false)
    }

    fn measure(&self, execution: &Execution) -> Result<Shown> {
        let &AtLambdaEff { config, lambda_eff } = self;
        let n_spins = config.n_spins[1];
        let patterns = patterns(config, n_spins, 0)?;
        let load = patterns.n_rows() as f64 / n_spins as f64;
        let l2 = PseudoLikelihoodStabilities::new(load, lambda_eff)?.weight_decay(config.lambda)?;
        let couplings = optimum_with(l2, &Lbfgs::new(config.lambda), config.lambda, &patterns, execution)?;
        let (measured, _, lambda_eff) = beside(&couplings, &patterns, config.lambda, execution)?;
        Ok(Shown { load, lambda_eff, histogram: Histogram::new(measured.values(), BINS)? })
    }
}

fn patterns(config: &StabilitiesConfig, n_spins: usize, sample: u64) -> Result<SpinMatrix> {
    let seed = sample_seed(config.seed, sample);
    random_states(patterns_at(config.load, n_spins), n_spins, seed)
}

/// The stabilities of the couplings, and the law at their lambda_eff.
fn beside(
    couplings: &Couplings,
    patterns: &SpinMatrix,
    lambda: f64,
    execution: &Execution,
) -> Result<(Stabilities, PseudoLikelihoodStabilities, f64)> {
    let norms = couplings.row_norms(execution)?;
    let measured = stabilities(couplings, patterns, &norms, execution)?;
    let lambda_eff = lambda / 2.0 * norms.iter().sum::<f64>() / norms.len() as f64;
    let load = patterns.n_rows() as f64 / patterns.n_spins() as f64;
    Ok((measured, PseudoLikelihoodStabilities::new(load, lambda_eff)?, lambda_eff))
}

impl Densities {
    /// One row a bin: measured density, and the law's mean density there.
    pub(super) fn densities(&self) -> Table {
        let mut table = Table::new(["lambda_eff", "low", "high", "count", "density", "theory"]);
        for Density { lambda_eff, histogram, law } in &self.densities {
            for (low, high, count) in histogram.bins() {
                let width = high - low;
                let density = count as f64 / histogram.n_samples() as f64 / width;
                let theory = (law.cumulative(high) - law.cumulative(low)) / width;
                table.push(vec![
                    lambda_eff.to_string(),
                    low.to_string(),
                    high.to_string(),
                    count.to_string(),
                    density.to_string(),
                    theory.to_string(),
                ]);
            }
        }
        table
    }

    /// One row a set of patterns and solver.
    pub(super) fn distances(&self) -> Table {
        let mut table = Table::new(["n", "sample", "solver", "lambda_eff", "kolmogorov_distance"]);
        for Compared { n_spins, sample, solvers } in &self.compared {
            for (solver, Distance { lambda_eff, distance }) in SOLVERS.iter().zip(solvers) {
                table.push(vec![
                    n_spins.to_string(),
                    sample.to_string(),
                    (*solver).to_owned(),
                    lambda_eff.to_string(),
                    distance.to_string(),
                ]);
            }
        }
        table
    }

    pub(super) fn figure(&self) -> Result<Figure> {
        let title = format!("optimum, N = {}", self.shown_n_spins);
        let mut shapes = Panel::new(title, Axis::linear("stability Δ"), Axis::linear("density"));
        for (index, Density { lambda_eff, histogram, law }) in self.densities.iter().enumerate() {
            let (low, high) = law.bulk();
            let name = if index == 0 { "theory" } else { "" };
            let curve = law.density_curve(low, high, CURVE_POINTS)?;
            shapes = shapes
                .with(Series::new(
                    format!("λ_eff = {lambda_eff:.3}"),
                    Style::Line,
                    Color::nth(index),
                    histogram.density_steps(),
                ))
                .with(Series::new(name, Style::Dashed, Color::Black, curve));
        }
        let mut distances =
            Panel::new("distance from theory", Axis::log("N"), Axis::log("Kolmogorov distance"));
        for (solver, color) in [("optimum", Color::TRAIN), ("descent", Color::TEST)] {
            let means = self.means(solver);
            let points = means.iter().map(|(n, mean)| (*n as f64, mean.value)).collect();
            let bars = means.iter().map(|(n, mean)| mean.bar(*n as f64)).collect();
            distances = distances
                .with(Series::new(solver, Style::LineAndMarkers, color, points).with_error_bars(bars));
        }
        let end = self.means("optimum").into_iter().max_by_key(|mean| mean.0);
        let end = end.map_or(String::new(), |(n, mean)| format!(": {:.1e} at N = {n}", mean.value));
        Ok(Figure::new(vec![shapes, distances]).with_caption(format!(
            "Histograms of the stabilities of the optimum beside the replica theory (left), and their Kolmogorov distance from it \
             against N (right){end}."
        )))
    }

    /// Mean distance of a solver at each N.
    fn means(&self, solver: &str) -> Vec<(usize, Mean)> {
        let mut sizes: Vec<usize> = self.compared.iter().map(|compared| compared.n_spins).collect();
        sizes.dedup();
        let of_size = |n_spins: usize| {
            let rows = self.compared.iter().filter(|compared| compared.n_spins == n_spins);
            let named = rows.flat_map(|compared| SOLVERS.iter().zip(&compared.solvers));
            let distances = named.filter(|(name, _)| **name == solver).map(|(_, found)| found.distance);
            (n_spins, Mean::of(&distances.collect::<Vec<_>>()))
        };
        sizes.into_iter().map(of_size).collect()
    }

    pub(super) fn results(&self) -> Vec<(String, f64)> {
        let of_solver = |solver: &'static str| {
            let named = move |(n, mean): (usize, Mean)| (format!("distance_{solver}_{n}"), mean.value);
            self.means(solver).into_iter().map(named)
        };
        of_solver("optimum").chain(of_solver("descent")).collect()
    }

    pub(super) fn summary(&self) -> String {
        let mut text =
            "Kolmogorov distance of stabilities from the law at the couplings' own lambda_eff\n\n".to_owned();
        text += "      N  optimum              descent\n";
        for ((n, best), (_, descent)) in self.means("optimum").into_iter().zip(self.means("descent")) {
            text += &format!(
                "{n:7}  {:.5}±{:.5}      {:.5}±{:.5}\n",
                best.value, best.error, descent.value, descent.error
            );
        }
        text
    }
}
