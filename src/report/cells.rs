//! Cells of a panel, coloured by their values, and the bar that says which colour is which value.

use kuva::render::color::Color as Ink;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::axes::{Axes, PLOT_HEIGHT, PLOT_WIDTH, TEXT_SIZE};
use super::canvas::add_text;
use super::panel::Cell;

/// Width of the bar and what surrounds it, to the right of a plot.
pub(super) const BAR_MARGIN: f64 = 52.0;
const BAR_WIDTH: f64 = 12.0;
const BAR_GAP: f64 = 8.0;
const BAR_STEPS: usize = 64;
/// Neighbours lap over so far, so that no seam shows between them.
const LAP: f64 = 0.3;

/// The colour map viridis at eighths (S. van der Walt, N. Smith): as light as the value, also without colour vision.
const VIRIDIS: [[f64; 3]; 9] = [
    [68.0, 1.0, 84.0],
    [71.0, 44.0, 122.0],
    [59.0, 81.0, 139.0],
    [44.0, 113.0, 142.0],
    [33.0, 144.0, 141.0],
    [39.0, 173.0, 129.0],
    [92.0, 200.0, 99.0],
    [170.0, 220.0, 50.0],
    [253.0, 231.0, 37.0],
];

/// Edges of cells around positive values on a log axis, `[n + 1]` of n: halfway between neighbours, and as far beyond the first and
/// last; sqrt(2) to both sides of a single one.
pub fn log_edges(values: &[f64]) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else { return Vec::new() };
    let between: Vec<f64> = values.windows(2).map(|pair| (pair[0] * pair[1]).sqrt()).collect();
    let step = |edge: Option<&f64>, end: f64| edge.map_or(std::f64::consts::SQRT_2, |edge| edge / end);
    let before = first / step(between.first(), first);
    let after = last * step(between.last().map(|edge| last / edge * last).as_ref(), last);
    std::iter::once(before).chain(between).chain([after]).collect()
}

/// Draws a cell; one without a finite value, or off the axes, is left out.
pub(super) fn add_cell(scene: &mut Scene, axes: &Axes, cell: &Cell) {
    let corners = (axes.place((cell.x.0, cell.y.0)), axes.place((cell.x.1, cell.y.1)));
    if let (true, (Some(low), Some(high))) = (cell.value.is_finite(), corners) {
        add_rectangle(scene, low, high, cell.value);
    }
}

/// Draws the bar of the values from 0 to 1 beside the plot.
pub(super) fn add_bar(scene: &mut Scene, axes: &Axes) {
    let (left, top) = axes.corner();
    let left = left + PLOT_WIDTH + BAR_GAP;
    let at = |step: usize| top + PLOT_HEIGHT * (1.0 - step as f64 / BAR_STEPS as f64);
    for step in 0..BAR_STEPS {
        let value = (step as f64 + 0.5) / BAR_STEPS as f64;
        add_rectangle(scene, (left, at(step)), (left + BAR_WIDTH, at(step + 1)), value);
    }
    let below = 0.35 * f64::from(TEXT_SIZE);
    for (text, height) in [("0", 0.0), ("0.5", 0.5), ("1", 1.0)] {
        let y = top + PLOT_HEIGHT * (1.0 - height) + below;
        add_text(scene, (left + BAR_WIDTH + 4.0, y), TextAnchor::Start, TEXT_SIZE, text);
    }
}

fn add_rectangle(scene: &mut Scene, a: (f64, f64), b: (f64, f64), value: f64) {
    scene.add(Primitive::Rect {
        x: a.0.min(b.0),
        y: a.1.min(b.1),
        width: (a.0 - b.0).abs() + LAP,
        height: (a.1 - b.1).abs() + LAP,
        fill: ink(value),
        stroke: None,
        stroke_width: None,
        opacity: None,
    });
}

/// The colour of a value, from 0 to 1.
fn ink(value: f64) -> Ink {
    let place = value.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let index = (place as usize).min(VIRIDIS.len() - 2);
    let part = place - index as f64;
    let channel = |channel: usize| {
        let (low, high) = (VIRIDIS[index][channel], VIRIDIS[index + 1][channel]);
        (low + part * (high - low)).round() as u8
    };
    Ink::Rgb(channel(0), channel(1), channel(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_halfway_between_values() {
        let edges = log_edges(&[1.0, 4.0, 64.0]);
        let expected = [0.5, 2.0, 16.0, 256.0];
        assert!(edges.iter().zip(expected).all(|(edge, expected)| (edge / expected - 1.0).abs() < 1e-12));
        assert_eq!(edges.len(), 4);
        let [low, high] = log_edges(&[3.0])[..] else { panic!("two edges of one cell") };
        assert!(low < 3.0 && high > 3.0);
        assert!(log_edges(&[]).is_empty());
    }

    #[test]
    fn colours_are_lighter_the_larger_the_value() {
        let lightness = |value: f64| match ink(value) {
            Ink::Rgb(r, g, b) => 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b),
            _ => f64::NAN,
        };
        assert!(
            (0..100).all(|step| lightness(f64::from(step) / 100.0) < lightness(f64::from(step + 1) / 100.0))
        );
        assert_eq!((lightness(-1.0), lightness(2.0)), (lightness(0.0), lightness(1.0)));
    }
}
