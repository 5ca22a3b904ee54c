//! Points of an experiment: measurements of one kind that do not depend on one another, each kept as a file of its own.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Options;
use super::cost::{Cost, n_at_a_time};
use super::kept as files;
use super::run_directory::RunDirectory;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::Overwrite;

/// Folder of the files within a run directory.
pub(super) const FOLDER: &str = "points";

/// The place of a point among the files, and how it is measured.
pub(super) trait Place: Sync {
    type Point: Serialize + DeserializeOwned + Send;

    /// What a point is, for errors.
    const WHAT: &'static str;

    /// Its file, within [`FOLDER`].
    fn name(&self) -> String;

    /// Everything that the numbers depend on, as text.
    fn parameters(&self) -> String;

    /// Whether a point that was kept has the shape and place of this one.
    fn has_shape_of(&self, point: &Self::Point) -> bool;

    /// What it takes.
    fn cost(&self) -> Cost;

    /// Measures it.
    ///
    /// # Errors
    /// If a parameter is out of range, or interrupted.
    fn measure(&self, execution: &Execution) -> Result<Self::Point>;
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
struct Content<T> {
    parameters: String,
    #[serde(flatten)]
    point: T,
}

/// The points of all `places`, in their order: those that the folder holds, all the same unless it may be overwritten, and the
/// others measured and kept. Progress says `what` they are.
///
/// # Errors
/// If a file holds a point of other parameters or none, before anything is written; as [`Place::measure`]; or if a file cannot be
/// written. Points that are finished are kept.
pub(super) fn measure_missing<P: Place>(
    places: &[P],
    what: &str,
    directory: &mut RunDirectory,
    options: &Options,
    execution: &Execution,
) -> Result<Vec<P::Point>> {
    let mut points = kept(places, directory, options)?;
    directory.begin_anew()?;
    let mut missing = Vec::new();
    execution.progress().begin(what, places.iter().map(units).sum());
    for ((index, place), point) in places.iter().enumerate().zip(&points) {
        match point {
            Some(_) => execution.progress().advance(units(place)),
            None => missing.push(index),
        }
    }
    let folder = directory.folder();
    let measured = side_by_side(places, &mut missing, execution, |index, point| {
        points[index] = Some(keep(&places[index], folder, point)?);
        execution.progress().advance(units(&places[index]));
        Ok(())
    });
    execution.progress().end();
    measured?;
    for place in places {
        directory.holds(&file(place))?;
    }
    Ok(points.into_iter().flatten().collect())
}

/// Work in the units of the progress.
fn units(place: &impl Place) -> u64 {
    (place.cost().work / 1e9).ceil().max(1.0) as u64
}

/// Measures the places of the indices `missing` and hands each on as soon as it is done, on this thread: several at a time, those
/// of most work first, or all threads one after another.
///
/// # Errors
/// The first of a measurement or of `finished` in time. What goes on at that moment is stopped, and what is finished by then handed on.
fn side_by_side<P: Place>(
    places: &[P],
    missing: &mut [usize],
    execution: &Execution,
    mut finished: impl FnMut(usize, P::Point) -> Result<()>,
) -> Result<()> {
    let costs: Vec<Cost> = missing.iter().map(|&index| places[index].cost()).collect();
    let n_workers = n_at_a_time(&costs, execution.memory().left(), execution);
    if n_workers == 1 {
        return missing.iter().try_for_each(|&index| finished(index, places[index].measure(execution)?));
    }
    missing.sort_by(|&a, &b| f64::total_cmp(&places[b].cost().work, &places[a].cost().work));
    let parts = execution.split(n_workers)?;
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (sender, measured) = mpsc::channel();
        for part in &parts {
            let (sender, next, missing) = (sender.clone(), &next, &*missing);
            let work = move || {
                while let Some(&index) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = &places[index];
                    let noting = part.noting(place.name().trim_end_matches(".json").to_owned(), execution);
                    let point = place.measure(&noting);
                    let is_last = point.is_err();
                    if sender.send((index, point)).is_err() || is_last {
                        break;
                    }
                }
            };
            scope.spawn(move || part.pool().install(work));
        }
        drop(sender);
        let mut failure = None;
        for (index, point) in measured {
            if let Err(error) = point.and_then(|point| finished(index, point)) {
                failure.get_or_insert(error);
                parts[0].cancel().cancel();
            }
        }
        failure.map_or(Ok(()), Err)
    })
}

/// The points that the folder holds, in the order of `places`; none of those that it does not hold, and none at all where it may be
/// overwritten. What measures points of several kinds asks for all of them before it measures any.
///
/// # Errors
/// If a file holds a point of other parameters or none.
pub(super) fn kept<P: Place>(
    places: &[P],
    directory: &RunDirectory,
    options: &Options,
) -> Result<Vec<Option<P::Point>>> {
    let found = places.iter().map(|place| match options.overwrite {
        Overwrite::Replace => Ok(None),
        Overwrite::Refuse => find(place, directory.folder()),
    });
    found.collect()
}

fn file(place: &impl Place) -> String {
    format!("{FOLDER}/{}", place.name())
}

fn find<P: Place>(place: &P, folder: &Path) -> Result<Option<P::Point>> {
    let path = folder.join(file(place));
    let Some(content) = files::read::<Content<P::Point>>(&path, P::WHAT)? else { return Ok(None) };
    if content.parameters != place.parameters() {
        return Err(files::other_parameters(&path, &place.parameters(), content.parameters));
    }
    if !place.has_shape_of(&content.point) {
        let expected = format!("{} of the place that its name says (remove it to measure it again)", P::WHAT);
        return Err(Error::format(&path, expected, "numbers of another place"));
    }
    Ok(Some(content.point))
}

fn keep<P: Place>(place: &P, folder: &Path, point: P::Point) -> Result<P::Point> {
    let content = Content { parameters: place.parameters(), point };
    files::write(&folder.join(file(place)), &content)?;
    Ok(content.point)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::experiments::run_directory::Kept;

    /// Of as much work as its number. The one of number `bad` cannot be measured, those below take until they are stopped.
    struct Toy {
        number: u64,
        bad: u64,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Square {
        number: u64,
        square: u64,
    }

    impl Place for Toy {
        type Point = Square;

        const WHAT: &'static str = "a square";

        fn name(&self) -> String {
            format!("{}.json", self.number)
        }

        fn parameters(&self) -> String {
            "squares".to_owned()
        }

        fn has_shape_of(&self, point: &Square) -> bool {
            point.number == self.number
        }

        fn cost(&self) -> Cost {
            Cost { work: self.number as f64, memory_bytes: 1.0, ..Cost::default() }
        }

        fn measure(&self, execution: &Execution) -> Result<Square> {
            execution.check_cancelled()?;
            if self.number < self.bad {
                loop {
                    std::thread::yield_now();
                    execution.check_cancelled()?;
                }
            }
            match self.number == self.bad {
                true => Err(Error::parameter("number", "another", self.number)),
                false => Ok(Square { number: self.number, square: self.number * self.number }),
            }
        }
    }

    fn measured(folder: &Path, numbers: &[u64], bad: u64, execution: &Execution) -> Result<Vec<Square>> {
        let options = Options::new(folder, Overwrite::Refuse);
        let kept = Kept { folder: FOLDER, lock: ".lock", grows: true };
        let config: BTreeMap<&str, u64> = BTreeMap::new();
        let mut directory = RunDirectory::new("squares", &options, &config, &[], kept)?;
        let _lock = directory.lock(&[])?;
        let places: Vec<Toy> = numbers.iter().map(|&number| Toy { number, bad }).collect();
        measure_missing(&places, "squares", &mut directory, &options, execution)
    }

    #[test]
    fn points_come_in_the_order_of_their_places_whoever_measures_them() {
        let numbers: Vec<u64> = (1..40).map(|k| k * 17 % 41).collect();
        for n_threads in [1, 3] {
            let folder = tempfile::tempdir().unwrap();
            let execution = Execution::with_threads(n_threads).unwrap();
            for count in [10, 39] {
                let points = measured(folder.path(), &numbers[..count], 0, &execution).unwrap();
                let squares =
                    numbers[..count].iter().map(|&number| Square { number, square: number * number });
                assert!(points.into_iter().eq(squares), "{n_threads}");
            }
        }
    }

    #[test]
    fn what_is_finished_before_a_failure_is_kept() {
        for n_threads in [1, 3] {
            let folder = tempfile::tempdir().unwrap();
            let execution = Execution::with_threads(n_threads).unwrap();
            let numbers: Vec<u64> = (1..40).rev().collect();
            let error = measured(folder.path(), &numbers, 20, &execution).unwrap_err();
            assert!(error.to_string().contains("found 20"), "{error}");
            let is_kept = |number: u64| folder.path().join(format!("points/{number}.json")).exists();
            // One of each other worker may have been on its way.
            let n_stopped = (21..40).filter(|&number| !is_kept(number)).count();
            assert!(n_stopped < n_threads && !(1..=20).any(is_kept), "{n_stopped}");
            assert!(!execution.cancel().is_cancelled());
            execution.cancel().cancel();
            let interrupted = measured(folder.path(), &numbers, 0, &execution);
            assert!(matches!(interrupted, Err(Error::Interrupted)));
        }
    }
}
