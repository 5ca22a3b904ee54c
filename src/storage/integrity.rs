//! Hashes of files: how outputs name their inputs, and how a container knows that it is whole.

use std::path::Path;

use super::container::Container;
use crate::error::{Error, Result};

/// The digits of a hash that is not there yet.
pub(super) const UNHASHED: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What stands before the digits in a header.
const ENTRY: &str = "\"blake3\":\"";

/// The BLAKE3 hash of a file, in hexadecimal: how outputs name their inputs.
///
/// # Errors
/// If the file cannot be read.
pub fn hash_file(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).map_err(Error::io(path, "read"))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Where the digits of the hash stand in a header.
fn digits(header: &[u8]) -> Option<std::ops::Range<usize>> {
    let at = header.windows(ENTRY.len()).position(|window| window == ENTRY.as_bytes())? + ENTRY.len();
    (at + UNHASHED.len() <= header.len()).then_some(at..at + UNHASHED.len())
}

/// Puts the hash of a file into its header; `hasher` has seen the header with zeros in its place, and the data.
pub(super) fn fill_in_hash(header: &mut [u8], hasher: &blake3::Hasher) {
    if let Some(digits) = digits(header) {
        header[digits].copy_from_slice(hasher.finalize().to_hex().as_bytes());
    }
}

/// What the hash in a container says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Every byte is as it was written.
    Whole,
    /// The container carries no hash: an older program wrote it, or it is the state of an unfinished run.
    Unhashed,
    /// The content has changed since.
    Changed {
        /// The hash that the file carries.
        expected: String,
        /// That of what it holds.
        found: String,
    },
}

impl Container {
    /// Reads the whole file and compares it with the hash that it carries.
    pub fn integrity(&self) -> Integrity {
        let (Some(mut check), start) = self.hash_check() else { return Integrity::Unhashed };
        check.update(&self.bytes().0[start..]);
        let found = check.hasher.finalize().to_hex().to_string();
        match found == check.expected {
            true => Integrity::Whole,
            false => Integrity::Changed { expected: check.expected, found },
        }
    }
}

/// A comparison with the hash that a container carries, of data that are read piece by piece for another reason too.
pub(crate) struct HashCheck {
    hasher: blake3::Hasher,
    expected: String,
}

impl HashCheck {
    /// The data that come next, after the header.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.hasher.update(data);
    }

    /// Refuses what the file at `path` has become since it was written.
    ///
    /// # Errors
    /// Says both hashes.
    pub(crate) fn finish(self, path: &Path) -> Result<()> {
        let found = self.hasher.finalize().to_hex();
        if *found == *self.expected {
            return Ok(());
        }
        let expected = format!("what was written, of BLAKE3 {}", self.expected);
        Err(Error::format(path, expected, format!("a file that has changed since, of {found}")))
    }
}

impl Container {
    /// A comparison with the hash that it carries, if it carries one, and where the data begin.
    pub(crate) fn hash_check(&self) -> (Option<HashCheck>, usize) {
        let (bytes, header_length) = self.bytes();
        let header = &bytes[..header_length];
        let check = self.hash().zip(digits(header)).map(|(expected, digits)| {
            let mut zeroed = header.to_vec();
            zeroed[digits].copy_from_slice(UNHASHED.as_bytes());
            let mut hasher = blake3::Hasher::new();
            hasher.update(&zeroed);
            HashCheck { hasher, expected: expected.to_owned() }
        });
        (check, header_length)
    }

    /// Opens a container of a kind and reads all of it, to compare it with the hash that it carries.
    ///
    /// # Errors
    /// As [`open`](Self::open), or if its content has changed since it was written.
    pub(crate) fn open_whole(path: &Path, kind: &str) -> Result<Self> {
        let container = Self::open(path, kind)?;
        if let (Some(mut check), start) = container.hash_check() {
            check.update(&container.bytes().0[start..]);
            check.finish(path)?;
        }
        Ok(container)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Description, Overwrite, Tensor, write_container};

    /// Whichever byte changes, in the header or the data, is noticed, or the file is no container any more.
    #[test]
    fn every_changed_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let description = Description::from([("seed".into(), "3".into())]);
        let tensors = [Tensor::f32("x", &[3], &[1.0, 2.0, 3.0]), Tensor::u8("y", &[2], &[4, 5])];
        write_container(&path, "test", &description, &tensors, Overwrite::Refuse).unwrap();
        assert_eq!(Container::open_any(&path).unwrap().integrity(), Integrity::Whole);
        let whole = std::fs::read(&path).unwrap();
        let in_hash = |at: usize| digits(&whole).unwrap().contains(&at);
        for at in (0..400).chain(4080..whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            let found = Container::open_any(&path).map(|container| container.integrity());
            let noticed = match &found {
                Ok(Integrity::Changed { .. }) | Err(_) => true,
                // The entry of the hash under another name.
                Ok(Integrity::Unhashed) => at < digits(&whole).unwrap().start,
                Ok(Integrity::Whole) => false,
            };
            assert!(noticed, "byte {at}, in the hash: {}: {found:?}", in_hash(at));
        }
    }
}
