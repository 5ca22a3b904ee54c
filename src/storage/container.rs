//! Containers: safetensors files whose header is padded so that data starts on a page boundary.
//!
//! Any safetensors reader opens them; ours maps them read-only and checks lengths before anything is read. Besides what
//! the format fixes, every container carries in its metadata `format_version`, `kind` ("couplings", "coupling rows", "data set",
//! "alignment", "states"), `program`, the program's version, and `blake3`, the hash of the whole file with the digits of the hash
//! themselves read as zeros.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytemuck::Pod;
use memmap2::Mmap;
use safetensors::SafeTensors;

use super::integrity::UNHASHED;
use crate::error::{Error, Result};
use crate::execution::{Array, Memory};

/// Version of what the containers hold. Readers refuse a newer one.
pub const FORMAT_VERSION: u32 = 1;

/// Metadata: what the file is, how it was made. Sorted, so that equal content gives equal bytes.
pub type Description = BTreeMap<String, String>;

/// Element types in use.
pub type DType = safetensors::Dtype;

/// A container open for reading: mapped, its header checked against the file's length.
#[derive(Debug)]
pub struct Container {
    path: PathBuf,
    content: Content,
    description: Description, // without the hash
    hash: Option<String>,
    tensors: BTreeMap<String, Entry>,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Mapped, and the file, to see whether it has been shortened.
    Mapped(Mmap, File),
    /// Read whole.
    Loaded(Array<u8>),
}

impl std::ops::Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map, _) => map,
            Self::Loaded(bytes) => bytes,
        }
    }
}

#[derive(Debug)]
struct Entry {
    dtype: DType,
    shape: Vec<usize>,
    range: std::ops::Range<usize>,
}

impl Container {
    /// Opens a container that must be of the given kind.
    ///
    /// # Errors
    /// As [`open_any`](Self::open_any), or if it is of another kind.
    pub fn open(path: &Path, kind: &str) -> Result<Self> {
        Self::open_any(path)?.of_kind(kind)
    }

    fn of_kind(self, kind: &str) -> Result<Self> {
        if self.kind() != kind {
            let expected = format!("an attractor file of kind {kind:?}");
            return Err(Error::format(&self.path, expected, format!("kind {:?}", self.kind())));
        }
        Ok(self)
    }

    /// Opens a container of whatever kind.
    ///
    /// # Errors
    /// If the file cannot be read, is no safetensors file, is truncated or longer than its header says, was not written
    /// by this program, or by a newer format version of it.
    pub fn open_any(path: &Path) -> Result<Self> {
        let (file, _) = Self::file(path)?;
        // SAFETY: the map is read-only; that nobody shortens the file meanwhile is the caller's part, as the docs say.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io(path, "map"))?;
        Self::of_content(path, Content::Mapped(map, file))
    }

    /// Whether a file begins as containers do, with the length of a header and the header's brace.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn begins(path: &Path) -> Result<bool> {
        let mut beginning = Vec::new();
        let mut file = File::open(path).map_err(Error::io(path, "open"))?.take(9);
        file.read_to_end(&mut beginning).map_err(Error::io(path, "read"))?;
        Ok(beginning.get(8) == Some(&b'{'))
    }

    /// Reads a container whole, into `memory`, in place of mapping it: for files that others may shorten.
    ///
    /// # Errors
    /// As [`open_any`](Self::open_any), if it is of another kind, or there is no room.
    pub fn load(path: &Path, kind: &str, memory: &Memory) -> Result<Self> {
        let (mut file, length) = Self::file(path)?;
        let mut bytes = memory.zeros::<u8>(length, "the content of a file")?;
        file.read_exact(&mut bytes).map_err(Error::io(path, "read"))?;
        Self::of_content(path, Content::Loaded(bytes))?.of_kind(kind)
    }

    /// The file, open, and its length.
    fn file(path: &Path) -> Result<(File, usize)> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let metadata = file.metadata().map_err(Error::io(path, "read the length"))?;
        if !metadata.is_file() {
            let found = if metadata.is_dir() { "a folder" } else { "a pipe or device" };
            return Err(Error::format(path, "a safetensors container", found));
        }
        if metadata.len() == 0 {
            return Err(Error::format(path, "a safetensors container", "an empty file"));
        }
        Ok((file, metadata.len() as usize))
    }

    fn of_content(path: &Path, content: Content) -> Result<Self> {
        let (header_length, header) = SafeTensors::read_metadata(&content).map_err(|error| {
            Error::format(path, "a safetensors container of full length", error.to_string())
        })?;
        let mut description: Description =
            header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();

        let hash = description.remove("blake3").filter(|hash| hash != UNHASHED);
        match description.get("format_version").map(|version| version.parse::<u32>()) {
            Some(Ok(version)) if version > FORMAT_VERSION => {
                let expected = format!("format version {FORMAT_VERSION} or older");
                return Err(Error::format(
                    path,
                    expected,
                    format!("version {version}, written by a newer program"),
                ));
            }
            Some(Ok(_)) if description.contains_key("kind") => {}
            _ => {
                let expected = "an attractor file, with format_version and kind in its metadata";
                return Err(Error::format(path, expected, "a safetensors file without"));
            }
        }

        let data_start = header_length + 8;
        let tensors = header.tensors().into_iter().map(|(name, info)| {
            let range = data_start + info.data_offsets.0..data_start + info.data_offsets.1;
            (name, Entry { dtype: info.dtype, shape: info.shape.clone(), range })
        });
        Ok(Self { path: path.to_owned(), content, description, hash, tensors: tensors.collect() })
    }

    /// What it says it is: "couplings", "data set", "alignment" or "states".
    pub fn kind(&self) -> &str {
        self.description.get("kind").map_or("", String::as_str)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The hash that it carries, in hexadecimal, of what was written.
    pub fn hash(&self) -> Option<&str> {
        self.hash.as_deref()
    }

    /// The metadata, without the hash.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The metadata without what the container says of itself.
    pub(crate) fn given_description(&self) -> Description {
        let own = |entry: &str| matches!(entry, "format_version" | "kind" | "program");
        self.description
            .iter()
            .filter(|(entry, _)| !own(entry))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// A metadata entry that must be there and parse as `T`; `what` says in words what is expected.
    ///
    /// # Errors
    /// If it is missing or does not parse.
    pub fn entry<T: std::str::FromStr>(&self, key: &str, what: &str) -> Result<T> {
        let found = self.description.get(key);
        let parsed = found.and_then(|value| value.parse().ok());
        parsed.ok_or_else(|| {
            let found = found.map_or("none".to_owned(), |value| format!("{value:?}"));
            Error::format(&self.path, format!("metadata entry {key:?}: {what}"), found)
        })
    }

    /// Names and shapes of all tensors.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, DType, &[usize])> {
        self.tensors.iter().map(|(name, entry)| (name.as_str(), entry.dtype, entry.shape.as_slice()))
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Shape and values of a tensor with `rank` dimensions and element type `T` stored as `dtype`.
    ///
    /// # Errors
    /// If there is none of that name, type and rank.
    pub fn values<T: Pod>(&self, name: &str, dtype: DType, rank: usize) -> Result<(&[usize], &[T])> {
        let expected = || format!("tensor {name:?} of type {dtype:?} with {rank} dimensions");
        let Some(entry) = self.tensors.get(name) else {
            let names: Vec<_> = self.tensors.keys().map(String::as_str).collect();
            return Err(Error::format(&self.path, expected(), format!("only {}", names.join(", "))));
        };
        if entry.dtype != dtype || entry.shape.len() != rank {
            let found = format!("type {:?} and shape {:?}", entry.dtype, entry.shape);
            return Err(Error::format(&self.path, expected(), found));
        }
        let values = bytemuck::try_cast_slice(&self.content[entry.range.clone()]);
        let values =
            values.map_err(|error| Error::format(&self.path, expected(), format!("bytes with {error}")))?;
        Ok((&entry.shape, values))
    }

    /// All bytes, and how many of them are the header.
    pub(super) fn bytes(&self) -> (&[u8], usize) {
        let end = |entry: &Entry| entry.range.start;
        (&self.content, self.tensors.values().map(end).min().unwrap_or(self.content.len()))
    }

    /// The content and where in it a tensor lies, for those who keep it.
    pub(crate) fn into_content(self, name: &str) -> Option<(Content, std::ops::Range<usize>)> {
        let range = self.tensors.get(name)?.range.clone();
        Some((self.content, range))
    }
}

#[cfg(test)]
mod tests {
    use super::super::atomic::Overwrite;
    use super::super::tensor::{PAGE, Tensor, write_container};
    use super::*;

    fn write(path: &Path, values: &[f32]) {
        let description = Description::from([("seed".into(), "3".into())]);
        let tensor = Tensor::f32("x", &[values.len()], values);
        write_container(path, "test", &description, &[tensor], Overwrite::Replace).unwrap();
    }

    #[test]
    fn what_is_written_is_read_and_data_starts_on_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        write(&path, &[1.0, -2.5]);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), PAGE as u64 + 8);
        let container = Container::open(&path, "test").unwrap();
        assert_eq!(container.values::<f32>("x", DType::F32, 1).unwrap(), (&[2][..], &[1.0, -2.5][..]));
        assert_eq!(container.entry::<u64>("seed", "a number").unwrap(), 3);
    }

    #[test]
    fn tensors_are_aligned_behind_an_odd_number_of_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let tensors = [
            Tensor::u8("bytes", &[3], &[1, 2, 3]),
            Tensor::f32("weights", &[1], &[0.5]),
            Tensor::u8("labels", &[1], &[7]),
            Tensor::u32("steps", &[2], &[8, 9]),
        ];
        write_container(&path, "test", &Description::new(), &tensors, Overwrite::Refuse).unwrap();
        let container = Container::open(&path, "test").unwrap();
        assert_eq!(container.values::<u8>("bytes", DType::U8, 1).unwrap().1, [1, 2, 3]);
        assert_eq!(container.values::<f32>("weights", DType::F32, 1).unwrap().1, [0.5]);
        assert_eq!(container.values::<u8>("labels", DType::U8, 1).unwrap().1, [7]);
        assert_eq!(container.values::<u32>("steps", DType::U32, 1).unwrap().1, [8, 9]);
    }

    #[test]
    fn damaged_and_foreign_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        write(&path, &[1.0, -2.5]);
        let whole = std::fs::read(&path).unwrap();
        let mut longer = whole.clone();
        longer.push(0);
        let json = String::from_utf8(whole[8..PAGE].to_vec()).unwrap();
        let newer_json = json.replace(r#"version":"1""#, r#"version":"9""#);
        let newer = [&whole[..8], newer_json.as_bytes(), &whole[PAGE..]].concat();
        let cases = [
            (Vec::new(), "empty"),
            (whole[..whole.len() - 1].to_vec(), "full length"),
            (whole[..100].to_vec(), "full length"),
            (longer, "not fully covered"),
            (b"not a container at all".to_vec(), "safetensors"),
            (newer, "newer program"),
        ];
        for (content, expected) in cases {
            std::fs::write(&path, content).unwrap();
            let error = Container::open(&path, "test").unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("a.safetensors"), "{error}");
        }
        write(&path, &[0.0]);
        assert!(Container::open(&path, "couplings").is_err());
        let container = Container::open(&path, "test").unwrap();
        assert!(container.values::<u8>("x", DType::U8, 1).is_err());
        assert!(container.values::<f32>("x", DType::F32, 2).is_err());
        assert!(container.values::<f32>("y", DType::F32, 1).is_err());
    }
}
