//! A census as table, figure and JSON.

use attractor::Result;
use attractor::analysis::{Census, Histogram};
use attractor::report::{Axis, Color, Figure, Panel, Series, Style};
use attractor::storage::Table;
use serde_json::{Map, Value, json};

use super::Neighbours;

/// Bins of the overlaps with the nearest states, at most.
const BINS: usize = 50;

/// Bytes that drawing the figure takes, by measurement, whatever it shows.
const FIGURE_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
/// Bytes that a value of the table takes as text, by and large.
const VALUE_BYTES: f64 = 48.0;

/// Bytes that the table of so many attractors and the figure take.
pub fn bytes(n_attractors: usize, n_kinds: usize) -> f64 {
    // Five columns of an attractor, one a kind, four of each part of the data.
    let n_columns = 5.0 + n_kinds as f64 + 3.0 * 4.0;
    FIGURE_BYTES + n_attractors as f64 * n_columns * VALUE_BYTES
}

/// A row an attractor, the most frequent first.
pub fn table(census: &Census, neighbours: &[Neighbours]) -> Table {
    let kinds = census.kinds.iter().map(|kind| format!("from_{}", kind.name));
    let near = neighbours.iter().flat_map(|neighbours| {
        let part = neighbours.part;
        [
            part.to_owned(),
            format!("{part}_overlap"),
            format!("{part}_up_to_sign"),
            format!("{part}_overlap_up_to_sign"),
        ]
    });
    let first = ["attractor", "frequency", "fraction", "period", "energy"].map(str::to_owned);
    let mut table = Table::new(first.into_iter().chain(kinds).chain(near));
    let n_settled = (census.all.n_starts - census.all.n_unsettled) as f64;
    for (row, attractor) in census.attractors.iter().enumerate() {
        let mut values = vec![
            row.to_string(),
            attractor.frequency.to_string(),
            (attractor.frequency as f64 / n_settled).to_string(),
            attractor.period.to_string(),
            attractor.energy.to_string(),
        ];
        values.extend(attractor.frequencies.iter().map(u64::to_string));
        for neighbours in neighbours {
            let near = neighbours.of[row];
            values.extend([
                near.index.to_string(),
                near.overlap.to_string(),
                near.index_up_to_sign.to_string(),
                near.overlap_up_to_sign.to_string(),
            ]);
        }
        table.push(values);
    }
    table
}

pub fn attractor_json(census: &Census, neighbours: &[Neighbours], row: usize) -> Value {
    let attractor = &census.attractors[row];
    let near = neighbours.iter().map(|neighbours| {
        let near = neighbours.of[row];
        let of = json!({
            "index": near.index,
            "overlap": near.overlap,
            "index_up_to_sign": near.index_up_to_sign,
            "overlap_up_to_sign": near.overlap_up_to_sign,
        });
        (neighbours.part.to_owned(), of)
    });
    json!({
        "frequency": attractor.frequency,
        "period": attractor.period,
        "energy": attractor.energy,
        "nearest": near.collect::<Map<_, _>>(),
    })
}

/// Frequency against rank, and the overlaps of attractors with what is nearest, up to sign.
pub fn figure(census: &Census, neighbours: &[Neighbours]) -> Result<Figure> {
    let n_starts = census.all.n_starts;
    let mut ranks = Panel::new(
        format!("{} attractors from {n_starts} starts", census.attractors.len()),
        Axis::log("rank"),
        Axis::log("frequency"),
    );
    for (index, kind) in census.kinds.iter().enumerate() {
        let mut counts: Vec<u64> =
            census.attractors.iter().map(|attractor| attractor.frequencies[index]).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let points = (1..).zip(counts).filter(|&(_, count)| count > 0);
        let points = points.map(|(rank, count)| (f64::from(rank), count as f64)).collect();
        let color = match kind.name.as_str() {
            "train" => Color::TRAIN,
            "test" => Color::TEST,
            "features" => Color::FEATURES,
            _ => Color::RANDOM,
        };
        ranks = ranks.with(Series::new(kind.name.clone(), Style::Markers, color, points));
    }
    let axis = Axis::overlap("|overlap| with the nearest");
    let mut near = Panel::new("attractors, each once", axis, Axis::linear("density"));
    for neighbours in neighbours.iter().filter(|neighbours| !neighbours.of.is_empty()) {
        let overlaps: Vec<f64> = neighbours.of.iter().map(|near| near.overlap_up_to_sign.abs()).collect();
        let spacing = 2.0 / census.states.n_spins() as f64;
        let steps = Histogram::of_multiples(overlaps.iter().copied(), spacing, BINS)?.density_steps();
        let color = match neighbours.part {
            "train" => Color::TRAIN,
            "test" => Color::TEST,
            _ => Color::FEATURES,
        };
        near = near.with(Series::new(neighbours.part, Style::Line, color, steps));
    }
    Ok(Figure::new(vec![ranks, near]))
}
