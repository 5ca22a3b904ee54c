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
        let (bytes, header_length) = self.bytes();
        let (header, data) = bytes.split_at(header_length);
        let (Some(expected), Some(digits)) = (self.hash(), digits(header)) else {
            return Integrity::Unhashed;
        };
        let mut zeroed = header.to_vec();
        zeroed[digits].copy_from_slice(UNHASHED.as_bytes());
        let mut hasher = blake3::Hasher::new();
        let found = hasher.update(&zeroed).update(data).finalize().to_hex().to_string();
        match found == expected {
            true => Integrity::Whole,
            false => Integrity::Changed { expected: expected.to_owned(), found },
        }
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
