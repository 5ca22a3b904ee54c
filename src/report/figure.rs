//! [`Figure`]: curves in one panel or several.

use std::path::Path;

use super::canvas;
use super::compose::compose;
use super::panel::Panel;
use crate::error::Result;
use crate::storage::{Overwrite, write_bytes};

const OVERSAMPLING: u32 = 3;

/// Panels side by side, more than three in two rows. One panel suits a column of a paper, two or three its full width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    pub panels: Vec<Panel>,
    /// One sentence that says what is seen; not drawn.
    pub caption: String,
}

impl Figure {
    /// A figure of these panels, from left to right, then down.
    pub fn new(panels: Vec<Panel>) -> Self {
        Self { panels, caption: String::new() }
    }

    /// The same with a sentence that says what is seen.
    pub fn with_caption(self, caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..self }
    }

    /// Panels, axes and curves in words, for who does not see the figure.
    pub fn description(&self) -> String {
        let panels: Vec<String> = self.panels.iter().map(Panel::description).collect();
        panels.join("; ")
    }

    /// Writes `<stem>.svg` and `<stem>.png`, atomically.
    ///
    /// # Errors
    /// If there is no panel, an axis range is empty, not finite or not positive on a log axis, or a file cannot be
    /// written or exists and may not be replaced.
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
    use super::super::palette::Color;
    use super::super::panel::{Axis, Position, Series, Style};
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
    fn a_description_names_panels_axes_and_curves_once() {
        let mut figure = curves();
        let again = figure.panels[0].series[0].clone();
        figure.panels[0].series.push(again);
        let expected = "(a) recall: final overlap against load α (train, published, capacity); \
                        (b) features: number against epochs (η < 1)";
        assert_eq!(figure.description(), expected);
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
