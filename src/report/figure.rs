//! [`Figure`]: curves in one panel or several side by side.

use std::path::Path;

use super::canvas;
use super::compose::compose;
use super::palette::Color;
use crate::error::Result;
use crate::storage::{Overwrite, write_bytes};

const OVERSAMPLING: u32 = 3;

/// Panels side by side. One panel suits a column of a paper, two or three its full width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    pub panels: Vec<Panel>,
}

/// One set of axes and what is drawn in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// Drawn in this order, each over the last.
    pub series: Vec<Series>,
    pub references: Vec<ReferenceLine>,
}

/// An axis of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    pub label: String,
    pub scale: Scale,
    /// Both ends; by default the axis holds all that is drawn. Points outside are not drawn, lines end at the frame.
    pub range: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    #[default]
    Linear,
    Log,
}

/// A named set of points. Points that are not finite, or not positive on a log axis, are left out and break a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend calls it; a series without a name is not in the legend.
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub style: Style,
    pub color: Color,
    pub spread: Spread,
}

/// How the points of a series are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Line,
    LineAndMarkers,
    /// Filled markers.
    Markers,
    /// For published points: larger than filled markers, so that a filled one inside stays visible.
    OpenMarkers,
    Dashed,
}

/// The uncertainty of a series as intervals (x, low, high).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Spread {
    #[default]
    None,
    /// A shaded band.
    Band(Vec<(f64, f64, f64)>),
    /// Error bars.
    Bars(Vec<(f64, f64, f64)>),
}

/// A straight line across the panel, named in the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceLine {
    pub name: String,
    pub position: Position,
}

/// Where a reference line stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Position {
    /// Upright, at this x.
    X(f64),
    /// Level, at this y.
    Y(f64),
}

impl Axis {
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Linear, range: None }
    }

    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log, range: None }
    }

    /// An axis of overlaps, 0 to 1 with room for a marker at 1.
    pub fn overlap(label: impl Into<String>) -> Self {
        Self::linear(label).with_range(0.0, 1.02)
    }

    pub fn with_range(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }
}

impl Panel {
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new(), references: Vec::new() }
    }

    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    pub fn with_reference(mut self, name: impl Into<String>, position: Position) -> Self {
        self.references.push(ReferenceLine { name: name.into(), position });
        self
    }
}

impl Series {
    pub fn new(name: impl Into<String>, style: Style, color: Color, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, style, color, spread: Spread::None }
    }

    /// A band of (x, low, high) behind the points.
    pub fn with_band(self, intervals: Vec<(f64, f64, f64)>) -> Self {
        Self { spread: Spread::Band(intervals), ..self }
    }

    /// Error bars from low to high, given as (x, low, high).
    pub fn with_error_bars(self, intervals: Vec<(f64, f64, f64)>) -> Self {
        Self { spread: Spread::Bars(intervals), ..self }
    }
}

impl Style {
    pub(super) fn has_markers(self) -> bool {
        matches!(self, Self::LineAndMarkers | Self::Markers | Self::OpenMarkers)
    }
}

impl Figure {
    /// A figure of these panels, from left to right.
    pub fn new(panels: Vec<Panel>) -> Self {
        Self { panels }
    }

    /// Writes `<stem>.svg` and `<stem>.png`, replacing files of those names.
    ///
    /// # Errors
    /// If there is no panel, an axis range is empty, not finite or not positive on a log axis, or a file cannot be
    /// written.
    pub fn write(&self, stem: &Path, overwrite: Overwrite) -> Result<()> {
        let scene = compose(&self.panels)?;
        write_bytes(&canvas::with_suffix(stem, "svg"), overwrite, canvas::svg(&scene).as_bytes())?;
        write_bytes(&canvas::with_suffix(stem, "png"), overwrite, &canvas::png(&scene, OVERSAMPLING)?)
    }

    /// The figure as an SVG document, set in the reader's fonts (DejaVu Sans if there is one).
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn svg(&self) -> Result<String> {
        compose(&self.panels).map(|scene| canvas::svg(&scene))
    }

    /// The figure as a PNG file of two pixels a unit of the SVG.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn png(&self) -> Result<Vec<u8>> {
        canvas::png(&compose(&self.panels)?, OVERSAMPLING)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::Error;
    use proptest::prelude::*;

    /// Two panels with all kinds of marks.
    pub fn curves() -> Figure {
        let points = |power: i32| (1..8).map(|x| (f64::from(x), f64::from(x).powi(power))).collect();
        let overlap = Panel::new("(a) recall", Axis::log("load α"), Axis::overlap("final overlap"))
            .with(Series::new("train", Style::LineAndMarkers, Color::TRAIN, points(-1)))
            .with(Series::new("published", Style::OpenMarkers, Color::TRAIN, points(-2)))
            .with_reference("capacity", Position::X(1.5));
        let count = Panel::new("(b) features", Axis::linear("epochs"), Axis::log("number")).with(
            Series::new("η < 1", Style::Dashed, Color::nth(1), points(3)).with_band(vec![(1.0, 0.0, 2.0)]),
        );
        Figure::new(vec![overlap, count])
    }

    fn one(style: Style, points: Vec<(f64, f64)>) -> String {
        let panel = Panel::new("", Axis::log("x"), Axis::log("y"));
        Figure::new(vec![panel.with(Series::new("", style, Color::Vermillion, points))]).svg().unwrap()
    }

    #[test]
    fn the_same_figure_has_the_same_bytes() {
        assert_eq!(curves().svg().unwrap(), curves().svg().unwrap());
        assert_eq!(curves().png().unwrap(), curves().png().unwrap());
    }

    #[test]
    fn all_texts_are_there_and_escaped() {
        let svg = curves().svg().unwrap();
        let texts = ["(a) recall", "(b) features", "load α", "final overlap", "epochs", "number"];
        for text in texts.into_iter().chain(["train", "published", "capacity", "η &lt; 1"]) {
            assert!(svg.contains(&format!(">{text}</text>")), "{text}");
        }
    }

    #[test]
    fn a_log_axis_leaves_out_what_it_has_no_place_for() {
        let good = vec![(1.0, 1.0), (2.0, 5.0), (4.0, 9.0)];
        let mut all = vec![(0.0, 1.0), (-3.0, 2.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (1.0, 0.0)];
        all.extend(&good);
        assert_eq!(one(Style::Markers, all), one(Style::Markers, good));
    }

    #[test]
    fn a_point_left_out_breaks_the_line() {
        let whole = one(Style::Line, vec![(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (5.0, 5.0)]);
        let broken = one(Style::Line, vec![(1.0, 1.0), (2.0, 2.0), (3.0, f64::NAN), (4.0, 4.0), (5.0, 5.0)]);
        let lines = |svg: &str| svg.matches(r##"stroke="#d55e00""##).count();
        assert_eq!((lines(&whole), lines(&broken)), (1, 2));
    }

    #[test]
    fn markers_outside_the_range_are_not_drawn() {
        let axis = || Axis::linear("").with_range(0.0, 1.0);
        let points = vec![(0.5, 0.5), (0.5, 1.0), (0.5, 1.5), (-0.5, 0.5)];
        let series = Series::new("", Style::Markers, Color::Blue, points);
        let svg = Figure::new(vec![Panel::new("", axis(), axis()).with(series)]).svg().unwrap();
        assert_eq!(svg.matches("<circle").count(), 2);
    }

    proptest! {
        #[test]
        fn any_numbers_can_be_drawn(points: Vec<(f64, f64)>, band: Vec<(f64, f64, f64)>, log_x: bool, log_y: bool) {
            let axis = |log| if log { Axis::log("x") } else { Axis::linear("y") };
            let panel = Panel::new("", axis(log_x), axis(log_y))
                .with(Series::new("", Style::Dashed, Color::Blue, points.clone()).with_band(band.clone()))
                .with(Series::new("", Style::LineAndMarkers, Color::Green, points).with_error_bars(band));
            let svg = Figure::new(vec![panel]).svg().unwrap();
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
    }

    #[test]
    fn a_panel_without_data_is_drawn_and_a_figure_without_panels_refused() {
        assert!(Figure::new(vec![Panel::default(), Panel::default()]).png().is_ok());
        assert!(matches!(Figure::default().svg().unwrap_err(), Error::Shape { .. }));
    }

    #[test]
    fn panels_of_the_same_series_share_a_legend() {
        let panel = curves().panels.swap_remove(0);
        let names = |figure: Figure| figure.svg().unwrap().matches(">published<").count();
        assert_eq!(names(Figure::new(vec![panel.clone(), panel.clone()])), 1);
        let other = panel.clone().with(Series::new("more", Style::Line, Color::Green, Vec::new()));
        assert_eq!(names(Figure::new(vec![panel, other])), 2);
    }
}
