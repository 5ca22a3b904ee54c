//! The marks a series is made of: strokes, bands, error bars, markers. Coordinates are those of the scene.

use std::f64::consts::TAU;
use std::fmt::Write;

use kuva::render::color::Color as Ink;
use kuva::render::render::{PathData, Primitive, Scene, build_path};

use super::palette::Color;

const LINE_WIDTH: f64 = 1.8;
const MARKER_RADIUS: f64 = 3.2;
/// Open markers are larger than filled ones: a published point stays visible as a ring around ours.
const OPEN_MARKER_RADIUS: f64 = 4.8;
const OPEN_MARKER_WIDTH: f64 = 1.3;
const BAND_OPACITY: f64 = 0.18;
const CAP: f64 = 3.0;
const DASHES: [f64; 2] = [7.0, 4.0]; // drawn, left out

type Point = (f64, f64);

/// A solid line through the points.
pub(super) fn add_line(scene: &mut Scene, points: &[Point], color: Color) {
    add_stroke(scene, points, color.ink(), LINE_WIDTH);
}

/// A dashed line through the points.
pub(super) fn add_dashed_line(scene: &mut Scene, points: &[Point], color: Color) {
    add_dashes(scene, points, &DASHES, color.ink(), LINE_WIDTH);
}

/// A solid line through the points; a lone point becomes a dot, so that it is not lost.
pub(super) fn add_stroke(scene: &mut Scene, points: &[Point], ink: Ink, width: f64) {
    match *points {
        [] => {}
        [(cx, cy)] => scene.add(Primitive::Circle {
            cx,
            cy,
            r: width,
            fill: ink,
            fill_opacity: None,
            stroke: None,
            stroke_width: None,
        }),
        // kuva rounds the ends of the general case in one format only, which shows in dots and short dashes.
        [(x1, y1), (x2, y2)] => scene.add(Primitive::Line {
            x1,
            y1,
            x2,
            y2,
            stroke: ink,
            stroke_width: width,
            stroke_dasharray: None,
        }),
        _ => scene.add(Primitive::PolyLine {
            points: points.to_vec(),
            stroke: ink,
            stroke_width: width,
            stroke_dasharray: None,
        }),
    }
}

/// A line through the points of which lengths are drawn and left out in turn.
///
/// It is cut here: kuva's PNG backend starts a dash pattern anew in every segment, and a curve of many short segments
/// would come out solid.
pub(super) fn add_dashes(scene: &mut Scene, points: &[Point], dashes: &[f64], ink: Ink, width: f64) {
    if points.len() == 1 {
        return add_stroke(scene, points, ink, width);
    }
    let mut lengths = dashes.iter().copied().cycle();
    let mut left = lengths.next().unwrap_or(f64::INFINITY);
    let mut drawing = true;
    let mut dash: Vec<Point> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let corner = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            if drawing {
                dash.push(corner);
                add_stroke(scene, &dash, ink.clone(), width);
            }
            dash = vec![corner];
            drawing = !drawing;
            left = lengths.next().unwrap_or(f64::INFINITY);
        }
        left -= length - done;
        if drawing {
            dash.push((x1, y1));
        }
    }
    if drawing && dash.len() > 1 {
        add_stroke(scene, &dash, ink, width);
    }
}

/// The area between `(x, low, high)`; a lone one becomes an error bar.
pub(super) fn add_band(scene: &mut Scene, band: &[(f64, f64, f64)], color: Color) {
    if let [bar] = band {
        return add_error_bar(scene, *bar, color);
    }
    let upper = band.iter().map(|&(x, _, high)| (x, high));
    let lower = band.iter().rev().map(|&(x, low, _)| (x, low));
    let outline: Vec<Point> = upper.chain(lower).collect();
    add_path(scene, build_path(&outline) + "Z", Some((color.ink(), BAND_OPACITY)), Ink::None, 0.0);
}

/// A vertical bar with caps.
pub(super) fn add_error_bar(scene: &mut Scene, (x, low, high): (f64, f64, f64), color: Color) {
    for (from, to) in
        [((x, low), (x, high)), ((x - CAP, low), (x + CAP, low)), ((x - CAP, high), (x + CAP, high))]
    {
        add_stroke(scene, &[from, to], color.ink(), 1.0);
    }
}

/// The colour's marker, filled or open.
pub(super) fn add_marker(scene: &mut Scene, (cx, cy): Point, color: Color, open: bool) {
    let outline = color.outline();
    let radius = if open { OPEN_MARKER_RADIUS } else { MARKER_RADIUS };
    if outline.corners == 0 {
        return scene.add(Primitive::Circle {
            cx,
            cy,
            r: radius,
            fill: if open { Ink::None } else { color.ink() },
            fill_opacity: None,
            stroke: open.then(|| color.ink()),
            stroke_width: open.then_some(OPEN_MARKER_WIDTH),
        });
    }
    let mut path = String::new();
    for corner in 0..outline.corners {
        let (sin, cos) = ((corner as f64 / outline.corners as f64 + outline.first) * TAU).sin_cos();
        let reach = radius * outline.radius;
        let command = if corner == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{:.2},{:.2} ", cx + reach * sin, cy - reach * cos);
    }
    path.push('Z');
    match open {
        true => add_path(scene, path, None, color.ink(), OPEN_MARKER_WIDTH),
        false => add_path(scene, path, Some((color.ink(), 1.0)), Ink::None, 0.0),
    }
}

fn add_path(scene: &mut Scene, d: String, fill: Option<(Ink, f64)>, stroke: Ink, stroke_width: f64) {
    let (fill, opacity) = fill.unzip();
    scene.add(Primitive::Path(Box::new(PathData {
        d,
        fill,
        stroke,
        stroke_width,
        opacity,
        stroke_dasharray: None,
    })));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dashes(points: &[Point]) -> Vec<Vec<Point>> {
        let mut scene = Scene::new(1.0, 1.0);
        add_dashed_line(&mut scene, points, Color::Blue);
        let strokes = scene.elements.into_iter().filter_map(|element| match element {
            Primitive::PolyLine { points, .. } => Some(points),
            Primitive::Line { x1, y1, x2, y2, .. } => Some(vec![(x1, y1), (x2, y2)]),
            _ => None,
        });
        strokes.collect()
    }

    fn length(dash: &[Point]) -> f64 {
        dash.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum()
    }

    #[test]
    fn dashes_do_not_depend_on_where_a_line_has_points() {
        let coarse = dashes(&[(0.0, 0.0), (100.0, 0.0)]);
        let fine = dashes(&(0..=400).map(|i| (f64::from(i) / 4.0, 0.0)).collect::<Vec<_>>());
        assert_eq!(coarse.len(), 10); // 9 periods of 11 and one dash of the rest
        assert_eq!(fine.len(), coarse.len());
        // Quarters are exact, the sums of up to 400 of them too.
        for (one, other) in coarse.iter().zip(&fine) {
            assert_eq!((one[0], one.last()), (other[0], other.last()));
        }
    }

    #[test]
    fn dashes_follow_corners() {
        let drawn = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 30.0)]);
        assert_eq!(drawn[0], [(0.0, 0.0), (5.0, 0.0), (5.0, 2.0)]);
        assert_eq!(length(&drawn[0]), DASHES[0]);
        assert_eq!(drawn[1][0], (5.0, 6.0));
    }
}
