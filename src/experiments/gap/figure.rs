//! The gaps against learned features.

use super::super::feature_learning::{LEARNED, Measurements};
use super::explanations::{Curve, Explanations, Gap, Scope, Variable, points};
use crate::analysis::monotone_curve;
use crate::report::{Axis, Color, Figure, Panel, Series, Style};

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
         {difference} of that of m_train − m_test (right); where nothing is learned yet there is no place on a logarithmic axis."
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
