//! Atomic writes: a temporary in the same folder, fsync, rename. A reader sees the old file or the new one, whole.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// How the names of temporaries end.
pub(super) const TEMPORARY: &str = ".tmp";

/// What to do where the output exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse with [`Error::Exists`].
    Refuse,
    /// Replace it.
    Replace,
}

/// Checks that a file can be written at `path`: before long work, not after it.
///
/// # Errors
/// If the file exists and may not be replaced, the path is no name of a file, or its folder takes no new one.
pub fn check_output(path: &Path, overwrite: Overwrite) -> Result<()> {
    if path.is_dir() {
        return Err(Error::format(path, "a file to write", "a folder"));
    }
    // Of `new/` and `new/.` the last component is `new`, while the system takes them for folders.
    let ends_with = |name: &OsStr| path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes());
    if !path.file_name().is_some_and(ends_with) {
        return Err(Error::format(path, "a file to write", "a name that only a folder can have"));
    }
    if path.is_symlink() && !path.exists() {
        // The file would replace the link, not come to where it leads.
        return Err(Error::format(path, "a file to write", "a symbolic link to nothing"));
    }
    if path.exists() && !path.is_file() {
        // Renaming onto it would replace the device itself.
        return Err(Error::format(path, "a file to write", "a pipe or device"));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let found = if folder.exists() { "a file of that name" } else { "no such folder" };
        return Err(Error::format(path, format!("a folder {} to write it in", folder.display()), found));
    }
    if overwrite == Overwrite::Refuse && path.exists() {
        return Err(Error::Exists { path: path.to_owned() });
    }
    temporary_beside(path).map(drop)
}

/// Writes a file by `write`, which gets an empty file open for reading and writing.
///
/// # Errors
/// As [`check_output`], or what `write` returns; the file at `path` is then untouched and the temporary is removed.
pub fn write_atomically(
    path: &Path,
    overwrite: Overwrite,
    write: impl FnOnce(&mut File) -> Result<()>,
) -> Result<()> {
    check_output(path, overwrite)?;
    let mut temporary = temporary_beside(path)?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all().map_err(Error::io(path, "flush"))?;
    let renamed = match overwrite {
        Overwrite::Replace => temporary.persist(path),
        Overwrite::Refuse => temporary.persist_noclobber(path),
    };
    match renamed {
        Ok(_) => {}
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::Exists { path: path.to_owned() });
        }
        Err(error) => return Err(Error::io(path, "rename the finished file to this name")(error.error)),
    }
    // The rename itself survives a crash only once the folder is on disk.
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder, "flush the folder"))
}

/// Writes `bytes` as a file.
///
/// # Errors
/// As [`check_output`], or if the disk is full.
pub fn write_bytes(path: &Path, overwrite: Overwrite, bytes: &[u8]) -> Result<()> {
    write_atomically(path, overwrite, |file| file.write_all(bytes).map_err(Error::io(path, "write")))
}

/// The folder that a file of this name is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary_beside(path: &Path) -> Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut builder = tempfile::Builder::new();
    // Readable like any file the user writes, not only by its owner.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
        .prefix(&format!(".{name}."))
        .suffix(TEMPORARY)
        .tempfile_in(folder_of(path))
        // tempfile names the temporary in its error; the user knows only the output.
        .map_err(|error| Error::io(path, "write a file in this folder")(error.kind().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, overwrite: Overwrite, content: &str) -> Result<()> {
        write_bytes(path, overwrite, content.as_bytes())
    }

    #[test]
    fn an_existing_file_is_kept_unless_replacing_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, Overwrite::Refuse, "first").unwrap();
        assert!(matches!(write(&path, Overwrite::Refuse, "second"), Err(Error::Exists { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        write(&path, Overwrite::Replace, "third").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "third");
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let failed = write_atomically(&path, Overwrite::Refuse, |_| Err(Error::Interrupted));
        assert!(matches!(failed, Err(Error::Interrupted)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(write(&folder.path().join("missing/a"), Overwrite::Refuse, "").is_err());
        assert!(write(folder.path(), Overwrite::Replace, "").is_err());
    }
}
