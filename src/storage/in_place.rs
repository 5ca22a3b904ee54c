//! Containers that are filled in place: their arrays are mapped for writing, and the header comes when they are complete.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use bytemuck::Pod;

use super::atomic::{Overwrite, check_output, folder_of, write_atomically};
use super::container::Description;
use super::integrity::fill_in_hash;
use super::task_log::remove_file;
use super::tensor::{Layout, header};
use crate::error::{Error, Result};
use crate::execution::{Array, reserve};

/// A container under way. It has its full length from the start, so that no disk fills up later.
#[derive(Debug)]
pub(crate) struct InPlace {
    path: PathBuf,
    file: File,
    kind: &'static str,
    tensors: Vec<Layout<'static>>,
    room: usize,
}

impl InPlace {
    /// A new file of zeros, replacing what was there, with `room` bytes for its header; larger elements come first among
    /// `tensors`.
    ///
    /// # Errors
    /// If it cannot be written, or the disk is full: nothing is left then.
    pub(crate) fn create(
        path: &Path,
        kind: &'static str,
        tensors: &[Layout<'static>],
        room: usize,
    ) -> Result<Self> {
        // Never into the file that is there: it may have another name too, that of an output.
        remove_file(path)?;
        let file = File::options().create_new(true).read(true).write(true).open(path);
        let file = file.map_err(Error::io(path, "create"))?;
        let in_place = Self::new(path, file, kind, tensors, room);
        if let Err(error) = reserve(&in_place.file, 0, in_place.n_bytes()) {
            let _ = std::fs::remove_file(path);
            return Err(Error::io(path, "reserve disk space for this file")(error));
        }
        Ok(in_place)
    }

    /// One that was created before with the same tensors. Where the file has another name too, as one that was published has, it is
    /// copied first: that name keeps what it is.
    ///
    /// # Errors
    /// If it is not there, of another length, or cannot be copied.
    pub(crate) fn open(
        path: &Path,
        kind: &'static str,
        tensors: &[Layout<'static>],
        room: usize,
    ) -> Result<Self> {
        own_copy(path)?;
        let file = File::options().read(true).write(true).open(path).map_err(Error::io(path, "open"))?;
        let in_place = Self::new(path, file, kind, tensors, room);
        let found = in_place.file.metadata().map_err(Error::io(path, "read the length"))?.len();
        if found != in_place.n_bytes() {
            let expected = format!("{} bytes", in_place.n_bytes());
            return Err(Error::format(path, expected, found.to_string()));
        }
        Ok(in_place)
    }

    fn new(path: &Path, file: File, kind: &'static str, tensors: &[Layout<'static>], room: usize) -> Self {
        Self { path: path.to_owned(), file, kind, tensors: tensors.to_vec(), room }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn n_bytes(&self) -> u64 {
        self.room as u64 + self.tensors.iter().map(|tensor| tensor.n_bytes() as u64).sum::<u64>()
    }

    /// The file once more, to put what is written to it on disk.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn synced(&self) -> Result<(PathBuf, File)> {
        let file = self.file.try_clone().map_err(Error::io(&self.path, "open again"))?;
        Ok((self.path.clone(), file))
    }

    /// The values of a tensor, mapped for writing.
    ///
    /// # Errors
    /// If the system refuses, or there is none of that name.
    pub(crate) fn array<T: Pod>(&self, name: &str) -> Result<Array<T>> {
        let mut offset = self.room;
        for tensor in &self.tensors {
            if tensor.name == name {
                return Array::in_file(&self.file, offset as u64, tensor.n_bytes() / size_of::<T>())
                    .map_err(Error::io(&self.path, "map"));
            }
            offset += tensor.n_bytes();
        }
        Err(Error::format(&self.path, format!("a tensor {name:?}"), "none"))
    }

    /// Overwrites the values of a tensor.
    ///
    /// # Errors
    /// As [`array`](Self::array), or if it cannot be written.
    pub(crate) fn write<T: Pod>(&self, name: &str, values: &[T]) -> Result<()> {
        self.array::<T>(name)?.copy_from_slice(values);
        Ok(())
    }

    /// Whether a header with this description fits its room.
    pub(crate) fn has_room_for(&self, description: &Description) -> bool {
        header(self.kind, description, &self.tensors, self.room).len() <= self.room
    }

    /// Writes the header and puts everything on disk. With `hashed` the file is read once more for its hash.
    ///
    /// # Errors
    /// If the description does not fit its room, or the disk refuses.
    pub(crate) fn complete(&self, description: &Description, hashed: bool) -> Result<()> {
        let mut header = header(self.kind, description, &self.tensors, self.room);
        if header.len() > self.room {
            let expected = format!("a description of at most {} bytes", self.room);
            return Err(Error::shape("header", expected, format!("{} bytes", header.len())));
        }
        if hashed {
            let (start, end) = (self.room as u64, self.n_bytes());
            let data = Array::<u8>::in_file(&self.file, start, (end - start) as usize)
                .map_err(Error::io(&self.path, "map"))?;
            let mut hasher = blake3::Hasher::new();
            hasher.update(&header).update(&data);
            fill_in_hash(&mut header, &hasher);
        }
        let written = self.file.write_all_at(&header, 0).and_then(|()| self.file.sync_data());
        written.map_err(Error::io(&self.path, "write"))
    }

    /// Takes the header away: until it is complete again, this is no container.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn take_header(&self) -> Result<()> {
        let written = self.file.write_all_at(&[0; size_of::<u64>()], 0).and_then(|()| self.file.sync_data());
        written.map_err(Error::io(&self.path, "write"))
    }

    /// Gives the complete file the name `path` too, without copying it where the file system can. Later writes would be
    /// seen under both names.
    ///
    /// # Errors
    /// As [`check_output`], or if it cannot be written.
    pub(crate) fn publish(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        check_output(path, overwrite)?;
        let folder = folder_of(path);
        // As of atomic writes, which know their own after a kill.
        let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
        let linked = tempfile::Builder::new().prefix(&prefix).suffix(".tmp").make_in(folder, |name| {
            std::fs::hard_link(&self.path, name).or_else(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => Err(error),
                _ => std::fs::copy(&self.path, name).map(drop),
            })
        });
        let linked = linked.map_err(Error::io(path, "write a file in this folder"))?;
        let temporary = linked.path().to_owned();
        let renamed = match overwrite {
            Overwrite::Replace => linked.persist(path).map(drop).map_err(|error| error.error),
            Overwrite::Refuse => linked.persist_noclobber(path).map(drop).map_err(|error| error.error),
        };
        renamed.map_err(Error::io(path, "rename the finished file to this name"))?;
        // To rename one name of a file to another of the same file changes nothing.
        remove_file(&temporary)?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder, "flush the folder"))
    }
}

/// Gives a file of several names a copy of its own under this one.
fn own_copy(path: &Path) -> Result<()> {
    let names = std::fs::metadata(path).map_err(Error::io(path, "open"))?.nlink();
    if names < 2 {
        return Ok(());
    }
    write_atomically(path, Overwrite::Replace, |copy| {
        let mut file = File::open(path).map_err(Error::io(path, "open"))?;
        std::io::copy(&mut file, copy).map(drop).map_err(Error::io(path, "copy"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Container, DType, Integrity};

    fn layout() -> [Layout<'static>; 2] {
        let tensor = |name, shape: &[usize]| Layout { name, dtype: DType::F32, shape: shape.to_vec() };
        [tensor("x", &[2, 3]), tensor("y", &[1])]
    }

    #[test]
    fn what_was_filled_in_is_found_again_and_published_under_one_name_only() {
        let folder = tempfile::tempdir().unwrap();
        let (path, published) = (folder.path().join("a"), folder.path().join("b"));
        let in_place = InPlace::create(&path, "test", &layout(), 4096).unwrap();
        in_place.array::<f32>("x").unwrap()[5] = 2.5;
        drop(in_place);
        let in_place = InPlace::open(&path, "test", &layout(), 4096).unwrap();
        in_place.write("y", &[7.0f32]).unwrap();
        assert!(in_place.array::<f32>("z").is_err());
        let description = Description::from([("seed".into(), "3".into())]);
        in_place.complete(&description, false).unwrap();
        assert_eq!(Container::open(&path, "test").unwrap().integrity(), Integrity::Unhashed);
        in_place.complete(&description, true).unwrap();
        in_place.publish(&published, Overwrite::Refuse).unwrap();
        assert!(matches!(in_place.publish(&published, Overwrite::Refuse), Err(Error::Exists { .. })));
        in_place.publish(&published, Overwrite::Replace).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 2);
        let container = Container::open(&published, "test").unwrap();
        assert_eq!(container.integrity(), Integrity::Whole);
        assert_eq!(container.values::<f32>("x", DType::F32, 2).unwrap().1, [0.0, 0.0, 0.0, 0.0, 0.0, 2.5]);
        assert_eq!(container.values::<f32>("y", DType::F32, 1).unwrap().1, [7.0]);
        // What goes on in place, or begins again, leaves what was published.
        let before = std::fs::read(&published).unwrap();
        let reopened = InPlace::open(&path, "test", &layout(), 4096).unwrap();
        reopened.take_header().unwrap();
        reopened.write("y", &[8.0f32]).unwrap();
        assert!(Container::open(&path, "test").is_err());
        InPlace::create(&path, "test", &layout(), 4096).unwrap();
        assert_eq!(std::fs::read(&published).unwrap(), before);
        let long = Description::from([("long".into(), "x".repeat(5000))]);
        assert!(in_place.has_room_for(&description) && !in_place.has_room_for(&long));
        assert!(in_place.complete(&long, false).is_err());
        let other = [Layout { name: "x", dtype: DType::F32, shape: vec![2, 4] }];
        assert!(InPlace::open(&path, "test", &other, 4096).is_err());
    }
}
