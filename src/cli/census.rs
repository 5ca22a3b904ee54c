//! `attractor census`: which attractors there are, and how much of state space is theirs.

mod output;

use std::path::{Path, PathBuf};
use std::time::Instant;

use attractor::analysis::{
    Census as Counted, Destinations, Nearest, StartKind, census, least_energy_bytes, nearest,
};
use attractor::datasets::DataSet;
use attractor::dynamics::{BYTES_PER_STATE, Stop, random_states};
use attractor::spins::SpinMatrix;
use attractor::{Error, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::estimate::Estimate;
use super::inputs::{Part, couplings_and_data, files};
use super::options::Common;
use super::provenance::provenance;
use super::text::{listing, name_of, short, short_or_dash};
use super::updates::Updates;

#[derive(Args)]
pub struct Census {
    /// Couplings
    couplings: PathBuf,
    /// Data set with the states that attractors are compared with, and to start from
    data: PathBuf,
    /// Where to start, one or more: random,train,test
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [From::Random])]
    from: Vec<From>,
    /// Starts of each kind [default: 1000 random ones, all of the data]
    #[arg(long)]
    states: Option<usize>,
    /// Write the attractors to this name with .csv, .safetensors (their states), .svg and .png
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    updates: Updates,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    Random,
    Train,
    Test,
    Features,
}

/// Random starts where no number is asked for.
const DEFAULT_RANDOM_STATES: usize = 1000;
/// What is known of an attractor beside its spins: headers and tables, and what is nearest.
const BYTES_PER_ATTRACTOR: usize = 512;
/// Attractors that are listed on the terminal.
const LISTED: usize = 10;

/// The nearest of one part of the data.
struct Neighbours {
    part: &'static str,
    of: Vec<Nearest>,
}

impl Census {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let files = files(self.output.as_deref(), &[".csv", ".safetensors", ".svg", ".png"]);
        let outputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&outputs, &[&self.couplings, &self.data])?;
        if self.states == Some(0) {
            return Err(Error::parameter("states", "at least 1", 0).into());
        }
        for (place, from) in self.from.iter().enumerate() {
            if self.from[..place].contains(from) {
                let found = format!("{} twice", name_of(*from));
                return Err(Error::parameter("from", "each kind once", found).into());
            }
        }
        let seed = self.common.seed;
        let (settle, step) = (self.updates.settle(seed)?, self.updates.until(Stop::After(1), seed)?);
        let (couplings, data) = couplings_and_data(&self.couplings, &self.data, &self.common, &execution)?;
        let mut n_starts = 0usize;
        for &from in &self.from {
            n_starts = n_starts.saturating_add(self.n_starts(from, &data)?);
        }
        let (n, m) = (data.n_spins() as f64, n_starts as f64);
        let memory = self.memory(n_starts, &data, execution.n_threads());
        let disk = if self.output.is_some() { m * n / 8.0 } else { 0.0 };
        let estimate = Estimate::new(memory, disk, 10.0 * m * n * n, &execution)
            .with_arrays(self.common.loaded_bytes(n))
            .with_remembered_fields(m, n);
        if !self.common.admits(&estimate, self.output.as_deref(), &execution)? {
            return Ok(());
        }
        let starts = self.from.iter().map(|&from| self.starts(from, &data)).collect::<Result<Vec<_>>>()?;
        let kind = |(from, starts): (&From, _)| StartKind { name: name_of(*from), starts };
        let kinds: Vec<StartKind> = self.from.iter().zip(&starts).map(kind).collect();
        let begun = Instant::now();
        let counted = census(&couplings, &kinds, &*settle, &*step, &execution)?;
        let parts =
            [("train", Some(&data.train)), ("test", data.test.as_ref()), ("feature", data.features.as_ref())];
        let mut neighbours = Vec::new();
        for (part, patterns) in parts {
            if let Some(patterns) = patterns {
                neighbours.push(Neighbours { part, of: nearest(&counted.states, patterns, &execution)? });
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        if let [csv, states, svg, _] = &files[..] {
            let mut description = provenance(&[("couplings", &self.couplings), ("data", &self.data)])?;
            description.insert("seed".into(), self.common.seed.to_string());
            let from: Vec<String> = self.from.iter().map(|&from| name_of(from)).collect();
            description.insert("from".into(), from.join(","));
            self.updates.describe(&mut description);
            output::table(&counted, &neighbours).write(csv, self.common.overwrite())?;
            counted.write(states, &description, self.common.overwrite())?;
            output::figure(&counted, &neighbours)?.write(&svg.with_extension(""), self.common.overwrite())?;
        }
        let document = json!({
            "n": data.n_spins(),
            "attractors": counted.attractors.len(),
            "attractors_up_to_sign": counted.n_up_to_sign,
            "fixed_points": counted.attractors.iter().filter(|attractor| attractor.period == 1).count(),
            "period_max": counted.attractors.iter().map(|attractor| attractor.period).max(),
            "all": destinations_json(&counted.all),
            "kinds": counted.kinds.iter().map(destinations_json).collect::<Vec<Value>>(),
            "most_frequent": (0..counted.attractors.len().min(LISTED))
                .map(|row| output::attractor_json(&counted, &neighbours, row))
                .collect::<Vec<Value>>(),
            "seconds": seconds,
            "output": files,
        });
        let text = text(&counted, &neighbours, seconds, &files);
        self.common.print(&document, &text)
    }

    /// Bytes in memory: of so many starts, of the data, and of the picture.
    fn memory(&self, n_starts: usize, data: &DataSet, n_threads: usize) -> f64 {
        let (n, m) = (data.n_spins() as f64, n_starts as f64);
        let parts = [Some(&data.train), data.test.as_ref(), data.features.as_ref()];
        let n_rows: usize = parts.into_iter().flatten().map(SpinMatrix::n_rows).sum();
        // The starts some twelve times in bits, with what is known of each and of the attractor that it may be alone to reach.
        let starts = m * (12.0 * n / 8.0 + (BYTES_PER_STATE + BYTES_PER_ATTRACTOR) as f64);
        let outputs = match self.output {
            Some(_) => output::bytes(n_starts, self.from.len()),
            None => 0.0,
        };
        // What a thread computes with, and the fields of the fewest states.
        let scratch = n_threads as f64 * 64.0 * (n + 4096.0) + least_energy_bytes(data.n_spins()) as f64;
        starts + n_rows as f64 * n / 8.0 + outputs + scratch
    }

    /// Starts of a kind.
    fn n_starts(&self, from: From, data: &DataSet) -> Result<usize> {
        match from.part() {
            None => Ok(self.states.unwrap_or(DEFAULT_RANDOM_STATES)),
            Some(part) => {
                let n_rows = part.of(data, &self.data)?.n_rows();
                Ok(self.states.unwrap_or(n_rows).min(n_rows))
            }
        }
    }

    fn starts(&self, from: From, data: &DataSet) -> Result<SpinMatrix> {
        let n_starts = self.n_starts(from, data)?;
        match from.part() {
            None => random_states(n_starts, data.n_spins(), self.common.seed),
            Some(part) => Ok(part.of(data, &self.data)?.head(n_starts)),
        }
    }
}

impl From {
    fn part(self) -> Option<Part> {
        match self {
            Self::Random => None,
            Self::Train => Some(Part::Train),
            Self::Test => Some(Part::Test),
            Self::Features => Some(Part::Features),
        }
    }
}

fn destinations_json(destinations: &Destinations) -> Value {
    json!({
        "from": destinations.name,
        "starts": destinations.n_starts,
        "attractors": destinations.n_attractors,
        "unsettled_fraction": destinations.n_unsettled as f64 / destinations.n_starts as f64,
        "cycle_fraction": destinations.n_in_cycles as f64 / destinations.n_starts as f64,
        "transient_mean": destinations.transient_mean,
        "transient_max": destinations.transient_max,
        "entropy": destinations.entropy,
    })
}

fn text(counted: &Counted, neighbours: &[Neighbours], seconds: f64, files: &[PathBuf]) -> String {
    let mut text =
        String::from("  from        starts  attractors  in cycles  unsettled  steps  longest  entropy\n");
    let kinds = counted.kinds.iter().chain((counted.kinds.len() > 1).then_some(&counted.all));
    for kind in kinds {
        let percent = |count: u64| format!("{:.1} %", 100.0 * count as f64 / kind.n_starts as f64);
        text += &format!(
            "  {:10} {:7}  {:10}  {:>9}  {:>9}  {:>5}  {:>7}  {:>7}\n",
            kind.name,
            kind.n_starts,
            kind.n_attractors,
            percent(kind.n_in_cycles),
            percent(kind.n_unsettled),
            kind.transient_mean.map_or("-".to_owned(), |mean| format!("{mean:.1}")),
            kind.transient_max.map_or("-".to_owned(), |steps| steps.to_string()),
            short_or_dash(kind.entropy)
        );
    }
    text += "\n  frequency  period       energy";
    neighbours
        .iter()
        .for_each(|neighbours| text += &format!("  {:>15}", format!("nearest {}", neighbours.part)));
    text += "\n";
    for (row, attractor) in counted.attractors.iter().take(LISTED).enumerate() {
        text +=
            &format!("  {:9}  {:6}  {:>11}", attractor.frequency, attractor.period, short(attractor.energy));
        for neighbours in neighbours {
            let near = neighbours.of[row];
            text +=
                &format!("  {:>15}", format!("{:+.3} ({})", near.overlap_up_to_sign, near.index_up_to_sign));
        }
        text += "\n";
    }
    let n_more = counted.attractors.len().saturating_sub(LISTED);
    let mut rows = vec![(
        "attractors",
        format!("{}, {} up to sign of all spins", counted.attractors.len(), counted.n_up_to_sign),
    )];
    if n_more > 0 {
        rows.push(("not listed", n_more.to_string()));
    }
    rows.push(("seconds", short(seconds)));
    rows.extend(files.iter().map(|file| ("written", file.display().to_string())));
    format!("{text}\n{}", listing(rows))
}
