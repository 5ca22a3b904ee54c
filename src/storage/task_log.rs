//! A log of finished tasks: what a run that was killed need not do again.
//!
//! Lines of JSON: what the run is, then one line a task with what is to be remembered of it, and a hash of this and of the data
//! it left in some file. A line is written only after the data are on disk. On the way back a task counts as finished if the
//! hash still holds, so that neither a damaged line nor lost data can pass for finished work.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::execution::Keep;

/// Tasks that are finished, and the file that says so.
pub(crate) struct TaskLog {
    path: PathBuf,
    keep: Keep,
    found: BTreeMap<usize, Task>,
    state: Mutex<State>,
}

struct State {
    file: File,
    waiting: String,
    since: Instant,
}

#[derive(Serialize, Deserialize)]
struct Task {
    task: usize,
    blake3: String,
    result: Value,
}

/// The files whose data a log speaks of.
pub(crate) struct Synced(pub(crate) Vec<(PathBuf, File)>);

impl Synced {
    /// Puts them on disk.
    fn flush(&self) -> Result<()> {
        self.0.iter().try_for_each(|(path, file)| file.sync_data().map_err(Error::io(path, "flush")))
    }
}

impl TaskLog {
    /// The log `name` of the folder of `keep`, with what it says already if it is of the same `run`; else begun anew.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub(crate) fn open(keep: &Keep, name: &str, run: &Value) -> Result<Self> {
        let path = keep.folder().join(name);
        let content = match std::fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::io(&path, "read")(error)),
        };
        let mut found = BTreeMap::new();
        let mut sound = 0;
        let mut lines = content.split_inclusive(|&byte| byte == b'\n');
        if let Some(first) = lines.next()
            && serde_json::from_slice::<Value>(first).ok().as_ref() == Some(run)
            && first.ends_with(b"\n")
        {
            sound = first.len();
            for line in lines {
                let Ok(task) = serde_json::from_slice::<Task>(line) else { break };
                if !line.ends_with(b"\n") {
                    break;
                }
                sound += line.len();
                found.insert(task.task, task);
            }
        }
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let mut file = file.map_err(Error::io(&path, "write"))?;
        let prepare = |file: &mut File| {
            file.set_len(sound as u64)?;
            file.seek(SeekFrom::End(0))?;
            if sound == 0 {
                file.write_all(format!("{run}\n").as_bytes())?;
            }
            file.sync_data()
        };
        prepare(&mut file).map_err(Error::io(&path, "write"))?;
        let state = State { file, waiting: String::new(), since: Instant::now() };
        Ok(Self { path, keep: keep.clone(), found, state: Mutex::new(state) })
    }

    /// What was remembered of a task, if it was finished and its data are what they were then.
    pub(crate) fn result(&self, task: usize, data: &[&[u8]]) -> Option<&Value> {
        let found = self.found.get(&task)?;
        (found.blake3 == hash(task, &found.result, data)).then_some(&found.result)
    }

    /// Remembers a finished task; what waits is written once it is due.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn finished(&self, task: usize, data: &[&[u8]], result: Value, synced: &Synced) -> Result<()> {
        let line = serde_json::to_string(&Task { task, blake3: hash(task, &result, data), result });
        let line = line.map_err(|error| Error::io(&self.path, "write")(error.into()))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += &line;
        state.waiting.push('\n');
        if self.keep.is_due(state.since.elapsed()) {
            state.write(&self.path, synced)?;
        }
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn commit(&self, synced: &Synced) -> Result<()> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).write(&self.path, synced)
    }

    /// Removes the log of `name`, if there is one.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn remove(keep: &Keep, name: &str) -> Result<()> {
        remove_file(&keep.folder().join(name))
    }
}

/// Removes a file that may be missing.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

impl State {
    fn write(&mut self, path: &Path, synced: &Synced) -> Result<()> {
        if !self.waiting.is_empty() {
            synced.flush()?;
            let written = self.file.write_all(self.waiting.as_bytes()).and_then(|()| self.file.sync_data());
            written.map_err(Error::io(path, "write"))?;
            self.waiting.clear();
        }
        self.since = Instant::now();
        Ok(())
    }
}

/// What holds a task, its result and its data together.
fn hash(task: usize, result: &Value, data: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{task} {result}\n").as_bytes());
    data.iter().for_each(|bytes| {
        hasher.update(bytes);
    });
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    /// Whatever number of bytes of the log a kill leaves: finished tasks are those of whole lines, and the log goes on.
    #[test]
    fn whole_lines_of_the_same_run_count_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path(), Duration::ZERO);
        let (run, synced) = (json!({ "epoch": 3 }), Synced(Vec::new()));
        let log = TaskLog::open(&keep, "log", &run).unwrap();
        for task in 0..3usize {
            log.finished(task, &[&[task as u8], &[7]], json!(task), &synced).unwrap();
        }
        let path = folder.path().join("log");
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let log = TaskLog::open(&keep, "log", &run).unwrap();
            let lines = whole[..length].iter().filter(|&&byte| byte == b'\n').count();
            for task in 0..3 {
                let expected = (task + 2 <= lines).then(|| json!(task));
                assert_eq!(log.result(task, &[&[task as u8], &[7]]), expected.as_ref(), "{length} bytes");
                assert_eq!(log.result(task, &[&[task as u8], &[8]]), None);
            }
            log.finished(5, &[], Value::Null, &synced).unwrap();
            assert!(TaskLog::open(&keep, "log", &run).unwrap().result(5, &[]).is_some());
        }
        assert!(TaskLog::open(&keep, "log", &json!({ "epoch": 4 })).unwrap().found.is_empty());
        TaskLog::remove(&keep, "log").unwrap();
        TaskLog::remove(&keep, "log").unwrap();
    }

    /// What waits is not written before it is due, unless asked for.
    #[test]
    fn tasks_wait_until_they_are_due() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path(), Duration::from_secs(3600));
        let (run, synced) = (json!(1), Synced(Vec::new()));
        let log = TaskLog::open(&keep, "log", &run).unwrap();
        let n_found = || TaskLog::open(&keep, "log", &run).unwrap().found.len();
        log.finished(0, &[], Value::Null, &synced).unwrap();
        assert_eq!(n_found(), 0);
        keep.flag().store(true, std::sync::atomic::Ordering::Relaxed);
        log.finished(1, &[], Value::Null, &synced).unwrap();
        assert_eq!(n_found(), 2);
        log.finished(2, &[], Value::Null, &synced).unwrap();
        log.commit(&synced).unwrap();
        assert_eq!(n_found(), 3);
    }
}
