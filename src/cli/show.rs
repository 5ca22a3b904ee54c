//! `attractor show`: spin states as pictures, in the terminal and as a PNG.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use attractor::analysis::{StoredAttractors, nearest};
use attractor::datasets::DataSet;
use attractor::dynamics::Recall;
use attractor::report::{Montage, half_blocks};
use attractor::spins::SpinMatrix;
use attractor::storage::Container;
use attractor::{Error, Result};
use clap::Args;
use serde_json::json;

use super::inputs::{Part, files};
use super::options::Common;
use super::text::name_of;

#[derive(Args)]
pub struct Show {
    /// Data set, recalled states (recall -o) or attractors (census -o)
    states: PathBuf,
    /// Height and width of a state, such as 14x14
    #[arg(long)]
    shape: Shape,
    /// Which states of a data set
    #[arg(long, value_enum, default_value_t = Part::Train)]
    from: Part,
    /// Row of the first state
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Number of states
    #[arg(long, default_value_t = 8)]
    count: usize,
    /// Data set whose training patterns are searched for the one nearest to each recalled state or attractor
    #[arg(long)]
    data: Option<PathBuf>,
    /// Write the picture to this name with .png
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape(usize, usize);

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let sides = text
            .split_once('x')
            .and_then(|(height, width)| Some((height.parse().ok()?, width.parse().ok()?)));
        match sides {
            Some((height, width)) if height > 0 && width > 0 => Ok(Self(height, width)),
            _ => Err("expected height and width, such as 14x14".to_owned()),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.0, self.1)
    }
}

/// States of one sort, one a column of the picture.
struct Column {
    name: String,
    states: SpinMatrix,
}

impl Show {
    pub fn run(self) -> anyhow::Result<()> {
        let files = files(self.output.as_deref(), &[".png"]);
        let outputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let inputs: Vec<&Path> =
            std::iter::once(&self.states).chain(&self.data).map(PathBuf::as_path).collect();
        self.common.check_outputs(&outputs, &inputs)?;
        let columns = self.columns()?;
        let shape = (self.shape.0, self.shape.1);
        let mut text = String::new();
        for column in &columns {
            text += &format!("{}\n{}\n", column.name, half_blocks(&column.states, shape)?);
        }
        if let Some(output) = &self.output
            && !self.common.dry_run
        {
            let named: Vec<_> = columns.iter().map(|column| (&*column.name, &column.states)).collect();
            let montage = match &named[..] {
                [(_, states)] => Montage::gallery(states, shape, self.count.min(8))?,
                _ => Montage::columns(&named, shape)?,
            };
            montage.write(output, self.common.overwrite())?;
        }
        let last = self.first + columns.first().map_or(0, |column| column.states.n_rows());
        let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
        let document = json!({ "columns": names, "rows": [self.first, last], "output": files });
        self.common.print(&document, &text)
    }

    fn columns(&self) -> Result<Vec<Column>> {
        let container = Container::open_any(&self.states)?;
        let mut columns = match container.kind() {
            "data set" => {
                let states = self.from.of(&DataSet::open(&self.states)?, &self.states)?;
                vec![self.column(&name_of(self.from), &states)?]
            }
            "states" => {
                let (starts, recall) = Recall::open(&self.states)?;
                vec![self.column("start", &starts)?, self.column("end", &recall.states)?]
            }
            "attractors" => vec![self.column("attractor", &StoredAttractors::open(&self.states)?.states)?],
            kind => {
                let expected = "a data set, recalled states or attractors";
                return Err(Error::format(&self.states, expected, kind));
            }
        };
        if let (Some(path), Some(ends)) = (&self.data, columns.last()) {
            let train = DataSet::open(path)?.train;
            if train.n_spins() != ends.states.n_spins() {
                let expected = format!("N = {} as in {}", ends.states.n_spins(), self.states.display());
                return Err(Error::format(path, expected, format!("N = {}", train.n_spins())));
            }
            let execution = attractor::execution::Execution::with_threads(1)?;
            let found = nearest(&ends.states, &train, &execution)?;
            let rows: Vec<usize> = found.iter().map(|nearest| nearest.index).collect();
            columns.push(Column { name: "nearest train".to_owned(), states: train.select(&rows) });
        }
        Ok(columns)
    }

    /// The states that are asked for.
    fn column(&self, name: &str, states: &SpinMatrix) -> Result<Column> {
        let n_rows = states.n_rows();
        if self.first >= n_rows || self.count == 0 {
            let expected = format!("a row from 0 to {} and a count of at least 1", n_rows.saturating_sub(1));
            return Err(Error::parameter("first", expected, format!("{} and {}", self.first, self.count)));
        }
        let (height, width) = (self.shape.0, self.shape.1);
        if height.checked_mul(width) != Some(states.n_spins()) {
            let expected = format!(
                "height and width that make the {} spins of {}",
                states.n_spins(),
                self.states.display()
            );
            return Err(Error::parameter("shape", expected, self.shape));
        }
        let rows: Vec<usize> = (self.first..n_rows.min(self.first.saturating_add(self.count))).collect();
        Ok(Column { name: name.to_owned(), states: states.select(&rows) })
    }
}
