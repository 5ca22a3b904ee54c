//! `attractor basins`: how much damage dynamics repairs.

mod corruptions;

use std::path::{Path, PathBuf};
use std::time::Instant;

use attractor::analysis::{BasinCurve, BasinEdge, BasinPoint, BasinSize, Basins as Measurement};
use attractor::dynamics::BYTES_PER_STATE;
use attractor::report::{Axis, Color, Figure, Panel, Position, Series, Style};
use attractor::storage::Table;
use attractor::{Error, Result};
use clap::Args;
use serde_json::{Value, json};

use super::estimate::{Estimate, FIGURE_BYTES};
use super::inputs::{Part, couplings_and_data, files};
use super::options::Common;
use super::text::{listing, name_of, short};
use super::updates::Moves;
use corruptions::Corruptions;

#[derive(Args)]
pub struct Basins {
    /// Couplings
    couplings: PathBuf,
    /// Data set with the states that are to be restored
    data: PathBuf,
    /// Which states
    #[arg(long, value_enum, default_value_t = Part::Train)]
    from: Part,
    /// Use only the first so many of them
    #[arg(long)]
    states: Option<usize>,
    /// Damaged copies of each state
    #[arg(long, default_value_t = 1)]
    repeats: u64,
    #[command(flatten)]
    corruptions: Corruptions,
    /// Find the basin's edge by halving the number of damaged spins, to a single spin
    #[arg(long, conflicts_with_all = ["overlaps", "patch", "at"])]
    bisect: bool,
    /// Mean final overlap at the edge of a basin
    #[arg(long, default_value_t = 0.999)]
    threshold: f64,
    /// Write the curve to this name with .csv, .svg and .png
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    moves: Moves,
    #[command(flatten)]
    common: Common,
}

impl Basins {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let files = files(self.output.as_deref(), &[".csv", ".svg", ".png"]);
        let outputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&outputs, &[&self.couplings, &self.data])?;
        self.check()?;
        let (couplings, data) = couplings_and_data(&self.couplings, &self.data, &self.common, &execution)?;
        let n_spins = data.n_spins();
        let corruptions = self.corruptions.all(n_spins, self.bisect)?;
        let patterns = self.from.of(&data, &self.data)?;
        let dynamics = self.moves.dynamics(self.common.seed)?;
        let n_states = self.states.unwrap_or(patterns.n_rows()).min(patterns.n_rows());
        let n_points = if self.bisect { n_spins.ilog2() as usize + 1 } else { corruptions.len() };
        let (n, m) = (n_spins as f64, n_states as f64);
        // Some ten copies of the states in bits, and hashes of their trajectories; settling takes some ten steps.
        let memory = m * (10.0 * n / 8.0 + BYTES_PER_STATE as f64 + 8.0 * n_points as f64);
        let figure = if self.output.is_some() { FIGURE_BYTES } else { 0.0 };
        let runs = n_points as f64 * self.repeats as f64 * self.moves.steps().unwrap_or(10) as f64;
        let estimate = Estimate::new(memory.max(figure), 0.0, runs * m * n * n, &execution)
            .with_arrays(self.common.loaded_bytes(n))
            .with_remembered_fields(m, n);
        if !self.common.admits(&estimate, self.output.as_deref(), &execution)? {
            return Ok(());
        }
        let patterns = patterns.head(n_states);
        let measurement = Measurement {
            couplings: &couplings,
            patterns: &patterns,
            dynamics: &*dynamics,
            clamp: self.corruptions.clamp,
            n_repeats: self.repeats,
            seed: self.common.seed,
        };
        let begun = Instant::now();
        let (size, curve) = if self.bisect {
            let (sizes, curve) =
                measurement.bisect(self.corruptions.damage(), &[self.threshold], &execution)?;
            (sizes.first().copied(), curve)
        } else {
            let curve = measurement.curve(&corruptions, &execution)?;
            // One patch is no curve.
            let size = if curve.points.len() > 1 {
                Some(curve.size(self.threshold, self.common.seed)?)
            } else {
                None
            };
            (size, curve)
        };
        let seconds = begun.elapsed().as_secs_f64();
        if let [csv, svg, _] = &files[..] {
            table(&curve, self.moves.is_thermal()).write(csv, self.common.overwrite())?;
            let title = format!("N = {n_spins}, {n_states} states");
            self.figure(title, &curve).write(&svg.with_extension(""), self.common.overwrite())?;
        }
        let document = json!({
            "n": n_spins,
            "states": n_states,
            "repeats": self.repeats,
            "from": name_of(self.from),
            "corruption": name_of(self.corruptions.corruption),
            "clamp": self.corruptions.clamp,
            "steps": self.moves.steps(),
            "threshold": self.threshold,
            "basin_size": size.and_then(|size| (size.edge != BasinEdge::Beyond).then_some(size.size)),
            "basin_size_at_least": size.and_then(|size| (size.edge == BasinEdge::Beyond).then_some(size.size)),
            "basin_size_error": size.and_then(|size| size.error),
            "basin_edge": size.map(|size| edge_name(size.edge)),
            "resolution": size.and_then(|size| resolution(size.edge)),
            "points": curve.points.iter().map(|point| self.point_json(point)).collect::<Vec<Value>>(),
            "seconds": seconds,
            "output": files,
        });
        let text = self.text(&curve, size, n_spins, n_states, seconds, &files);
        self.common.print(&document, &text)
    }

    /// Refuses what needs no file to be seen.
    fn check(&self) -> Result<()> {
        if self.states == Some(0) {
            return Err(Error::parameter("states", "at least 1", 0));
        }
        if self.repeats == 0 {
            return Err(Error::parameter("repeats", "at least 1", 0));
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(Error::parameter("threshold", "a number from 0 to 1", self.threshold));
        }
        Ok(())
    }

    fn text(
        &self,
        curve: &BasinCurve,
        size: Option<BasinSize>,
        n_spins: usize,
        n_states: usize,
        seconds: f64,
        files: &[PathBuf],
    ) -> String {
        let mut text = String::from("  damaged    m_IN      m_F       +-     exact  settled    steps\n");
        for point in &curve.points {
            let settled = match self.moves.is_thermal() {
                true => "-  ".to_owned(),
                false => format!("{:.1} %", 100.0 * point.settled_fraction),
            };
            text += &format!(
                "  {:7}  {:6.4}  {:7.4}  {:7.4}  {:6.1} %  {settled:>7}  {:7.1}\n",
                point.n_damaged,
                point.initial_overlap,
                point.final_overlap,
                point.final_overlap_error,
                100.0 * point.exact_fraction,
                point.steps_mean
            );
        }
        let mut rows = vec![
            ("states", format!("{n_states} of N = {n_spins}")),
            ("copies of each", self.repeats.to_string()),
        ];
        if let Some(size) = size {
            rows.push(("basin size 1 - m_c", self.size_text(curve, size)));
            rows.extend(resolution(size.edge).map(|resolution| ("resolution", short(resolution))));
        }
        rows.push(("seconds", short(seconds)));
        rows.extend(files.iter().map(|file| ("written", file.display().to_string())));
        format!("{text}\n{}", listing(rows))
    }

    fn point_json(&self, point: &BasinPoint) -> Value {
        // At a temperature nothing settles, and nothing is looked for.
        let settled = (!self.moves.is_thermal()).then_some(point.settled_fraction);
        json!({
            "damaged": point.n_damaged,
            "initial_overlap": point.initial_overlap,
            "final_overlap": point.final_overlap,
            "final_overlap_error": point.final_overlap_error,
            "exact_fraction": point.exact_fraction,
            "settled_fraction": settled,
            "steps_mean": point.steps_mean,
        })
    }

    /// The size, and what it is known from.
    fn size_text(&self, curve: &BasinCurve, size: BasinSize) -> String {
        let (threshold, number) = (self.threshold, short(size.size));
        let m_in = |point: Option<&BasinPoint>| point.map_or(String::new(), |p| short(p.initial_overlap));
        match (size.edge, size.error) {
            (BasinEdge::Between { .. }, Some(error)) => {
                format!("{number} +- {}, m_F {threshold} and above", short(error))
            }
            (BasinEdge::Between { .. }, None) => format!("{number}, m_F {threshold} and above"),
            (BasinEdge::Beyond, _) => {
                let least = m_in(curve.points.first());
                format!("at least {number}, m_F {threshold} and above down to the smallest m_IN, {least}")
            }
            (BasinEdge::Nowhere, _) => {
                let most = m_in(curve.points.last());
                format!("{number} by definition, m_F below {threshold} even at the largest m_IN, {most}")
            }
        }
    }

    fn figure(&self, title: String, curve: &BasinCurve) -> Figure {
        let points = |value: fn(&BasinPoint) -> f64| {
            curve.points.iter().map(|point| (point.initial_overlap, value(point))).collect::<Vec<_>>()
        };
        let band = |point: &BasinPoint| {
            let (mean, error) = (point.final_overlap, point.final_overlap_error);
            (point.initial_overlap, mean - error, mean + error)
        };
        // Flips go below m_IN = 0, and what is restored there may be the opposite.
        let is_below = |point: &BasinPoint| point.final_overlap < 0.0 || point.initial_overlap < 0.0;
        let goes_below = curve.points.iter().any(is_below);
        let axis = |label: &str| match goes_below {
            false => Axis::overlap(label),
            true => Axis::linear(label).with_range(-1.02, 1.02),
        };
        let color = match self.from {
            Part::Train => Color::TRAIN,
            Part::Test => Color::TEST,
            Part::Features => Color::FEATURES,
        };
        let style = Style::LineAndMarkers;
        let panel = Panel::new(title, axis("initial overlap m_IN"), axis("final overlap m_F"))
            .with(
                Series::new("m_F", style, color, points(|point| point.final_overlap))
                    .with_band(curve.points.iter().map(band).collect()),
            )
            .with(Series::new(
                "restored exactly",
                Style::Dashed,
                Color::Black,
                points(|point| point.exact_fraction),
            ));
        let edge = format!("m_F = {}", self.threshold);
        Figure::new(vec![panel.with_reference(edge, Position::Y(self.threshold))])
    }
}

fn edge_name(edge: BasinEdge) -> &'static str {
    match edge {
        BasinEdge::Between { .. } => "between",
        BasinEdge::Beyond => "beyond",
        BasinEdge::Nowhere => "nowhere",
    }
}

/// How finely the edge was looked for, where there is one.
fn resolution(edge: BasinEdge) -> Option<f64> {
    match edge {
        BasinEdge::Between { resolution } => Some(resolution),
        BasinEdge::Beyond | BasinEdge::Nowhere => None,
    }
}

/// A row a point of the curve; at a temperature (`is_thermal`) nothing settles, and the field is empty.
fn table(curve: &BasinCurve, is_thermal: bool) -> Table {
    let mut table = Table::new([
        "damaged",
        "initial_overlap",
        "final_overlap",
        "final_overlap_error",
        "exact_fraction",
        "settled_fraction",
        "steps_mean",
    ]);
    for point in &curve.points {
        let settled = if is_thermal { String::new() } else { point.settled_fraction.to_string() };
        table.push(vec![
            point.n_damaged.to_string(),
            point.initial_overlap.to_string(),
            point.final_overlap.to_string(),
            point.final_overlap_error.to_string(),
            point.exact_fraction.to_string(),
            settled,
            point.steps_mean.to_string(),
        ]);
    }
    table
}
