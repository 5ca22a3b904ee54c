//! The legend: one sample and one name a series, in columns below the panels, where it covers neither data nor text.

use kuva::render::color::Color as Ink;
use kuva::render::render::{Scene, TextAnchor};

use super::axes::TEXT_SIZE;
use super::canvas::{add_text, text_width};
use super::marks;
use super::palette::Color;
use super::panel::{Panel, Position, Spread, Style};

const SAMPLE: f64 = 30.0;
const SAMPLE_GAP: f64 = 7.0;
const COLUMN_GAP: f64 = 18.0;
const ROW: f64 = 20.0;
/// Free space above and below.
const PAD: f64 = 8.0;

const REFERENCE_INK: Ink = Ink::Rgb(0x55, 0x55, 0x55);
const REFERENCE_WIDTH: f64 = 1.4;
const REFERENCE_DASHES: [&[f64]; 4] =
    [&[2.0, 3.0], &[9.0, 3.0, 2.0, 3.0], &[12.0, 4.0], &[9.0, 3.0, 2.0, 3.0, 2.0, 3.0]];

/// Draws the reference line with this index in its panel; neighbours differ in their dashes.
pub(super) fn add_reference(scene: &mut Scene, ends: [(f64, f64); 2], index: usize) {
    let dashes = REFERENCE_DASHES[index % REFERENCE_DASHES.len()];
    marks::add_dashes(scene, &ends, dashes, REFERENCE_INK, REFERENCE_WIDTH);
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    name: String,
    sample: Sample,
}

#[derive(Clone, Debug, PartialEq)]
enum Sample {
    Series { style: Style, color: Color, band: bool },
    Reference { index: usize, upright: bool },
}

/// The named series and reference lines of a panel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Legend {
    entries: Vec<Entry>,
}

impl Legend {
    pub fn of(panel: &Panel) -> Self {
        let series = panel.series.iter().map(|series| Entry {
            name: series.name.clone(),
            sample: Sample::Series {
                style: series.style,
                color: series.color,
                band: matches!(series.spread, Spread::Band(_)),
            },
        });
        let references = panel.references.iter().enumerate().map(|(index, line)| Entry {
            name: line.name.clone(),
            sample: Sample::Reference { index, upright: matches!(line.position, Position::X(_)) },
        });
        Self { entries: series.chain(references).filter(|entry| !entry.name.is_empty()).collect() }
    }

    /// The least width it can be drawn in.
    pub fn least_width(&self) -> f64 {
        self.column_widths(1).iter().sum()
    }

    pub fn height(&self, width: f64) -> f64 {
        match self.n_rows(self.n_columns(width)) {
            0 => 0.0,
            n_rows => n_rows as f64 * ROW + 2.0 * PAD,
        }
    }

    /// Draws it in the strip from `left` to `left + width`, around `centre` as far as the strip allows.
    pub fn draw(&self, scene: &mut Scene, (left, top): (f64, f64), width: f64, centre: f64) {
        let n_columns = self.n_columns(width);
        let widths = self.column_widths(n_columns);
        let total: f64 = widths.iter().sum();
        let start = (centre - total / 2.0).min(left + width - total).max(left);
        for (index, entry) in self.entries.iter().enumerate() {
            let (column, row) = (index / self.n_rows(n_columns), index % self.n_rows(n_columns));
            let x = start + widths[..column].iter().sum::<f64>();
            let y = top + PAD + (row as f64 + 0.5) * ROW;
            entry.sample.draw(scene, (x, y));
            // The middle of small letters and capitals lies about a third of the size above the baseline.
            let baseline = y + 0.35 * f64::from(TEXT_SIZE);
            add_text(scene, (x + SAMPLE + SAMPLE_GAP, baseline), TextAnchor::Start, TEXT_SIZE, &entry.name);
        }
    }

    fn n_rows(&self, n_columns: usize) -> usize {
        self.entries.len().div_ceil(n_columns)
    }

    /// As many columns as fit; entries run down the columns, so that what is listed together stays together.
    fn n_columns(&self, width: f64) -> usize {
        let fits = |n_columns: &usize| self.column_widths(*n_columns).iter().sum::<f64>() <= width;
        (1..=self.entries.len()).rev().find(fits).unwrap_or(1)
    }

    fn column_widths(&self, n_columns: usize) -> Vec<f64> {
        let columns = self.entries.chunks(self.n_rows(n_columns).max(1));
        columns
            .map(|column| {
                let widest =
                    column.iter().map(|entry| text_width(&entry.name, TEXT_SIZE)).fold(0.0, f64::max);
                SAMPLE + SAMPLE_GAP + widest + COLUMN_GAP
            })
            .collect()
    }
}

impl Sample {
    fn draw(&self, scene: &mut Scene, (x, y): (f64, f64)) {
        let middle = (x + SAMPLE / 2.0, y);
        let line = [(x, y), (x + SAMPLE, y)];
        match *self {
            Self::Series { style, color, band } => {
                if band {
                    marks::add_band(scene, &[(x, y - 6.0, y + 6.0), (x + SAMPLE, y - 6.0, y + 6.0)], color);
                }
                match style {
                    Style::Line | Style::LineAndMarkers => marks::add_line(scene, &line, color),
                    Style::Dashed => marks::add_dashed_line(scene, &line, color),
                    Style::Markers | Style::OpenMarkers => {}
                }
                if style.has_markers() {
                    marks::add_marker(scene, middle, color, style == Style::OpenMarkers);
                }
            }
            Self::Reference { index, upright: false } => add_reference(scene, line, index),
            Self::Reference { index, upright: true } => {
                let half = ROW / 2.0 - 1.0;
                add_reference(scene, [(middle.0, y - half), (middle.0, y + half)], index);
            }
        }
    }
}
