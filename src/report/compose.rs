//! A figure's panels put together on a page: plots in line, data in layers, legends below.

use kuva::render::render::{Primitive, Scene};

use super::axes::{Axes, PLOT_HEIGHT, PLOT_WIDTH};
use super::legend::{Legend, add_reference};
use super::panel::{Panel, Spread, Style};
use super::{canvas, cells, marks};
use crate::error::{Error, Result};

/// Space between panels.
const GUTTER: f64 = 14.0;

/// Up to so many panels stand in one row; more in two.
const ROW: usize = 3;

/// The page of these panels, from left to right, then down.
pub(super) fn compose(panels: &[Panel]) -> Result<Scene> {
    let mut axes = panels.iter().map(Axes::new).collect::<Result<Vec<_>>>()?;
    let larger = |a: (f64, f64), b: (f64, f64)| (a.0.max(b.0), a.1.max(b.1));
    let margins = axes.iter().map(Axes::margins).fold((0.0, 0.0), larger);
    axes.iter_mut().for_each(|axes| axes.set_margins(margins));
    let height = axes.first().map(Axes::height).ok_or_else(|| Error::shape("figure", "a panel", "none"))?;

    let n_columns = if panels.len() > ROW { panels.len().div_ceil(2) } else { panels.len() };
    let legends: Vec<Legend> = panels.iter().map(Legend::of).collect();
    // Panels that show the same series share one legend.
    let shared = legends.len() > 1 && legends.iter().all(|legend| *legend == legends[0]);
    let widths: Vec<f64> = match shared {
        true => axes.iter().map(Axes::width).collect(),
        false => {
            axes.iter().zip(&legends).map(|(axes, legend)| axes.width().max(legend.least_width())).collect()
        }
    };
    let width_of = |column: usize| widths.iter().skip(column).step_by(n_columns).copied().fold(0.0, f64::max);
    let columns: Vec<f64> = (0..n_columns).map(width_of).collect();
    let width = columns.iter().sum::<f64>() + GUTTER * (n_columns - 1) as f64;
    let width = if shared { width.max(legends[0].least_width()) } else { width };
    // Legends of their own stand below the panels of each row, a shared one below all.
    let legend_heights: Vec<f64> = legends
        .chunks(n_columns)
        .map(|row| match shared {
            true => 0.0,
            false => {
                let heights = row.iter().zip(&columns).map(|(legend, &column)| legend.height(column));
                heights.fold(0.0, f64::max)
            }
        })
        .collect();
    let below = if shared { legends[0].height(width) } else { 0.0 };
    let page_height = legend_heights.iter().map(|legend| height + legend).sum::<f64>();

    let mut scene = canvas::page(width, page_height + below);
    let mut top = 0.0;
    for (row, &legend_height) in legend_heights.iter().enumerate() {
        let mut left = 0.0;
        let first = row * n_columns;
        for (index, &column) in (first..panels.len()).zip(&columns) {
            let axes = &axes[index];
            scene.add(Primitive::GroupStart {
                transform: Some(format!("translate({left},{top})")),
                title: None,
                extra_attrs: None,
            });
            axes.draw(&mut scene);
            draw_data(&mut scene, &panels[index], axes);
            if !shared {
                let centre = axes.corner().0 + PLOT_WIDTH / 2.0;
                legends[index].draw(&mut scene, (0.0, height), column, centre);
            }
            scene.add(Primitive::GroupEnd);
            left += column + GUTTER;
        }
        top += height + legend_height;
    }
    if shared {
        legends[0].draw(&mut scene, (0.0, page_height), width, width / 2.0);
    }
    Ok(scene)
}

/// Bands below lines below markers, whatever series they belong to. Lines are cut at the frame; markers are not, they
/// are drawn whole if their centre is inside.
fn draw_data(scene: &mut Scene, panel: &Panel, axes: &Axes) {
    let (x, y) = axes.corner();
    // The name tells the rectangle: in a page of several figures an equal name means an equal clip.
    let id = format!("plot-{:.0}-{:.0}", 100.0 * x, 100.0 * y);
    scene.defs.push(format!(
        r#"<clipPath id="{id}"><rect x="{x:.2}" y="{y:.2}" width="{PLOT_WIDTH}" height="{PLOT_HEIGHT}"/></clipPath>"#
    ));
    scene.add(Primitive::ClipStart { x, y, width: PLOT_WIDTH, height: PLOT_HEIGHT, id });
    panel.cells.iter().for_each(|cell| cells::add_cell(scene, axes, cell));
    for series in &panel.series {
        if let Spread::Band(intervals) = &series.spread {
            let placed: Vec<_> = intervals.iter().map(|&interval| axes.place_interval(interval)).collect();
            unbroken(&placed).for_each(|band| marks::add_band(scene, &band, series.color));
        }
    }
    for (index, line) in panel.references.iter().enumerate() {
        if let Some(ends) = axes.across(line.position) {
            add_reference(scene, ends, index);
        }
    }
    for series in &panel.series {
        let placed: Vec<_> = series.points.iter().map(|&point| axes.place(point)).collect();
        match series.style {
            Style::Line | Style::LineAndMarkers => {
                unbroken(&placed).for_each(|line| marks::add_line(scene, &line, series.color));
            }
            Style::Dashed => {
                unbroken(&placed).for_each(|line| marks::add_dashed_line(scene, &line, series.color))
            }
            Style::Markers | Style::OpenMarkers => {}
        }
        if let Spread::Bars(intervals) = &series.spread {
            let bars = intervals.iter().filter_map(|&interval| axes.place_interval(interval));
            bars.for_each(|bar| marks::add_error_bar(scene, bar, series.color));
        }
    }
    scene.add(Primitive::ClipEnd);
    if !panel.cells.is_empty() {
        cells::add_bar(scene, axes);
    }
    for series in panel.series.iter().filter(|series| series.style.has_markers()) {
        for &point in series.points.iter().filter(|&&point| axes.contains(point)) {
            if let Some(centre) = axes.place(point) {
                marks::add_marker(scene, centre, series.color, series.style == Style::OpenMarkers);
            }
        }
    }
}

/// The runs of places that are there.
fn unbroken<T: Copy>(placed: &[Option<T>]) -> impl Iterator<Item = Vec<T>> {
    let runs = placed.split(Option::is_none).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().flatten().copied().collect())
}

#[cfg(test)]
mod tests {
    use kuva::render::render::TextAnchor;

    use super::super::figure::tests::curves;
    use super::*;

    #[test]
    fn no_text_overlaps_another_or_leaves_the_page() {
        let long = "a name so long that it needs more than the width of a panel, and then a little";
        let mut figure = curves();
        figure.panels[0].title = long.to_owned();
        figure.panels[1].y.label = long.to_owned();
        figure.panels[1].series[0].name = long.to_owned();
        figure.panels[1].x.range = Some((0.0, 3e7));
        assert_no_overlap(&figure.panels);
        // In two rows, with a legend each and with one of all.
        let four = [0, 1, 0, 1].map(|index| figure.panels[index].clone());
        assert_no_overlap(&four);
        assert_no_overlap(&[0; 5].map(|index| figure.panels[index].clone()));
    }

    fn assert_no_overlap(panels: &[Panel]) {
        let page = compose(panels).unwrap();
        let boxes = text_boxes(&page);
        assert!(boxes.len() > 20, "{}", boxes.len());
        for (index, (text, [left, top, right, bottom])) in boxes.iter().enumerate() {
            let inside = *left >= 0.0 && *top >= 0.0 && *right <= page.width && *bottom <= page.height;
            assert!(inside, "{text}: {left} {top} {right} {bottom} in {} x {}", page.width, page.height);
            for (other, [l, t, r, b]) in &boxes[index + 1..] {
                assert!(right <= l || r <= left || bottom <= t || b <= top, "'{text}' and '{other}' overlap");
            }
        }
    }

    /// Left, upper, right and lower edge of every text.
    fn text_boxes(scene: &Scene) -> Vec<(String, [f64; 4])> {
        let mut shift = [0.0; 2];
        let mut boxes = Vec::new();
        for element in &scene.elements {
            match element {
                Primitive::GroupStart { transform: Some(transform), .. } => {
                    let inner = transform.trim_start_matches("translate(").trim_end_matches(')');
                    let (left, top) = inner.split_once(',').unwrap();
                    shift = [left, top].map(|length| length.parse::<f64>().unwrap());
                }
                Primitive::GroupEnd => shift = [0.0; 2],
                Primitive::Text { x, y, content, size, anchor, rotate, .. } if !content.is_empty() => {
                    let em = f64::from(*size);
                    // Repeated, as the measure has a floor of two font sizes.
                    let width = canvas::text_width(&content.repeat(8), *size) / 8.0;
                    let start = match anchor {
                        TextAnchor::Start => 0.0,
                        TextAnchor::Middle => -width / 2.0,
                        TextAnchor::End => -width,
                    };
                    let (x, y) = (x + shift[0], y + shift[1]);
                    let (ascent, descent) = (0.76 * em, 0.24 * em);
                    boxes.push((
                        content.clone(),
                        match rotate {
                            None => [x + start, y - ascent, x + start + width, y + descent],
                            Some(_) => [x - ascent, y - width - start, x + descent, y - start],
                        },
                    ));
                }
                _ => {}
            }
        }
        boxes
    }
}
