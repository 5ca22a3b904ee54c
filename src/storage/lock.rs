//! A folder that one run at a time writes into.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

const NAME: &str = ".lock";

/// Holds a folder until it is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "closing the file gives the folder back")] File);

impl FolderLock {
    /// Takes the folder, and removes what unfinished writes of a run that was killed have left in it and in its folders
    /// `inside`.
    ///
    /// # Errors
    /// If another run holds it, or nothing can be written there.
    pub fn take(folder: &Path, inside: &[&str]) -> Result<Self> {
        let path = folder.join(NAME);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io(folder, "write a file in this folder"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::format(folder, "a folder that no other run writes into", "one that does"));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io(&path, "lock")(error)),
        }
        for folder in std::iter::once(folder.to_owned()).chain(inside.iter().map(|name| folder.join(name))) {
            remove_unfinished(&folder)?;
        }
        Ok(Self(file))
    }
}

/// Removes temporaries, named as atomic writes name them.
fn remove_unfinished(folder: &Path) -> Result<()> {
    let Ok(entries) = folder.read_dir() else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(super::atomic::TEMPORARY) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(Error::io(&path, "remove"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Overwrite, write_bytes};

    #[test]
    fn a_folder_is_held_once_and_freed_of_unfinished_writes() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("points");
        std::fs::create_dir(&inside).unwrap();
        for unfinished in [folder.path().join(".a.json.x1.tmp"), inside.join(".b.json.x2.tmp")] {
            std::fs::write(unfinished, "half").unwrap();
        }
        write_bytes(&inside.join("b.json"), Overwrite::Refuse, b"whole").unwrap();
        let lock = FolderLock::take(folder.path(), &["points"]).unwrap();
        assert_eq!(inside.read_dir().unwrap().count(), 1);
        assert_eq!(folder.path().read_dir().unwrap().count(), 2);
        let error = FolderLock::take(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("no other run"), "{error}");
        drop(lock);
        assert!(FolderLock::take(folder.path(), &[]).is_ok());
    }
}
