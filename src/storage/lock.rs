//! A folder that one run at a time writes into.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

/// Holds a folder until it is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "closing the file gives the folder back")] File);

impl FolderLock {
    /// Takes the folder of the lock file at `path`, which is made if it is not there and stays.
    ///
    /// # Errors
    /// If another run holds it, or nothing can be written there.
    pub fn take(path: &Path) -> Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(Error::io(path, "write"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                let folder = path.parent().unwrap_or(path);
                Err(Error::format(folder, "a folder that no other run writes into", "one that does"))
            }
            Err(TryLockError::Error(error)) => Err(Error::io(path, "lock")(error)),
        }
    }
}

/// Removes from a folder what atomic writes of a run that was killed have left there: temporaries of the files that `is_ours`
/// knows by name, and temporary folders.
///
/// # Errors
/// If one cannot be removed.
pub fn remove_unfinished(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    let Ok(entries) = folder.read_dir() else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        // ".<name of the file>.<random>.tmp"
        let unfinished = name.to_str().and_then(|name| {
            let (file, random) =
                name.strip_prefix('.')?.strip_suffix(super::atomic::TEMPORARY)?.rsplit_once('.')?;
            (!random.is_empty() && is_ours(file)).then_some(())
        });
        if unfinished.is_some() {
            let path = entry.path();
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(Error::io(&path, "remove"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Overwrite, write_bytes};

    #[test]
    fn a_folder_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let lock = FolderLock::take(&path).unwrap();
        let error = FolderLock::take(&path).unwrap_err().to_string();
        assert!(error.contains("no other run"), "{error}");
        drop(lock);
        assert!(FolderLock::take(&path).is_ok());
    }

    #[test]
    fn only_our_own_unfinished_writes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path(".a.json.x1Y2z3.tmp"), "half").unwrap();
        std::fs::create_dir(path(".a.json.b.tmp")).unwrap();
        std::fs::write(path(".a.json.b.tmp/inside"), "half").unwrap();
        let others = [".b.json.x1Y2z3.tmp", "a.json.x.tmp", ".a.json.tmp", ".a.json.x.bak"];
        others.iter().for_each(|name| std::fs::write(path(name), "mine").unwrap());
        write_bytes(&path("a.json"), Overwrite::Refuse, b"whole").unwrap();
        remove_unfinished(folder.path(), |file| file == "a.json").unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), others.len() + 1);
        assert!(others.iter().all(|name| path(name).exists()));
    }
}
