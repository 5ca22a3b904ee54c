//! The file of couplings: a container of kind "couplings" with `J` F32 [N, N] row-major, `theta` F32 [N] where neurons have
//! fields of their own, and in the metadata `scale` of both and `self_coupling` = "true" if the diagonal may differ from
//! zero. Files of [shards](super::shards) are written here too.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::fault::{fault_expected, first_fault};
use super::matrix::Couplings;
use super::panel::PANEL;
use super::row_range::RowRange;
use super::shards;
use super::values::MappedRows;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::{
    Container, DType, Description, InPlace, Layout, Overwrite, Tensor, write_container_with_room,
};

/// What the container says it is.
pub(super) const KIND: &str = "couplings";
/// The entry of couplings whose diagonal may differ from zero.
pub(super) const SELF_COUPLING: &str = "self_coupling";
/// Bytes of the header: the same whether it is written first or last.
pub(super) const HEADER_ROOM: usize = 16 << 10;

/// Bytes of J that are checked together: few enough to stay in memory meanwhile.
const SPAN_BYTES: usize = 64 << 20;

/// Rows of couplings as a file has them, checked.
pub(super) struct RowsOfFile {
    pub(super) mapped: MappedRows,
    pub(super) n_spins: usize,
    pub(super) scale: f64,
    pub(super) self_coupling: bool,
    pub(super) theta: Option<Vec<f32>>, // of these rows
    pub(super) description: Description,
}

impl RowsOfFile {
    /// Maps `rows` of J, all of them where none are given, after reading them once to check that they are finite, with a zero
    /// diagonal unless the file declares self-coupling, and that the file is what its hash says.
    pub(super) fn read(
        container: Container,
        rows: Option<Range<usize>>,
        execution: &Execution,
    ) -> Result<Self> {
        let path = container.path().to_owned();
        let (shape, _) = container.values::<f32>("J", DType::F32, 2)?;
        let n_spins = shape[1];
        let expected_rows = rows.as_ref().map_or(n_spins, Range::len);
        if shape[0] != expected_rows || n_spins == 0 || shape[0] == 0 {
            let expected = match rows {
                None => "J of shape [N, N] with N at least 1".to_owned(),
                Some(rows) => format!("J of {} rows", rows.len()),
            };
            return Err(Error::format(&path, expected, format!("shape {shape:?}")));
        }
        let rows = rows.unwrap_or(0..n_spins);
        if rows.end > n_spins {
            let expected = format!("J of {} columns at least, as rows {rows:?} have", rows.end);
            return Err(Error::format(&path, expected, format!("shape {shape:?}")));
        }
        let scale: f64 = container.entry("scale", "a finite positive number")?;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::format(&path, "a finite positive scale", scale.to_string()));
        }
        let self_coupling = match container.description().get(SELF_COUPLING).map(String::as_str) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(Error::format(&path, "self_coupling of true or false", other)),
        };
        let theta = match container.has("theta") {
            true => Some(container.values::<f32>("theta", DType::F32, 1)?.1.to_vec()),
            false => None,
        };
        let description = container.description().clone();
        let (mut check, start) = container.hash_check();
        let Some((content, range)) = container.into_content("J") else {
            unreachable!("the tensor was read above");
        };
        let mapped = MappedRows::new(&path, content, range.clone(), rows.clone());
        let mut update = |bytes: Range<usize>| {
            if let Some(check) = &mut check {
                check.update(mapped.content(bytes));
            }
        };
        update(start..range.start);
        // Span by span, so that what is read once is looked at twice.
        let n_rows = (SPAN_BYTES / (n_spins * size_of::<f32>())).next_multiple_of(PANEL).max(PANEL);
        for first in rows.clone().step_by(n_rows) {
            let span = first..rows.end.min(first + n_rows);
            let found = first_fault_of_all(n_spins, span.clone(), &mapped, self_coupling, execution)?;
            if let Some((i, j, value)) = found {
                return Err(Error::format(
                    &path,
                    format!("{} at J[{i}, {j}]", fault_expected(i, j, self_coupling)),
                    value.to_string(),
                ));
            }
            let byte = |row: usize| range.start + (row - rows.start) * n_spins * size_of::<f32>();
            update(byte(span.start)..byte(span.end));
        }
        update(range.end..mapped.n_bytes());
        if let Some(check) = check {
            check.finish(&path)?;
        }
        Ok(Self { mapped, n_spins, scale, self_coupling, theta, description })
    }
}

/// The first value that may not be there, whichever thread finds it.
fn first_fault_of_all(
    n_spins: usize,
    rows: Range<usize>,
    mapped: &MappedRows,
    self_coupling: bool,
    execution: &Execution,
) -> Result<Option<(usize, usize, f32)>> {
    let fault = Mutex::new(None);
    execution.for_each(
        rows.clone().step_by(PANEL),
        || (),
        |(), first| {
            let values = mapped.rows(&(first..rows.end.min(first + PANEL)), n_spins);
            if let Some(found) = first_fault(n_spins, first, values, self_coupling) {
                let mut first = fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if first.is_none_or(|(i, j, _)| (found.0, found.1) < (i, j)) {
                    *first = Some(found);
                }
            }
            Ok(())
        },
    )?;
    Ok(fault.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

impl Couplings {
    /// Maps couplings from a file, after reading them once to check that they are finite, with a zero diagonal unless the
    /// file declares self-coupling.
    ///
    /// The file must not be shortened while the couplings are in use: that is noticed between steps, not within one.
    ///
    /// # Errors
    /// If the file is no container of couplings, is truncated, has changed since it was written, or holds a faulty value.
    pub fn open(path: &Path, execution: &Execution) -> Result<Self> {
        Self::of_container(Container::open(path, KIND)?, execution)
    }

    /// The same, read whole into the memory of `execution` in place of mapped: for files that others may shorten.
    ///
    /// # Errors
    /// As [`open`](Self::open), or if there is no room.
    pub fn load(path: &Path, execution: &Execution) -> Result<Self> {
        Self::of_container(Container::load(path, KIND, execution.memory())?, execution)
    }

    fn of_container(container: Container, execution: &Execution) -> Result<Self> {
        let path = container.path().to_owned();
        let RowsOfFile { mapped, n_spins, scale, self_coupling, theta, description } =
            RowsOfFile::read(container, None, execution)?;
        let rows = RowRange::all(n_spins);
        let couplings = Self::mapped(n_spins, rows, vec![mapped], scale, self_coupling, description);
        match theta {
            Some(theta) => couplings.with_theta(theta).map_err(|error| error.in_file(&path)),
            None => Ok(couplings),
        }
    }

    /// All zero, in a new file that becomes a container of couplings once they are [published](Self::publish); with room for
    /// fields of the neurons.
    pub(crate) fn create(path: &Path, n_spins: usize, rows: RowRange, has_theta: bool) -> Result<Self> {
        let tensors = layout(n_spins, rows, has_theta);
        let home = InPlace::create(path, kind(rows), &tensors, HEADER_ROOM)?;
        Self::in_place(home, n_spins, rows, has_theta)
    }

    /// Those that such a file was left with.
    pub(crate) fn resume(path: &Path, n_spins: usize, rows: RowRange, has_theta: bool) -> Result<Self> {
        let tensors = layout(n_spins, rows, has_theta);
        let home = InPlace::open(path, kind(rows), &tensors, HEADER_ROOM)?;
        Self::in_place(home, n_spins, rows, has_theta)
    }

    fn in_place(home: InPlace, n_spins: usize, rows: RowRange, has_theta: bool) -> Result<Self> {
        let path = home.path().to_owned();
        let theta = if has_theta { Some(home.array::<f32>("theta")?.to_vec()) } else { None };
        let values = home.array("J")?;
        let couplings = Self::at_home(n_spins, rows, values, home);
        match theta {
            Some(theta) => couplings.with_theta(theta).map_err(|error| error.in_file(&path)),
            None => Ok(couplings),
        }
    }

    /// Writes the couplings atomically, with their description and scale.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written; if a coupling is not finite, or
    /// one on the diagonal is not 0 without self-coupling; if they are those of a shard and their description does not say of
    /// which run.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        self.write_as(self.description(), path, overwrite)
    }

    /// The same under another description.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_as(&self, description: &Description, path: &Path, overwrite: Overwrite) -> Result<()> {
        self.write_watched(description, path, overwrite, &mut |_| Ok(()))
    }

    /// Writes them as [`write`](Self::write), however large they are: tells how many MiB are written, and stops when asked.
    ///
    /// # Errors
    /// As [`write`](Self::write), or if interrupted.
    pub fn write_slowly(&self, path: &Path, overwrite: Overwrite, execution: &Execution) -> Result<()> {
        const MIB: usize = 1 << 20;
        let n_bytes = size_of::<f32>() * self.neurons().len() * self.n_spins();
        execution.progress().begin("writing (MiB)", n_bytes.div_ceil(MIB) as u64);
        let mut total = 0;
        let written = self.write_watched(self.description(), path, overwrite, &mut |n_bytes| {
            execution.progress().advance(((total + n_bytes) / MIB - total / MIB) as u64);
            total += n_bytes;
            execution.check_cancelled()
        });
        execution.progress().end();
        written
    }

    /// Tells `written` how many bytes more are written.
    fn write_watched(
        &self,
        description: &Description,
        path: &Path,
        overwrite: Overwrite,
        written: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        // What could not be read again is not written.
        let (first, self_coupling) = (self.neurons().start, self.has_self_coupling());
        if !self.are_checked()
            && let Some((i, j, value)) = first_fault(self.n_spins(), first, self.values(), self_coupling)
        {
            let expected = fault_expected(i, j, self_coupling);
            return Err(Error::shape(format!("coupling ({i}, {j})"), expected, value.to_string()));
        }
        let n_rows = self.neurons().len();
        let tensor = Tensor::f32_in_pieces("J", &[n_rows, self.n_spins()], &self.pieces());
        let theta = self.theta().map(|theta| Tensor::f32("theta", &[theta.len()], theta));
        let tensors: Vec<_> = std::iter::once(tensor).chain(theta).collect();
        let description = self.description_of_file(description)?;
        let kind = kind(self.row_range());
        write_container_with_room(path, kind, &description, &tensors, HEADER_ROOM, overwrite, written)
    }

    /// Makes the file in which they are a container and gives it the name `path` too, without a copy, where they are in a file
    /// of their own with room for their description; else as [`write`](Self::write). They may not change afterwards.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn publish(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        let description = self.description_of_file(self.description())?;
        match self.home() {
            Some(home) if home.has_room_for(&description) => {
                self.complete(home, true, description)?;
                home.publish(path, overwrite)
            }
            _ => self.write(path, overwrite),
        }
    }

    /// Puts the file in which they are on disk, as a container without a hash; nothing where there is none.
    pub(crate) fn flush(&self) -> Result<()> {
        self.home().map_or(Ok(()), |home| self.complete(home, false, self.with_shape(self.description())))
    }

    /// Makes the file in which they are no container until it is [flushed](Self::flush).
    pub(crate) fn take_header(&self) -> Result<()> {
        self.home().map_or(Ok(()), InPlace::take_header)
    }

    /// The file in which they are, to be put on disk by others.
    pub(crate) fn synced(&self) -> Result<Option<(PathBuf, File)>> {
        self.home().map(InPlace::synced).transpose()
    }

    fn complete(&self, home: &InPlace, hashed: bool, description: Description) -> Result<()> {
        if let Some(theta) = self.theta() {
            home.write("theta", theta)?;
        }
        home.complete(&description, hashed)
    }

    /// The description of a file that others read.
    fn description_of_file(&self, description: &Description) -> Result<Description> {
        if self.row_range().is_shard() {
            shards::check_description(description)?;
        }
        Ok(self.with_shape(description))
    }

    /// A description, and what a reader of the file must know.
    fn with_shape(&self, description: &Description) -> Description {
        let mut description = description.clone();
        description.insert("scale".into(), self.scale().to_string());
        description.insert("n".into(), self.n_spins().to_string());
        if self.row_range().is_shard() {
            description.insert(shards::ROWS.into(), self.row_range().to_string());
        }
        match self.has_self_coupling() {
            true => description.insert(SELF_COUPLING.into(), "true".into()),
            false => description.remove(SELF_COUPLING),
        };
        description
    }
}

/// What the file of these rows says it is.
fn kind(rows: RowRange) -> &'static str {
    if rows.is_shard() { shards::KIND } else { KIND }
}

/// The tensors of a file of couplings.
fn layout(n_spins: usize, rows: RowRange, has_theta: bool) -> Vec<Layout<'static>> {
    let matrix = Layout { name: "J", dtype: DType::F32, shape: vec![rows.len(), n_spins] };
    let theta = has_theta.then(|| Layout { name: "theta", dtype: DType::F32, shape: vec![rows.len()] });
    std::iter::once(matrix).chain(theta).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_couplings_equal_the_written_ones() {
        let execution = Execution::with_threads(2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("J.safetensors");
        let n = 37;
        let rows: Vec<f32> =
            (0..n * n).map(|x| if x % (n + 1) == 0 { 0.0 } else { x as f32 - 600.0 }).collect();
        let theta: Vec<f32> = (0..n).map(|i| i as f32 - 3.5).collect();
        let couplings = Couplings::from_rows(n, rows).unwrap().with_scale(1.0 / n as f64).unwrap();
        let couplings = couplings.with_theta(theta).unwrap();
        couplings.write(&path, Overwrite::Refuse).unwrap();
        let mapped = Couplings::open(&path, &execution).unwrap();
        assert_eq!(mapped.values(), couplings.values());
        assert_eq!(mapped.theta(), couplings.theta());
        assert_eq!(mapped.scale().to_bits(), couplings.scale().to_bits());

        let mut bytes = std::fs::read(&path).unwrap();
        // J comes first, theta after it.
        let last = bytes.len() - 4 * n - 8;
        bytes[last..last + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let error = Couplings::open(&path, &execution).unwrap_err().to_string();
        assert!(error.contains("J[36, 35]") && error.contains("NaN"), "{error}");
    }

    /// In a file of their own, with a description that its header has room for, and one that it has not.
    #[test]
    fn published_couplings_are_the_written_ones() {
        let execution = Execution::with_threads(1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for length in [10, 30_000] {
            let home = path(&format!("home-{length}"));
            let mut couplings = Couplings::create(&home, 5, RowRange::all(5), true).unwrap();
            couplings.values_mut()[1] = 2.0;
            let description = Description::from([("command".into(), "x".repeat(length))]);
            let couplings = couplings.with_theta(vec![0.5; 5]).unwrap().with_description(description.clone());
            let (published, written) =
                (path(&format!("published-{length}")), path(&format!("written-{length}")));
            couplings.publish(&published, Overwrite::Refuse).unwrap();
            couplings.write(&written, Overwrite::Refuse).unwrap();
            assert!(std::fs::read(&published).unwrap() == std::fs::read(&written).unwrap());
            let read = Couplings::open(&published, &execution).unwrap();
            assert_eq!((read.values()[1], read.theta()), (2.0, Some(&[0.5; 5][..])));
            assert_eq!(read.description()["command"], description["command"]);
        }
    }

    #[test]
    fn self_coupling_survives_the_file_and_is_refused_undeclared() {
        let execution = Execution::with_threads(1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("J.safetensors");
        let plain = Couplings::from_rows(2, vec![0.0, 1.0, 2.0, 0.0]).unwrap();
        let own = plain.with_self_coupling(&[5.0, -6.0]).unwrap();
        own.write(&path, Overwrite::Refuse).unwrap();
        let mapped = Couplings::open(&path, &execution).unwrap();
        assert!(mapped.has_self_coupling() && mapped.clone().has_self_coupling());
        assert_eq!(mapped.values(), [5.0, 1.0, 2.0, -6.0]);
        assert_eq!(mapped.description()[SELF_COUPLING], "true");

        // The same length, so that only the declaration changes.
        for value in ["none", "null"] {
            let text = format!("\"{SELF_COUPLING}\":\"true\"");
            let bytes = std::fs::read(&path).unwrap();
            let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
            let mut changed = bytes.clone();
            changed[at + text.len() - 5..at + text.len() - 1].copy_from_slice(value.as_bytes());
            let other = folder.path().join(format!("{value}.safetensors"));
            std::fs::write(&other, &changed).unwrap();
            let error = Couplings::open(&other, &execution).unwrap_err().to_string();
            assert!(error.contains("true or false") && error.contains(value), "{error}");
            // An entry of another name declares nothing.
            changed = bytes;
            changed[at + 1] = b'S';
            std::fs::write(&other, &changed).unwrap();
            let error = Couplings::open(&other, &execution).unwrap_err().to_string();
            assert!(error.contains("0 on the diagonal at J[0, 0]"), "{error}");
        }
    }
}
