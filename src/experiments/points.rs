//! Points of an experiment: measurements of one kind that do not depend on one another, each kept as a file of its own.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Options;
use super::kept as files;
use super::run_directory::RunDirectory;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::Overwrite;

/// Folder of the files within a run directory.
pub(super) const FOLDER: &str = "points";

/// The place of a point among the files, and how it is measured.
pub(super) trait Place {
    type Point: Serialize + DeserializeOwned;

    /// What a point is, for errors.
    const WHAT: &'static str;

    /// Its file, within [`FOLDER`].
    fn name(&self) -> String;

    /// Everything that the numbers depend on, as text.
    fn parameters(&self) -> String;

    /// Whether a point that was kept has the shape and place of this one.
    fn has_shape_of(&self, point: &Self::Point) -> bool;

    /// Work, in any unit.
    fn work(&self) -> u64 {
        1
    }

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
    let found = kept(places, directory, options)?;
    directory.begin_anew()?;
    execution.progress().begin(what, places.iter().map(Place::work).sum());
    let points = places.iter().zip(found).map(|(place, found)| {
        let point = match found {
            Some(point) => point,
            None => keep(place, directory.folder(), place.measure(execution)?)?,
        };
        directory.holds(&file(place))?;
        execution.progress().advance(place.work());
        Ok(point)
    });
    let points = points.collect();
    execution.progress().end();
    points
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
        let expected = format!("{} of the place that its name says (--force measures it again)", P::WHAT);
        return Err(Error::format(&path, expected, "numbers of another place"));
    }
    Ok(Some(content.point))
}

fn keep<P: Place>(place: &P, folder: &Path, point: P::Point) -> Result<P::Point> {
    let content = Content { parameters: place.parameters(), point };
    files::write(&folder.join(file(place)), &content)?;
    Ok(content.point)
}
