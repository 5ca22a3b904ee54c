//! Table, figures and summary, beside the published curves.

use super::SpinGlassConfig;
use super::records::Point;
use crate::datasets::DataSet;
use crate::error::Result;
use crate::experiments::published::{PublishedPoint, published};
use crate::report::{Axis, Color, Figure, Panel, Position, Series, Style};
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/edwards_anderson_2d.csv");
/// N of the published curves.
const PUBLISHED_SPINS: usize = 1024;

type Measure = fn(&Point) -> f64;
const CURVES: [(&str, Color, Measure); 3] = [
    ("train", Color::TRAIN, |point| point.train),
    ("test", Color::TEST, |point| point.test),
    ("random", Color::RANDOM, |point| point.random),
];

fn published_points() -> Result<Vec<PublishedPoint>> {
    published("data/reference/edwards_anderson_2d.csv", PUBLISHED)
}

fn load(config: &SpinGlassConfig, point: &Point) -> f64 {
    point.n_patterns as f64 / config.n_spins() as f64
}

pub(super) fn table(config: &SpinGlassConfig, points: &[Point]) -> Table {
    let mut table = Table::new([
        "patterns",
        "load",
        "overlap_train",
        "overlap_test",
        "overlap_random",
        "fixed_fraction",
        "loss",
        "lambda_eff",
        "asymmetry",
        "gamma",
        "gamma_bonds",
        "gamma_absent",
        "slope",
    ]);
    for point in points {
        let numbers = [
            load(config, point),
            point.train,
            point.test,
            point.random,
            point.fixed_fraction,
            point.loss,
            point.lambda_eff,
            point.asymmetry,
            point.gamma,
            point.gamma_bonds,
            point.gamma_absent,
            point.slope,
        ];
        let numbers = numbers.iter().map(f64::to_string);
        table.push(std::iter::once(point.n_patterns.to_string()).chain(numbers).collect());
    }
    table
}

pub(super) fn overlaps(config: &SpinGlassConfig, points: &[Point], truth: f64) -> Result<Figure> {
    let title = format!(
        "Edwards-Anderson, L = {}, T = {}, {} parallel steps",
        config.side, config.temperature, config.n_steps
    );
    let mut panel = Panel::new(title, Axis::log("load P / N"), Axis::overlap("final overlap"));
    let published = published_points()?;
    for (curve, color, measure) in CURVES {
        let theirs = published.iter().filter(|point| point.0 == curve).map(|&(_, load, m)| (load, m));
        let name = format!("{curve}, arXiv:2507.05147");
        panel = panel.with(Series::new(name, Style::OpenMarkers, color, theirs.collect()));
        let ours = points.iter().map(|point| (load(config, point), measure(point))).collect();
        panel = panel.with(Series::new(curve, Style::LineAndMarkers, color, ours));
    }
    let end = points.last().map_or(String::new(), |point| {
        format!(
            ": at load {:.3} they are {:.3}, {:.3} and {:.3}",
            load(config, point),
            point.train,
            point.test,
            point.random
        )
    });
    let caption = format!(
        "Final overlaps of training, test and random states of the Edwards-Anderson glass against load, open markers \
         published{end}, where the true couplings keep {truth:.3} of unseen samples."
    );
    Ok(Figure::new(vec![panel.with_reference("true couplings", Position::Y(truth))]).with_caption(caption))
}

/// gamma, and the line of slope -1/2 through its last point.
pub(super) fn errors(config: &SpinGlassConfig, points: &[Point]) -> Figure {
    let mut panel = Panel::new("recovered couplings", Axis::log("load P / N"), Axis::log("error γ"));
    let curves: [(&str, Color, Measure); 3] = [
        ("all pairs", Color::Black, |point| point.gamma),
        ("bonds", Color::Blue, |point| point.gamma_bonds),
        ("absent pairs", Color::Vermillion, |point| point.gamma_absent),
    ];
    for (name, color, measure) in curves {
        let curve = points.iter().map(|point| (load(config, point), measure(point))).collect();
        panel = panel.with(Series::new(name, Style::LineAndMarkers, color, curve));
    }
    if let Some(last) = points.last() {
        let (end, gamma) = (load(config, last), last.gamma);
        let line = [1.0 / 64.0, 1.0].map(|part| (part * end, gamma / f64::sqrt(part)));
        panel = panel.with(Series::new("P^(-1/2)", Style::Dashed, Color::Green, line.to_vec()));
    }
    let ends = points.first().zip(points.last()).map_or(String::new(), |(first, last)| {
        let [low, high] = [first, last].map(|point| load(config, point));
        format!(": {:.3} at load {low:.3}, {:.3} at load {high:.3}", first.gamma, last.gamma)
    });
    Figure::new(vec![panel]).with_caption(format!(
        "Error γ of the couplings recovered from samples against load, beside the slope −1/2{ends} (all pairs)."
    ))
}

/// The published overlap at a load, linear in ln P between the points on either side.
fn published_at(published: &[PublishedPoint], curve: &str, load: f64) -> Option<f64> {
    let curve: Vec<_> = published.iter().filter(|point| point.0 == curve).collect();
    let pair = curve.windows(2).find(|pair| pair[0].1 * 0.99 <= load && load <= pair[1].1 * 1.01)?;
    let share = libm::log(load / pair[0].1) / libm::log(pair[1].1 / pair[0].1);
    Some(pair[0].2 + (pair[1].2 - pair[0].2) * share.clamp(0.0, 1.0))
}

pub(super) fn summary(
    config: &SpinGlassConfig,
    data: &DataSet,
    points: &[Point],
    truth: f64,
) -> Result<String> {
    let published = published_points()?;
    let of_data = |entry: &str| data.provenance.get(entry).map_or("-", String::as_str);
    let mut text = format!(
        "Edwards-Anderson, L = {}, {} bonds, {} boundaries, T = {}\nenergy per spin {}; autocorrelation times {} sweeps \
         (energy), {} (overlap); {} sweeps apart; doubts of equilibrium: {}\nfinal overlap of test states under the true couplings: \
         {truth:.3}\n\n",
        config.side,
        of_data("bonds"),
        of_data("boundary"),
        config.temperature,
        of_data("train_energy_per_spin"),
        of_data("autocorrelation_energy_sweeps"),
        of_data("autocorrelation_overlap_sweeps"),
        of_data("spacing_sweeps"),
        of_data("equilibration_doubts"),
    );
    let compared = config.n_spins() == PUBLISHED_SPINS;
    text += "                ours                  published (read off the figure)\n";
    text += "      P  train   test  random   gamma    train   test  random\n";
    for point in points {
        let row: Vec<String> =
            CURVES.iter().map(|(_, _, measure)| format!("{:6.3}", measure(point))).collect();
        let theirs = CURVES.iter().map(|(curve, ..)| {
            let value = published_at(&published, curve, load(config, point)).filter(|_| compared);
            value.map_or("     -".to_owned(), |value| format!("{value:6.3}"))
        });
        let theirs: Vec<String> = theirs.collect();
        text += &format!(
            "{:7} {}  {:6.3}   {}\n",
            point.n_patterns,
            row.join(" "),
            point.gamma,
            theirs.join(" ")
        );
    }
    if !compared {
        text += &format!("published curves are of N = {PUBLISHED_SPINS}; the figure shows them\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between 1 and 100 half-way in the logarithm is 10; ends are taken as they are, what is beyond is not known.
    #[test]
    fn published_overlaps_are_read_between_points() {
        let points = [("a".to_owned(), 1.0, 0.2), ("b".to_owned(), 1.0, 0.9), ("a".to_owned(), 100.0, 0.4)];
        let at = |load| published_at(&points, "a", load);
        assert!((at(10.0).unwrap() - 0.3).abs() < 1e-12);
        assert_eq!((at(1.0), at(100.5), at(0.5), at(110.0)), (Some(0.2), Some(0.4), None, None));
        assert!(published_points().unwrap().len() > 100);
    }
}
