//! The frame of a panel: axes, ticks, grid, labels and title as kuva draws them, and the map from data to the page.

use std::sync::Arc;

use kuva::render::axis::{add_axes_and_grid, add_labels_and_title};
use kuva::render::color::Color as Ink;
use kuva::render::layout::{AxisLabelOverlap, ComputedLayout, Layout, TickFormat};
use kuva::render::render::Scene;
use kuva::render::theme::Theme;

use super::canvas::{text_width, wrap_at};
use super::cells::BAR_MARGIN;
use super::marks::add_stroke;
use super::panel::{Panel, Position, Scale, Spread};
use super::scale::{Limits, TickLabels};
use crate::error::Result;

// A panel of 290 + 75 units printed 3.4 inches (245 pt) wide sets its smallest text in 9 pt.
pub(super) const PLOT_WIDTH: f64 = 290.0;
pub(super) const PLOT_HEIGHT: f64 = 225.0;
pub(super) const TEXT_SIZE: u32 = 14;
const LABEL_SIZE: u32 = 15;
const BLACK: Ink = Ink::Rgb(0, 0, 0);
const GRID: &str = "#e4e4e4";
const N_TICKS: usize = 5;
const TICK_LENGTH: f64 = 5.0;
const MINOR_TICK_LENGTH: f64 = 3.0;
/// Points off the page are drawn no further off than this, where the backends still compute exactly.
const FAR: f64 = 1e5;

/// The frame of one panel.
pub(super) struct Axes {
    layout: Layout,
    computed: ComputedLayout,
    x: Limits,
    y: Limits,
}

impl Axes {
    pub fn new(panel: &Panel) -> Result<Self> {
        let x = Limits::new(&panel.x, x_values(panel))?;
        let y = Limits::new(&panel.y, y_values(panel))?;
        let x_labels = x.tick_labels(N_TICKS, TEXT_SIZE, PLOT_WIDTH, true);
        let y_labels = y.tick_labels(N_TICKS, TEXT_SIZE, PLOT_HEIGHT, false);

        let mut layout = Layout::new(x.told_range(), y.told_range())
            .with_ticks(N_TICKS)
            .with_x_axis_min(x.told_range().0)
            .with_x_axis_max(x.told_range().1)
            .with_y_axis_min(y.told_range().0)
            .with_y_axis_max(y.told_range().1)
            .with_x_tick_format(tick_format(x_labels))
            .with_y_tick_format(tick_format(y_labels))
            .with_x_label_overlap(AxisLabelOverlap::Thin)
            .with_title_size(LABEL_SIZE)
            .with_label_size(LABEL_SIZE)
            .with_tick_size(TEXT_SIZE)
            .with_tick_length(TICK_LENGTH)
            .with_box_axes()
            .with_theme(Theme { grid_color: GRID.to_owned(), ..Theme::light() });
        layout.log_x = x.scale == Scale::Log;
        layout.log_y = y.scale == Scale::Log;
        // A title may stand out over both ends of the plot by what the margins hold on either side.
        for (text, length, target, wrap) in [
            (&panel.title, PLOT_WIDTH + 20.0, &mut layout.title, &mut layout.title_wrap),
            (&panel.x.label, PLOT_WIDTH + 20.0, &mut layout.x_label, &mut layout.x_label_wrap),
            (&panel.y.label, PLOT_HEIGHT + 20.0, &mut layout.y_label, &mut layout.y_label_wrap),
        ] {
            if !text.is_empty() {
                *target = Some(text.clone());
                *wrap = wrap_at(text, LABEL_SIZE, length);
            }
        }

        let mut computed = ComputedLayout::from_layout(&layout);
        // kuva makes room for labels in its own notation; ours are wider.
        let widest =
            |texts: Vec<String>| texts.iter().map(|text| text_width(text, TEXT_SIZE)).fold(0.0, f64::max);
        let y_label_width = widest(y.tick_texts(N_TICKS, y_labels));
        computed.margin_bottom -= 5.0;
        computed.margin_left += y_label_width - computed.y_tick_label_px;
        computed.y_tick_label_px = y_label_width;
        computed.margin_right =
            computed.margin_right.max(widest(x.tick_texts(N_TICKS, x_labels)) / 2.0 + 4.0);
        if !panel.cells.is_empty() {
            computed.margin_right = computed.margin_right.max(BAR_MARGIN);
        }
        Ok(Self { layout, computed, x, y })
    }

    /// Space above and below the plot that title and labels take.
    pub fn margins(&self) -> (f64, f64) {
        (self.computed.margin_top, self.computed.margin_bottom)
    }

    /// Sets those margins, so that the plots of several panels stand in line.
    pub fn set_margins(&mut self, (top, bottom): (f64, f64)) {
        // kuva keeps title and label at the edges of the page; they belong near the plot.
        self.computed.title_y += top - self.computed.margin_top;
        self.layout.x_label_offset.1 -= bottom - self.computed.margin_bottom;
        self.computed.margin_top = top;
        self.computed.margin_bottom = bottom;
        self.computed.width = self.computed.margin_left + PLOT_WIDTH + self.computed.margin_right;
        self.computed.height = top + PLOT_HEIGHT + bottom;
        self.computed.recompute_transforms();
    }

    pub fn width(&self) -> f64 {
        self.computed.width
    }

    pub fn height(&self) -> f64 {
        self.computed.height
    }

    /// Left and upper corner of the plot.
    pub fn corner(&self) -> (f64, f64) {
        (self.computed.margin_left, self.computed.margin_top)
    }

    /// Draws everything but the data.
    pub fn draw(&self, scene: &mut Scene) {
        add_axes_and_grid(scene, &self.computed, &self.layout);
        let (left, top) = self.corner();
        let bottom = top + PLOT_HEIGHT;
        for value in self.x.minor_ticks() {
            let x = self.computed.map_x(self.x.told(value));
            add_stroke(scene, &[(x, bottom), (x, bottom + MINOR_TICK_LENGTH)], BLACK, 1.0);
        }
        for value in self.y.minor_ticks() {
            let y = self.computed.map_y(self.y.told(value));
            add_stroke(scene, &[(left - MINOR_TICK_LENGTH, y), (left, y)], BLACK, 1.0);
        }
        add_labels_and_title(scene, &self.computed, &self.layout);
    }

    /// Where a point belongs on the page, inside the plot or not; none if an axis has no place for it.
    pub fn place(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        (self.x.drawable(x) && self.y.drawable(y)).then(|| {
            let (x, y) = (self.computed.map_x(self.x.told(x)), self.computed.map_y(self.y.told(y)));
            (x.clamp(-FAR, FAR), y.clamp(-FAR, FAR))
        })
    }

    /// Where an interval belongs; on a log axis one that reaches down to zero ends at the frame.
    pub fn place_interval(&self, (x, low, high): (f64, f64, f64)) -> Option<(f64, f64, f64)> {
        let low = if self.y.scale == Scale::Log && low <= 0.0 { self.y.low() } else { low };
        let (_, y_high) = self.place((x, high))?;
        self.place((x, low)).map(|(x, y_low)| (x, y_low, y_high))
    }

    /// Whether a point lies inside the plot.
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        self.x.contains(x) && self.y.contains(y)
    }

    /// The two ends of a line across the plot, if the plot holds it.
    pub fn across(&self, position: Position) -> Option<[(f64, f64); 2]> {
        let (left, top) = self.corner();
        match position {
            Position::X(value) => self.x.contains(value).then(|| {
                let x = self.computed.map_x(self.x.told(value));
                [(x, top), (x, top + PLOT_HEIGHT)]
            }),
            Position::Y(value) => self.y.contains(value).then(|| {
                let y = self.computed.map_y(self.y.told(value));
                [(left, y), (left + PLOT_WIDTH, y)]
            }),
        }
    }
}

fn tick_format(labels: TickLabels) -> TickFormat {
    TickFormat::Custom(Arc::new(move |tick| labels.text(tick)))
}

fn x_values(panel: &Panel) -> impl Iterator<Item = f64> {
    let points = panel.series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
    let lines = panel.references.iter().filter_map(|line| match line.position {
        Position::X(value) => Some(value),
        Position::Y(_) => None,
    });
    points.chain(lines).chain(panel.cells.iter().flat_map(|cell| [cell.x.0, cell.x.1]))
}

fn y_values(panel: &Panel) -> impl Iterator<Item = f64> {
    let points = panel.series.iter().flat_map(|series| {
        let intervals = match &series.spread {
            Spread::None => &[][..],
            Spread::Band(intervals) | Spread::Bars(intervals) => intervals,
        };
        let spread = intervals.iter().flat_map(|&(_, low, high)| match panel.y.scale {
            Scale::Linear => [low, high],
            // Mean minus deviation may come out near zero, which is no reason to show all decades down to it.
            Scale::Log => [low.max(0.1 * high), high],
        });
        series.points.iter().map(|point| point.1).chain(spread)
    });
    let lines = panel.references.iter().filter_map(|line| match line.position {
        Position::X(_) => None,
        Position::Y(value) => Some(value),
    });
    points.chain(lines).chain(panel.cells.iter().flat_map(|cell| [cell.y.0, cell.y.1]))
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Color, Series, Style};
    use super::*;

    fn axes(scale: Scale, intervals: &[(f64, f64, f64)]) -> Axes {
        let axis = |scale| Axis { label: "x".to_owned(), scale, range: None };
        let series = Series::new("", Style::Line, Color::Blue, Vec::new()).with_band(intervals.to_vec());
        let mut axes = Axes::new(&Panel::new("", axis(Scale::Linear), axis(scale)).with(series)).unwrap();
        axes.set_margins(axes.margins());
        axes
    }

    #[test]
    fn limits_hold_the_spread() {
        let linear = axes(Scale::Linear, &[(0.0, -3.0, -2.0), (1.0, -1.0, 4.0)]);
        assert!(linear.contains((0.5, -3.0)) && linear.contains((0.5, 4.0)));
    }

    #[test]
    fn a_spread_down_to_zero_ends_at_the_frame_of_a_log_axis() {
        let log = axes(Scale::Log, &[(0.5, 0.0, 2.0), (0.5, 1e-17, 3.0)]);
        assert!(log.contains((0.5, 0.2)) && !log.contains((0.5, 0.1)));
        let (_, low, high) = log.place_interval((0.5, 0.0, 2.0)).unwrap();
        assert!((low - (log.corner().1 + PLOT_HEIGHT)).abs() < 1e-9 && high < low);
    }

    #[test]
    fn values_far_below_what_kuva_draws_keep_their_place() {
        // Equal ratios are equal distances on a log axis; the tolerance is rounding of coordinates near 100.
        let log = axes(Scale::Log, &[(0.0, 1e-17, 1e-16), (0.0, 1e-14, 1e-13)]);
        let y = |value| log.place((0.0, value)).unwrap().1;
        assert!((y(1e-16) - y(1e-15) - (y(1e-15) - y(1e-14))).abs() < 1e-9);
        assert!(y(1e-16) - y(1e-15) > 10.0);
    }

    #[test]
    fn panels_with_common_margins_have_their_plots_in_line() {
        let mut titled = Axes::new(&Panel::new("title", Axis::default(), Axis::default())).unwrap();
        let mut bare = Axes::new(&Panel::default()).unwrap();
        let margins = (titled.margins().0.max(bare.margins().0), titled.margins().1.max(bare.margins().1));
        titled.set_margins(margins);
        bare.set_margins(margins);
        assert_eq!((titled.corner(), titled.height()), (bare.corner(), bare.height()));
    }
}
