//! Ours, means over the samples, beside the published curves: tables, figure, summary.

use super::{Point, ProteinsConfig, VARIANTS};
use crate::error::Result;
use crate::experiments::mean::Mean;
use crate::experiments::published::{Difference, PublishedPoint, SOURCE, published};
use crate::experiments::samples::curve_of_means;
use crate::potts::PottsObservables;
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/proteins.csv");

/// Loads within this factor count as the same: half of the distance between the published ones.
const SAME_LOAD: f64 = 1.13;

/// Kinds of sequences, and the colours of their curves.
const KINDS: [(&str, Color); 2] = [("train", Color::TRAIN), ("test", Color::TEST)];

pub(super) struct Comparison<'a> {
    config: &'a ProteinsConfig,
    points: &'a [Point],
    identity: Option<f64>,
    published: Vec<PublishedPoint>, // curve, load, overlap
}

/// The published curve that a variant is compared with.
fn published_name(kind: &str, variant: usize) -> String {
    format!("{kind}_{}", if variant == 0 { "asym" } else { "sym" })
}

/// One row a sample, load and variant, all observables.
pub(super) fn observables(points: &[Point]) -> Table {
    let columns = ["variant", "sample", "sequences", "load"].into_iter().chain(PottsObservables::COLUMNS);
    let mut table = Table::new(columns);
    for point in points {
        for (variant, observed) in VARIANTS.iter().zip(&point.observed) {
            let place = vec![
                (*variant).to_owned(),
                point.sample.to_string(),
                point.n_sequences.to_string(),
                point.load.to_string(),
            ];
            table.push([place, observed.values()].concat());
        }
    }
    table
}

impl<'a> Comparison<'a> {
    /// Of points whose samples are slowest; `identity` is the mean one of pairs of training sequences.
    pub(super) fn new(
        config: &'a ProteinsConfig,
        points: &'a [Point],
        identity: Option<f64>,
    ) -> Result<Self> {
        let published = published("data/reference/proteins.csv", PUBLISHED)?;
        Ok(Self { config, points, identity, published })
    }

    /// The points of the first sample, one a load.
    fn places(&self) -> &'a [Point] {
        &self.points[..self.config.sequences.len()]
    }

    /// Mean final overlap of a kind of sequences at the load with this index.
    fn mean(&self, index: usize, kind: &str, variant: usize) -> Option<Mean> {
        let overlap = |point: &Point| {
            let overlap = &point.observed[variant].overlap;
            if kind == "train" { Some(overlap.train) } else { overlap.test }
        };
        let samples = self.points.iter().skip(index).step_by(self.config.sequences.len());
        let overlaps: Vec<f64> = samples.filter_map(overlap).collect();
        (!overlaps.is_empty()).then(|| Mean::of(&overlaps))
    }

    /// Loads and mean final overlaps of a kind of sequences.
    fn ours(&self, kind: &str, variant: usize) -> Vec<(f64, Mean)> {
        let places = self.places().iter().enumerate();
        places.filter_map(|(index, point)| Some((point.load, self.mean(index, kind, variant)?))).collect()
    }

    /// All curves: kind and variant.
    fn curves() -> impl Iterator<Item = (&'static str, usize)> {
        KINDS.iter().flat_map(|&(kind, _)| (0..VARIANTS.len()).map(move |variant| (kind, variant)))
    }

    /// How far each curve is from that of the other family.
    fn differences(&self) -> impl Iterator<Item = (&'static str, &'static str, Difference)> {
        Self::curves().filter_map(|(kind, variant)| {
            let pair =
                |(load, ours): (f64, Mean)| Some((ours.value, self.published_at(kind, variant, load)?));
            let pairs = self.ours(kind, variant).into_iter().filter_map(pair);
            Some((kind, VARIANTS[variant], Difference::of(pairs)?))
        })
    }

    /// Key figures for the manifest, by name.
    pub(super) fn named(&self) -> Vec<(String, f64)> {
        let named = self.differences().flat_map(|(kind, variant, difference)| {
            [("largest", difference.largest), ("mean", difference.mean)]
                .map(|(what, value)| (format!("{what}_difference_{kind}_{variant}"), value))
        });
        named.collect()
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

    /// One row a curve and load.
    pub(super) fn table(&self) -> Table {
        let mut table =
            Table::new(["curve", "variant", "load", "overlap", "error", "published_other_family"]);
        let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for (kind, variant) in Self::curves() {
            for (load, overlap) in self.ours(kind, variant) {
                table.push(vec![
                    kind.to_owned(),
                    VARIANTS[variant].to_owned(),
                    load.to_string(),
                    overlap.value.to_string(),
                    text((self.config.n_samples > 1).then_some(overlap.error)),
                    text(self.published_at(kind, variant, load)),
                ]);
            }
        }
        table
    }

    /// A panel for asymmetric couplings and one for symmetric ones.
    pub(super) fn figure(&self) -> Figure {
        let panel = |title, variants: &[(usize, Style)]| {
            let overlap = Axis::linear("final overlap").with_range(0.0, 1.02);
            let mut panel = Panel::new(title, Axis::log("load P / L"), overlap);
            for (kind, color) in KINDS {
                for &(variant, style) in variants {
                    let name = format!("{kind}, {}", VARIANTS[variant]);
                    panel = panel.with(curve_of_means(name, style, color, &self.ours(kind, variant)));
                }
                let curve = published_name(kind, variants[0].0);
                let published = self.published.iter().filter(|point| point.0 == curve);
                let published = published.map(|point| (point.1, point.2)).collect();
                let name = format!("{kind}, another family, {SOURCE}");
                panel = panel.with(Series::new(name, Style::OpenMarkers, color, published));
            }
            let loads = self.places().iter().map(|point| point.load);
            let ends = loads.clone().reduce(f64::min).zip(loads.reduce(f64::max));
            if let Some(((first, last), identity)) = ends.zip(self.identity) {
                let line = vec![(first, identity), (last, identity)];
                panel = panel.with(Series::new("mean pairwise identity", Style::Dashed, Color::RANDOM, line));
            }
            panel
        };
        let last = |kind, variant| self.ours(kind, variant).last().map_or(f64::NAN, |point| point.1.value);
        let largest = self.points.last().map_or(f64::NAN, |point| point.load);
        let panels = vec![
            panel("asymmetric", &[(0, Style::LineAndMarkers)]),
            panel("symmetric", &[(1, Style::LineAndMarkers), (2, Style::Dashed)]),
        ];
        let identity = self.identity.map_or(String::new(), |identity| {
            format!(", where two of the family agree in {:.1} % of their letters", 100.0 * identity)
        });
        let bands = match self.config.n_samples {
            1 => String::new(),
            n_samples => format!("; means of {n_samples} samples, bands of one standard error"),
        };
        Figure::new(panels).with_caption(format!(
            "Final overlaps of training and test sequences against load under asymmetric (left) and symmetric couplings (right), open \
             markers of another family as published: at load {largest:.2} asymmetric couplings keep {:.3} of training and {:.3} of test \
             sequences{identity}{bands}.",
            last("train", 0),
            last("test", 0)
        ))
    }

    pub(super) fn summary(&self) -> String {
        let mut text = match self.config.n_samples {
            1 => String::new(),
            n_samples => {
                let means = Self::curves().flat_map(|(kind, variant)| self.ours(kind, variant));
                let largest = means.map(|(_, mean)| mean.error).fold(0.0, f64::max);
                format!("means of {n_samples} samples, with standard errors of at most {largest:.3}\n\n")
            }
        };
        text += "             asymmetric     symmetrized      symmetric    another family, published: asym, sym\n\
                 \x20     P    train   test   train   test   train   test   train   test   train   test\n";
        let number = |value: Option<f64>| value.map_or("      -".to_owned(), |value| format!("{value:7.3}"));
        for (index, point) in self.places().iter().enumerate() {
            let ours = (0..VARIANTS.len()).map(|variant| {
                let at = |kind| number(self.mean(index, kind, variant).map(|mean| mean.value));
                format!(" {}{}", at("train"), at("test"))
            });
            let published = [0, 1].map(|variant| {
                let at = |kind| number(self.published_at(kind, variant, point.load));
                format!(" {}{}", at("train"), at("test"))
            });
            text += &format!("{:7} ", point.n_sequences);
            text.extend(ours.chain(published));
            text += "\n";
        }
        for (kind, variant, difference) in self.differences() {
            text += &format!("{kind}, {variant}, beside another family: {difference}\n");
        }
        text
    }
}
