//! The arrays of a container on their way into its file: tensors, the header that speaks of them, and their writing.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use bytemuck::Pod;
use serde_json::{Map, Value, json};

use super::atomic::{Overwrite, write_atomically};
use super::container::{DType, Description, FORMAT_VERSION};
use super::integrity::{UNHASHED, fill_in_hash};
use crate::error::{Error, Result};

/// Data starts on a multiple of this many bytes.
pub(super) const PAGE: usize = 4096;

/// A named array to write.
pub struct Tensor<'a> {
    name: &'a str,
    dtype: DType,
    shape: Vec<usize>,
    pieces: Vec<&'a [u8]>,
}

impl<'a> Tensor<'a> {
    /// f32 values of the given shape.
    pub fn f32(name: &'a str, shape: &[usize], values: &'a [f32]) -> Self {
        Self::new(name, DType::F32, shape, values)
    }

    /// The same, of which one piece follows the other.
    pub(crate) fn f32_in_pieces(name: &'a str, shape: &[usize], pieces: &[&'a [f32]]) -> Self {
        debug_assert_eq!(
            shape.iter().product::<usize>(),
            pieces.iter().map(|piece| piece.len()).sum::<usize>()
        );
        let pieces = pieces.iter().map(|&piece| bytemuck::cast_slice(piece)).collect();
        Self { name, dtype: DType::F32, shape: shape.to_vec(), pieces }
    }

    /// Bytes of the given shape.
    pub fn u8(name: &'a str, shape: &[usize], values: &'a [u8]) -> Self {
        Self::new(name, DType::U8, shape, values)
    }

    /// u32 values of the given shape.
    pub fn u32(name: &'a str, shape: &[usize], values: &'a [u32]) -> Self {
        Self::new(name, DType::U32, shape, values)
    }

    fn new<T: Pod>(name: &'a str, dtype: DType, shape: &[usize], values: &'a [T]) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        Self { name, dtype, shape: shape.to_vec(), pieces: vec![bytemuck::cast_slice(values)] }
    }
}

/// Writes a container atomically: `kind` says what it is, `description` how it was made. Tensors of larger elements come
/// first, as the format recommends: each is then aligned, whatever the lengths of those before it.
///
/// # Errors
/// If the output exists and may not be replaced, or cannot be written.
pub fn write_container(
    path: &Path,
    kind: &str,
    description: &Description,
    tensors: &[Tensor<'_>],
    overwrite: Overwrite,
) -> Result<()> {
    write_container_with_room(path, kind, description, tensors, PAGE, overwrite, &mut |_| Ok(()))
}

/// Bytes that are written at a time.
const PART: usize = 1 << 24;

/// The same with a header of at least `room` bytes; `written` is told how many bytes of the tensors have gone by since the last
/// call, and may end it.
pub(crate) fn write_container_with_room(
    path: &Path,
    kind: &str,
    description: &Description,
    tensors: &[Tensor<'_>],
    room: usize,
    overwrite: Overwrite,
    written: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<()> {
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_by_key(|tensor| std::cmp::Reverse(tensor.dtype.bitsize()));
    let layout: Vec<_> = tensors
        .iter()
        .map(|tensor| Layout { name: tensor.name, dtype: tensor.dtype, shape: tensor.shape.clone() })
        .collect();
    let mut header = header(kind, description, &layout, room);
    write_atomically(path, overwrite, |file| {
        file.write_all(&header).map_err(Error::io(path, "write the header"))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        let pieces = tensors.iter().flat_map(|tensor| &tensor.pieces);
        for part in pieces.flat_map(|piece| piece.chunks(PART)) {
            hasher.update(part);
            file.write_all(part).map_err(Error::io(path, "write the data"))?;
            written(part.len())?;
        }
        fill_in_hash(&mut header, &hasher);
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&header))
            .map_err(Error::io(path, "write the header"))
    })
}

/// What a header says of a tensor.
#[derive(Clone, Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
}

impl Layout<'_> {
    /// Its length in the file.
    pub(crate) fn n_bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Length, JSON, and spaces up to the page boundary, `room` bytes at least; not hashed yet.
pub(super) fn header(kind: &str, description: &Description, layout: &[Layout<'_>], room: usize) -> Vec<u8> {
    let mut metadata = description.clone();
    metadata.insert("format_version".into(), FORMAT_VERSION.to_string());
    metadata.insert("kind".into(), kind.into());
    metadata.insert("program".into(), concat!("attractor ", env!("CARGO_PKG_VERSION")).into());
    metadata.insert("blake3".into(), UNHASHED.into());
    let mut entries = Map::new();
    entries.insert("__metadata__".into(), json!(metadata));
    let mut offset = 0;
    for tensor in layout {
        let end = offset + tensor.n_bytes();
        let entry = json!({ "dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [offset, end] });
        entries.insert(tensor.name.into(), entry);
        offset = end;
    }
    let mut header = vec![0; 8];
    header.extend_from_slice(Value::Object(entries).to_string().as_bytes());
    header.resize(header.len().next_multiple_of(PAGE).max(room), b' ');
    let length = header.len() as u64 - 8;
    header[..8].copy_from_slice(&length.to_le_bytes());
    header
}
