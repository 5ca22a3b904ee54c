//! Large arrays: in memory while a budget lasts, beyond it in files that vanish with them.

use std::fs::File;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Pod;
use memmap2::{MmapMut, MmapOptions};

use crate::error::{Error, Result};

/// A budget of anonymous memory for large arrays, and a folder for those that it does not hold. Clones share both.
///
/// The bits of results depend on neither. An array in a file is mapped: its pages are the system's to keep or to write back.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    budget: u64,
    in_use: AtomicU64,
    folder: Option<PathBuf>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::unlimited()
    }
}

impl Memory {
    /// As much as the system gives.
    pub fn unlimited() -> Self {
        Self(Arc::new(Inner { budget: u64::MAX, in_use: AtomicU64::new(0), folder: None }))
    }

    /// At most `budget` bytes at a time; arrays beyond it become files in `folder`, or are refused without one.
    pub fn limited(budget: u64, folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned);
        Self(Arc::new(Inner { budget, in_use: AtomicU64::new(0), folder }))
    }

    /// Bytes that large arrays may take.
    pub fn budget(&self) -> u64 {
        self.0.budget
    }

    /// Takes bytes out of the budget for good, for what is not an array.
    pub fn set_aside(&self, bytes: u64) {
        self.0.in_use.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that are left of it.
    pub fn left(&self) -> u64 {
        self.0.budget.saturating_sub(self.0.in_use.load(Ordering::Relaxed))
    }

    /// Whether so many bytes more would stay in memory.
    pub fn holds(&self, bytes: u64) -> bool {
        bytes <= self.left()
    }

    /// Takes so many bytes of it until what is returned is dropped; none where they are not left.
    pub(crate) fn grant(&self, bytes: u64) -> Option<Grant> {
        let taken = self.0.in_use.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |in_use| {
            in_use.checked_add(bytes).filter(|&total| total <= self.0.budget)
        });
        taken.is_ok().then(|| Grant { memory: self.clone(), bytes })
    }

    /// `len` zeros; `what` they are is said in errors.
    ///
    /// # Errors
    /// If they are beyond the budget and there is no folder, its disk is full, or the system refuses.
    pub(crate) fn zeros<T: Pod>(&self, len: usize, what: &str) -> Result<Array<T>> {
        let n_bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= isize::MAX as usize);
        let Some(n_bytes) = n_bytes else {
            let found = format!("{len} values of {} bytes", size_of::<T>());
            return Err(Error::parameter("memory", format!("room for {what}"), found));
        };
        let grant = self.grant(n_bytes as u64);
        match (&grant, &self.0.folder) {
            (Some(_), _) => Array::anonymous(len, grant, what),
            (None, Some(folder)) => {
                let file = tempfile::tempfile_in(folder)
                    .map_err(Error::io(folder, "make room for arrays in this folder"))?;
                reserve(&file, 0, n_bytes as u64)
                    .map_err(Error::io(folder, "reserve disk space for arrays in this folder"))?;
                Array::in_file(&file, 0, len).map_err(Error::io(folder, "map arrays in this folder"))
            }
            (None, None) => {
                let expected = format!("at least {} bytes more, for {what}", n_bytes as u64 - self.left());
                Err(Error::parameter("memory", expected, format!("{} bytes", self.budget())))
            }
        }
    }
}

/// Bytes of the budget that are given back when they are no longer used.
#[derive(Debug)]
pub(crate) struct Grant {
    memory: Memory,
    bytes: u64,
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.memory.0.in_use.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Values in memory of their own or in a file, whose pages are the system's.
#[derive(Debug)]
pub(crate) struct Array<T> {
    map: MmapMut,
    len: usize,
    is_in_file: bool,
    _grant: Option<Grant>,
    values: PhantomData<T>,
}

impl<T: Pod> Array<T> {
    /// In large pages where the system has them: zero without being touched, and a page fault each 2 MiB.
    fn anonymous(len: usize, grant: Option<Grant>, what: &str) -> Result<Self> {
        // A map of no bytes there is not.
        let Ok(map) = MmapMut::map_anon((len * size_of::<T>()).max(1)) else {
            let expected = format!("memory for {what}");
            return Err(Error::parameter("memory", expected, format!("none for {len} values")));
        };
        // Only speed depends on it: a system may refuse.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map, len, is_in_file: false, _grant: grant, values: PhantomData })
    }

    /// Those at `offset` of a file that is long enough.
    pub(crate) fn in_file(file: &File, offset: u64, len: usize) -> std::io::Result<Self> {
        // SAFETY: the file is this program's own, and nobody else shortens it: it has no name, or stands in a folder that is
        // locked.
        let map =
            unsafe { MmapOptions::new().offset(offset).len((len * size_of::<T>()).max(1)).map_mut(file) }?;
        Ok(Self { map, len, is_in_file: true, _grant: None, values: PhantomData })
    }

    /// Whether it is in a file.
    pub(crate) fn is_in_file(&self) -> bool {
        self.is_in_file
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map[..self.len * size_of::<T>()])
    }
}

impl<T: Pod> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.map[..self.len * size_of::<T>()])
    }
}

/// Takes disk space for `len` bytes from `offset` on, so that later writes, through a map too, cannot find the disk full.
pub(crate) fn reserve(file: &File, offset: u64, len: u64) -> std::io::Result<()> {
    if len == 0 {
        return Ok(());
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        match fallocate(file, FallocateFlags::empty(), offset, len) {
            // Not every file system knows how.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            done => return done.map_err(Into::into),
        }
    }
    write_zeros(file, offset, len)
}

/// The same by writing.
fn write_zeros(mut file: &File, offset: u64, len: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    const PART: u64 = 1 << 20;
    let zeros = vec![0; PART as usize];
    file.seek(SeekFrom::Start(offset))?;
    for part in (0..len).step_by(PART as usize) {
        file.write_all(&zeros[..PART.min(len - part) as usize])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_beyond_the_budget_become_files_and_give_back_what_they_took() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::limited(100, Some(folder.path()));
        let small = memory.zeros::<f32>(20, "a test").unwrap();
        assert!(!small.is_in_file() && memory.left() == 20);
        let mut large = memory.zeros::<f32>(6000, "a test").unwrap();
        assert!(large.is_in_file() && memory.left() == 20);
        large[5999] = 3.0;
        assert!(large[..5999].iter().all(|&x| x == 0.0) && large[5999] == 3.0);
        // No name: nothing is left of it whatever happens.
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        drop(small);
        assert_eq!(memory.left(), 100);
        assert!(!memory.zeros::<f32>(25, "a test").unwrap().is_in_file);
    }

    #[test]
    fn without_a_folder_the_budget_is_the_end() {
        let error = Memory::limited(100, None).zeros::<f32>(26, "couplings").unwrap_err().to_string();
        assert!(error.contains("at least 4 bytes more, for couplings"), "{error}");
        assert!(Memory::unlimited().zeros::<f32>(usize::MAX / 2, "couplings").is_err());
    }

    #[test]
    fn reserved_space_is_zero_whichever_way() {
        let folder = tempfile::tempdir().unwrap();
        for fill in [reserve, write_zeros] {
            let file = tempfile::tempfile_in(folder.path()).unwrap();
            fill(&file, 5, (1 << 20) + 7).unwrap();
            assert_eq!(file.metadata().unwrap().len(), (1 << 20) + 12);
            assert!(Array::<u8>::in_file(&file, 5, (1 << 20) + 7).unwrap().iter().all(|&byte| byte == 0));
        }
    }
}
