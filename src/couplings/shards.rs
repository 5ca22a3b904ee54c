//! Shards: J in files of consecutive rows, learned apart and read as one.
//!
//! The file of a shard is a container of kind "coupling rows": `J` F32 [b - a, N], `theta` F32 [b - a] where neurons have fields of
//! their own, and in the metadata what the file of the whole J has, with `rows` = "a..b" and `run_blake3`, a hash of what all
//! shards share: data, rule, every parameter.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::file::{RowsOfFile, SELF_COUPLING};
use super::matrix::Couplings;
use super::row_range::{RowRange, parse_rows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::{Container, Description};

/// What the container says it is.
pub(super) const KIND: &str = "coupling rows";
/// The entry of its rows.
pub(super) const ROWS: &str = "rows";
/// The entry of the run that it is of.
const RUN: &str = "run_blake3";

/// How rows are come by.
#[derive(Clone, Copy)]
enum Way {
    Mapped,
    Loaded,
}

/// A shard of which only the header has been read.
struct Shard {
    container: Container,
    n_spins: usize,
    rows: RowRange,
}

impl Shard {
    fn open(path: &Path) -> Result<Self> {
        let container = Container::open(path, KIND)?;
        let n_spins: usize = container.entry("n", "a number of spins")?;
        let what = "rows such as 0..64";
        let text: String = container.entry(ROWS, what)?;
        let rows = parse_rows(&text).ok_or_else(|| Error::format(path, what, text))?;
        let rows = RowRange::shard(&rows, n_spins).map_err(|error| error.in_file(path))?;
        container.entry::<String>(RUN, "the hash of a run")?;
        Ok(Self { container, n_spins, rows })
    }

    fn path(&self) -> &Path {
        self.container.path()
    }

    fn range(&self) -> Range<usize> {
        self.rows.range()
    }

    /// Refuses a shard of another run.
    fn check_same_run(&self, first: &Self) -> Result<()> {
        let (own, others) = (self.container.description(), first.container.description());
        let has_theta = |shard: &Self| shard.container.has("theta");
        let has_self_coupling =
            |entries: &Description| entries.get(SELF_COUPLING).is_some_and(|x| x == "true");
        let is_same = |entry| own.get(entry) == others.get(entry);
        if self.n_spins == first.n_spins
            && [RUN, "scale"].into_iter().all(is_same)
            && has_self_coupling(own) == has_self_coupling(others)
            && has_theta(self) == has_theta(first)
        {
            return Ok(());
        }
        let names = own.keys().chain(others.keys().filter(|entry| !own.contains_key(*entry)));
        let of_file = [ROWS, RUN, "command", "program"];
        let mut differing: Vec<&str> = names.filter(|entry| !is_same(entry)).map(String::as_str).collect();
        differing.retain(|entry| !of_file.contains(entry));
        if has_theta(self) != has_theta(first) {
            differing.push("theta");
        }
        let found = match differing.is_empty() {
            true => "that of another".to_owned(),
            false => format!("that of another, different in {}", differing.join(", ")),
        };
        let expected = format!("a shard of the run of {}", first.path().display());
        Err(Error::format(self.path(), expected, found))
    }

    /// Its rows, checked.
    fn read(self, way: Way, execution: &Execution) -> Result<RowsOfFile> {
        let (path, n_spins, rows) = (self.path().to_owned(), self.n_spins, self.rows);
        let container = match way {
            Way::Mapped => self.container,
            Way::Loaded => Container::load(&path, KIND, execution.memory())?,
        };
        let read = RowsOfFile::read(container, Some(self.rows.range()), execution)?;
        if read.n_spins != n_spins {
            let expected = format!("rows of N = {n_spins} couplings, as in the metadata");
            return Err(Error::format(&path, expected, read.n_spins.to_string()));
        }
        let theta = read.theta.as_deref().unwrap_or_default();
        if read.theta.is_some() && theta.len() != rows.len() {
            let expected = format!("theta of {} neurons", rows.len());
            return Err(Error::format(&path, expected, theta.len().to_string()));
        }
        if let Some((neuron, theta)) = rows.range().zip(theta).find(|(_, theta)| !theta.is_finite()) {
            return Err(Error::format(&path, "finite fields theta", format!("{theta} at neuron {neuron}")));
        }
        Ok(read)
    }
}

impl Couplings {
    /// What the container of a shard says it is.
    pub const KIND_OF_SHARDS: &str = KIND;

    /// Maps a shard from its file, as [`open`](Self::open).
    ///
    /// # Errors
    /// If the file is no shard, is truncated, or holds a faulty value.
    pub fn open_shard(path: &Path, execution: &Execution) -> Result<Self> {
        let shard = Shard::open(path)?;
        let rows = shard.rows;
        assemble(rows, vec![shard], Way::Mapped, execution)
    }

    /// Maps the shards in `paths`, in whatever order, as the one J that they are of, with the description of the first of its
    /// rows. Nothing is copied, and pieces stay in their files: take [`rows`](Self::rows), not [`values`](Self::values).
    ///
    /// # Errors
    /// As [`open_shard`](Self::open_shard), or if they are not of one run, rows are missing, or in two of them.
    pub fn open_shards(paths: &[PathBuf], execution: &Execution) -> Result<Self> {
        Self::of_shards(paths, Way::Mapped, execution)
    }

    /// The same, read whole into the memory of `execution` in place of mapped, as [`load`](Self::load).
    ///
    /// # Errors
    /// As [`open_shards`](Self::open_shards), or if there is no room.
    pub fn load_shards(paths: &[PathBuf], execution: &Execution) -> Result<Self> {
        Self::of_shards(paths, Way::Loaded, execution)
    }

    fn of_shards(paths: &[PathBuf], way: Way, execution: &Execution) -> Result<Self> {
        let mut shards = paths.iter().map(|path| Shard::open(path)).collect::<Result<Vec<_>>>()?;
        let Some(first) = shards.first() else {
            return Err(Error::shape("shards", "at least one", "none"));
        };
        shards.iter().try_for_each(|shard| shard.check_same_run(first))?;
        let n_spins = first.n_spins;
        shards.sort_by_key(|shard| (shard.range().start, shard.range().end));
        check_cover(&shards, n_spins)?;
        let mut whole = assemble(RowRange::all(n_spins), shards, way, execution)?;
        let mut description = whole.description().clone();
        description.insert("kind".into(), super::file::KIND.into());
        description.retain(|entry, _| entry != ROWS && entry != RUN);
        whole = whole.with_description(description);
        Ok(whole)
    }
}

/// Refuses shards, in the order of their rows, in which rows are twice or missing.
fn check_cover(shards: &[Shard], n_spins: usize) -> Result<()> {
    let name = |shard: &Shard| shard.path().display().to_string();
    let (mut end, mut missing) = (0, Vec::new());
    let mut last: Option<&Shard> = None;
    for shard in shards {
        let rows = shard.range();
        match last {
            Some(last) if rows.start < end => {
                let both = rows.start..rows.end.min(end);
                let found = format!("rows {}..{}, which are in {} too", both.start, both.end, name(last));
                return Err(Error::format(shard.path(), "rows that no other shard has", found));
            }
            _ if rows.start > end => missing.push(format!("{end}..{}", rows.start)),
            _ => {}
        }
        (end, last) = (rows.end, Some(shard));
    }
    if end < n_spins {
        missing.push(format!("{end}..{n_spins}"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let files: Vec<String> =
        shards.iter().map(|shard| format!("{} in {}", shard.rows, name(shard))).collect();
    let found = format!("none with {}; there are {}", missing.join(" and "), files.join(", "));
    Err(Error::shape("shards", format!("all {n_spins} rows"), found))
}

/// The couplings of `rows`, which `shards` hold in their order.
fn assemble(rows: RowRange, shards: Vec<Shard>, way: Way, execution: &Execution) -> Result<Couplings> {
    let n_spins = shards[0].n_spins;
    let (mut pieces, mut thetas) = (Vec::new(), Vec::new());
    let mut of_first = None;
    for shard in shards {
        let RowsOfFile { mapped, scale, self_coupling, theta, description, .. } =
            shard.read(way, execution)?;
        pieces.push(mapped);
        thetas.extend(theta);
        of_first.get_or_insert((scale, self_coupling, description));
    }
    let Some((scale, self_coupling, description)) = of_first else {
        unreachable!("there is a first shard");
    };
    let couplings = Couplings::mapped(n_spins, rows, pieces, scale, self_coupling, description);
    if thetas.is_empty() { Ok(couplings) } else { couplings.with_theta(thetas.concat()) }
}

/// Refuses the description of a shard that does not say of which run it is.
pub(super) fn check_description(description: &Description) -> Result<()> {
    match description.get(RUN) {
        Some(_) => Ok(()),
        None => {
            let expected = format!("{RUN}, the hash of what all shards of a run share");
            Err(Error::shape("description of a shard", expected, "none"))
        }
    }
}
