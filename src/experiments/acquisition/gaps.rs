//! The test gaps against the number of learned features, and how much of their variance a single curve explains.
//!
//! A point is one (eta, P, epoch), averaged over draws. A gap is explained by a number as far as the best monotone curve of
//! that number goes ([`explained_by_monotone_curve`]); for P and epochs, which have a few values each, the best of all
//! curves ([`explained_by_any_curve`]) stands beside it, so that they lose nothing by being held to a monotone one.

use super::measurements::{LEARNED, Measurement, Measurements};
use crate::analysis::cutoff::Criterion;
use crate::analysis::{explained_by_any_curve, explained_by_monotone_curve, monotone_curve};
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;

/// A test gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    OneMinusTest,
    TrainMinusTest,
}

impl Gap {
    pub(super) const ALL: [Self; 2] = [Self::OneMinusTest, Self::TrainMinusTest];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OneMinusTest => "one_minus_test",
            Self::TrainMinusTest => "train_minus_test",
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::OneMinusTest => "1 − m_test",
            Self::TrainMinusTest => "m_train − m_test",
        }
    }

    fn of(self, measurement: &Measurement) -> f64 {
        match self {
            Self::OneMinusTest => measurement.one_minus_test(),
            Self::TrainMinusTest => measurement.train_minus_test(),
        }
    }
}

/// What a gap may be a curve of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Variable {
    /// The number of features that reach a criterion.
    Learned(Criterion),
    /// The share of the patterns' features that are learned.
    Share,
    /// P.
    Patterns,
    Epochs,
}

impl Variable {
    fn all() -> impl Iterator<Item = Self> {
        let numbers = Criterion::ALL.into_iter().map(Self::Learned);
        numbers.chain([Self::Share, Self::Patterns, Self::Epochs])
    }

    fn name(self) -> String {
        match self {
            Self::Learned(criterion) => format!("learned_{}", criterion.name()),
            Self::Share => "learned_share".into(),
            Self::Patterns => "patterns".into(),
            Self::Epochs => "epochs".into(),
        }
    }

    fn of(self, measurement: &Measurement) -> f64 {
        match self {
            Self::Learned(criterion) => measurement.n_learned(criterion),
            Self::Share => measurement.learned_share(),
            Self::Patterns => measurement.point.n_patterns as f64,
            Self::Epochs => measurement.point.epoch as f64,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    Monotone,
    Any,
}

/// Which points are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// Index of eta; all of them if none.
    pub(super) exponent: Option<usize>,
    /// Whether epoch 0 is among the points.
    pub(super) with_hebb: bool,
}

/// The part of the variance of a gap that a curve of a variable explains.
pub(super) struct Explanation {
    gap: Gap,
    scope: Scope,
    variable: Variable,
    curve: Curve,
    explained: Option<f64>,
}

/// All explanations of a run.
pub(super) struct Explanations<'a> {
    measurements: &'a Measurements<'a>,
    all: Vec<Explanation>,
}

impl<'a> Explanations<'a> {
    pub(super) fn new(measurements: &'a Measurements<'a>) -> Self {
        let exponents = std::iter::once(None).chain((0..measurements.config.exponents.len()).map(Some));
        let mut all = Vec::new();
        for exponent in exponents {
            for with_hebb in [false, true] {
                let scope = Scope { exponent, with_hebb };
                for gap in Gap::ALL {
                    for variable in Variable::all() {
                        let points = points(measurements, scope, variable, gap);
                        let mut push = |curve, explained| {
                            all.push(Explanation { gap, scope, variable, curve, explained });
                        };
                        push(Curve::Monotone, explained_by_monotone_curve(&points));
                        if matches!(variable, Variable::Patterns | Variable::Epochs) {
                            push(Curve::Any, explained_by_any_curve(&points));
                        }
                    }
                }
            }
        }
        Self { measurements, all }
    }

    /// The explained fraction; none if the gap does not vary.
    pub(super) fn get(&self, gap: Gap, scope: Scope, variable: Variable, curve: Curve) -> Option<f64> {
        let is_asked = |other: &&Explanation| {
            (other.gap, other.scope, other.variable, other.curve) == (gap, scope, variable, curve)
        };
        self.all.iter().find(is_asked)?.explained
    }

    /// One row an explanation.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(["gap", "eta", "points", "variable", "curve", "explained"]);
        for Explanation { gap, scope, variable, curve, explained } in &self.all {
            let exponent = scope.exponent.map(|index| self.measurements.config.exponents[index].to_string());
            let points = if scope.with_hebb { "all" } else { "pseudo-likelihood" };
            let curve = if *curve == Curve::Monotone { "monotone" } else { "any" };
            table.push(vec![
                gap.name().to_owned(),
                exponent.unwrap_or("all".into()),
                points.to_owned(),
                variable.name(),
                curve.to_owned(),
                explained.map_or(String::new(), |value| value.to_string()),
            ]);
        }
        table
    }
}

/// (variable, gap) of each (eta, P, epoch) in scope, means over draws.
fn points(measurements: &Measurements<'_>, scope: Scope, variable: Variable, gap: Gap) -> Vec<(f64, f64)> {
    let config = measurements.config;
    let mut points = Vec::new();
    for exponent in 0..config.exponents.len() {
        if scope.exponent.is_some_and(|only| only != exponent) {
            continue;
        }
        for load in 0..config.loads.len() {
            for epoch in usize::from(!scope.with_hebb)..config.epochs.len() {
                let mean = |of: &dyn Fn(&Measurement) -> f64| {
                    measurements.mean(exponent, |draw| of(draw.at(load, epoch))).value
                };
                points.push((mean(&|at| variable.of(at)), mean(&|at| gap.of(at))));
            }
        }
    }
    points
}

/// 1 - m_test against the number of learned features and against their share of the patterns' features, m_train - m_test
/// against their number. All loads and epochs of an eta in a colour, Hebb open; with them the monotone curve nearest to all
/// points of pseudo-likelihood.
pub(super) fn figure(measurements: &Measurements<'_>, explanations: &Explanations<'_>) -> Figure {
    let number = Variable::Learned(LEARNED);
    let panels =
        [(number, Gap::OneMinusTest), (Variable::Share, Gap::OneMinusTest), (number, Gap::TrainMinusTest)];
    let all = Scope { exponent: None, with_hebb: false };
    let explained = |(variable, gap)| {
        let value = explanations.get(gap, all, variable, Curve::Monotone);
        value.map_or("-".into(), |value: f64| format!("{:.0} %", 100.0 * value))
    };
    let [by_number, by_share, difference] = panels.map(explained);
    Figure::new(panels.map(|(variable, gap)| panel(measurements, variable, gap)).to_vec()).with_caption(format!(
        "Test gaps of all loads and epochs against what is learned: one monotone curve of the number of learned features explains \
         {by_number} of the variance of 1 − m_test (left), one of their share of uses {by_share} (middle), and one of the number \
         {difference} of that of m_train − m_test (right)."
    ))
}

fn panel(measurements: &Measurements<'_>, variable: Variable, gap: Gap) -> Panel {
    let config = measurements.config;
    let x = match variable {
        Variable::Share => Axis::linear("learned share of features used"),
        _ => Axis::log("learned features"),
    };
    let mut panel = Panel::new("", x, Axis::linear(gap.label()));
    let of = |exponent, with_hebb| points(measurements, Scope { exponent, with_hebb }, variable, gap);
    for (index, exponent) in config.exponents.iter().enumerate() {
        let trained = of(Some(index), false);
        // Epoch 0 comes first at each load.
        let hebb = of(Some(index), true).into_iter().step_by(config.epochs.len()).collect();
        let color = Color::nth(index);
        panel = panel
            .with(Series::new(format!("η = {exponent}, pseudo-likelihood"), Style::Markers, color, trained))
            .with(Series::new(format!("η = {exponent}, Hebb"), Style::OpenMarkers, color, hebb));
    }
    let curve = monotone_curve(&of(None, false));
    panel.with(Series::new("best monotone curve of all η", Style::Line, Color::Black, curve))
}
