//! [`Panel`]: one set of axes and the named series in it, in the field's terms.

use super::palette::Color;

/// One set of axes and what is drawn in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// Drawn below all else, with a bar of their colours beside the plot.
    pub cells: Vec<Cell>,
    /// Drawn in this order, each over the last.
    pub series: Vec<Series>,
    pub references: Vec<ReferenceLine>,
}

/// A rectangle between two x and two y whose colour tells a value from 0 to 1; one that is not finite is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub value: f64,
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
        Self { title: title.into(), x, y, cells: Vec::new(), series: Vec::new(), references: Vec::new() }
    }

    /// Cells below all else.
    pub fn with_cells(self, cells: Vec<Cell>) -> Self {
        Self { cells, ..self }
    }

    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Title, axes and what the legend names, in words.
    pub(super) fn description(&self) -> String {
        let drawn = self.series.iter().filter(|series| !series.points.is_empty());
        let series = drawn.map(|series| series.name.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in series.chain(self.references.iter().map(|line| line.name.as_str())) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let title = if self.title.is_empty() { String::new() } else { format!("{}: ", self.title) };
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let cells = if self.cells.is_empty() { "" } else { ", values as colours" };
        format!("{title}{} against {}{cells}{names}", self.y.label, self.x.label)
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
