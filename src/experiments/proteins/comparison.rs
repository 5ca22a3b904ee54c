//! Ours beside the published curves: tables, figure, summary.

use super::super::published::{PublishedPoint, published};
use super::{Point, VARIANTS};
use crate::error::Result;
use crate::potts::PottsObservables;
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/proteins.csv");

/// Loads within this factor count as the same: half of the distance between the published ones.
const SAME_LOAD: f64 = 1.13;

pub(super) struct Comparison<'a> {
    points: &'a [Point],
    identity: Option<f64>,
    published: Vec<PublishedPoint>, // curve, load, overlap
}

/// The published curve that a variant is compared with.
fn published_name(kind: &str, variant: usize) -> String {
    format!("{kind}_{}", if variant == 0 { "asym" } else { "sym" })
}

/// One row a load and variant, all observables.
pub(super) fn observables(points: &[Point]) -> Table {
    let columns = ["variant", "sequences", "load"].into_iter().chain(PottsObservables::COLUMNS);
    let mut table = Table::new(columns);
    for point in points {
        for (variant, observed) in VARIANTS.iter().zip(&point.observed) {
            let place = [(*variant).to_owned(), point.n_sequences.to_string(), point.load.to_string()];
            table.push([place.to_vec(), observed.values()].concat());
        }
    }
    table
}

impl<'a> Comparison<'a> {
    pub(super) fn new(points: &'a [Point], identity: Option<f64>) -> Result<Self> {
        let published = published("data/reference/proteins.csv", PUBLISHED)?;
        Ok(Self { points, identity, published })
    }

    /// Loads and final overlaps of a kind of sequences, train or test.
    fn ours(&self, kind: &str, variant: usize) -> Vec<(f64, f64)> {
        let overlap = |point: &Point| {
            let overlap = &point.observed[variant].overlap;
            let overlap = if kind == "train" { Some(overlap.train) } else { overlap.test };
            overlap.map(|overlap| (point.load, overlap))
        };
        self.points.iter().filter_map(overlap).collect()
    }

    fn published_at(&self, kind: &str, variant: usize, load: f64) -> Option<f64> {
        let name = published_name(kind, variant);
        let near = |point: &&PublishedPoint| {
            point.0 == name && (1.0 / SAME_LOAD..SAME_LOAD).contains(&(point.1 / load))
        };
        let distance = |point: &PublishedPoint| (point.1 / load).ln().abs();
        let nearest = self.published.iter().filter(near).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map(|point| point.2)
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(["curve", "variant", "load", "overlap", "published_other_family"]);
        for kind in ["train", "test"] {
            for (index, variant) in VARIANTS.iter().enumerate() {
                for (load, overlap) in self.ours(kind, index) {
                    let published = self.published_at(kind, index, load);
                    table.push(vec![
                        kind.to_owned(),
                        (*variant).to_owned(),
                        load.to_string(),
                        overlap.to_string(),
                        published.map_or(String::new(), |overlap| overlap.to_string()),
                    ]);
                }
            }
        }
        table
    }

    /// A panel for asymmetric couplings and one for symmetric ones.
    pub(super) fn figure(&self) -> Figure {
        let panel = |title, variants: &[(usize, Style)]| {
            let overlap = Axis::linear("final overlap").with_range(0.0, 1.02);
            let mut panel = Panel::new(title, Axis::log("load P / L"), overlap);
            for (kind, color) in [("train", Color::TRAIN), ("test", Color::TEST)] {
                for &(variant, style) in variants {
                    let name = format!("{kind}, {}", VARIANTS[variant]);
                    panel = panel.with(Series::new(name, style, color, self.ours(kind, variant)));
                }
                let curve = published_name(kind, variants[0].0);
                let published = self.published.iter().filter(|point| point.0 == curve);
                let published = published.map(|point| (point.1, point.2)).collect();
                let name = format!("{kind}, another family, arXiv:2507.05147");
                panel = panel.with(Series::new(name, Style::OpenMarkers, color, published));
            }
            let loads = self.points.iter().map(|point| point.load);
            let ends = loads.clone().reduce(f64::min).zip(loads.reduce(f64::max));
            if let Some(((first, last), identity)) = ends.zip(self.identity) {
                let line = vec![(first, identity), (last, identity)];
                panel = panel.with(Series::new("mean pairwise identity", Style::Dashed, Color::RANDOM, line));
            }
            panel
        };
        let last = |kind, variant| self.ours(kind, variant).last().map_or(f64::NAN, |point| point.1);
        let largest = self.points.last().map_or(f64::NAN, |point| point.load);
        let panels = vec![
            panel("asymmetric", &[(0, Style::LineAndMarkers)]),
            panel("symmetric", &[(1, Style::LineAndMarkers), (2, Style::Dashed)]),
        ];
        let identity = self.identity.map_or(String::new(), |identity| {
            format!(", where two of the family agree in {:.1} % of their letters", 100.0 * identity)
        });
        Figure::new(panels).with_caption(format!(
            "Final overlaps of training and test sequences against load under asymmetric (left) and symmetric couplings (right), open \
             markers of another family as published: at load {largest:.2} asymmetric couplings keep {:.3} of training and {:.3} of test \
             sequences{identity}.",
            last("train", 0),
            last("test", 0)
        ))
    }

    pub(super) fn summary(&self) -> String {
        let mut text = "             asymmetric     symmetrized      symmetric    another family, published: asym, sym\n\
                        \x20     P    train   test   train   test   train   test   train   test   train   test\n"
            .to_owned();
        let number = |value: Option<f64>| value.map_or("      -".to_owned(), |value| format!("{value:7.3}"));
        for point in self.points {
            let ours = point.observed.iter().map(|observed| {
                format!(" {}{}", number(Some(observed.overlap.train)), number(observed.overlap.test))
            });
            let published = [0, 1].map(|variant| {
                let at = |kind| number(self.published_at(kind, variant, point.load));
                format!(" {}{}", at("train"), at("test"))
            });
            text += &format!("{:7} ", point.n_sequences);
            text.extend(ours.chain(published));
            text += "\n";
        }
        text
    }
}
