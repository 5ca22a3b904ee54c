//! NumPy's .npy arrays.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use npyz::{AutoSerialize, DType, NpyFile, NpyHeader, Order, TypeChar, WriterBuilder};

use super::atomic::{Overwrite, write_atomically};
use crate::error::{Error, Result};

/// First bytes of an .npy file.
pub(crate) const NPY_MAGIC: &[u8] = b"\x93NUMPY";

/// NumPy itself refuses to read a longer header unasked; that of a plain array has some hundred bytes.
pub(crate) const MAX_NPY_HEADER: usize = 10_000;

/// Opening brackets in a header: that of a plain array has two. The time to parse doubles with each level.
const MAX_BRACKETS: usize = 10;

/// An array of which the header is read and the length checked.
pub struct NpyArray {
    path: PathBuf,
    file: NpyFile<BufReader<File>>,
    shape: Vec<usize>,
}

impl NpyArray {
    /// Opens an array and checks its header against the file's length.
    ///
    /// # Errors
    /// If the file cannot be read, is no .npy file, or does not hold as many bytes as its shape takes.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let n_bytes = file.metadata().map_err(Error::io(path, "open"))?.len();
        let mut reader = BufReader::new(file);
        check_header(path, &mut reader)?;
        let header = NpyHeader::from_reader(&mut reader).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Error::format(path, "an .npy array", error.to_string()),
            _ => Error::io(path, "read the header")(error),
        })?;
        let data_start = reader.stream_position().map_err(Error::io(path, "read"))?;
        let shape = header.shape().iter().map(|&length| usize::try_from(length).ok()).collect();
        let item_size = header.dtype().num_bytes().map(|size| size as u64);
        let expected = header
            .shape()
            .iter()
            .try_fold(item_size.unwrap_or(1), |product, &length| product.checked_mul(length));
        let file = NpyFile::with_header(header, reader);
        let mut array = Self { path: path.to_owned(), file, shape: Vec::new() };
        let (Some(shape), Some(expected)) = (shape, expected) else {
            return Err(Error::format(path, "an array that fits in memory", array.describe()));
        };
        array.shape = shape;
        let found = n_bytes.saturating_sub(data_start);
        // Elements without a fixed size (Python objects) are refused with their type, where they are read.
        if item_size.is_some() && found != expected {
            let expected = format!("{expected} bytes of data for {}", array.describe());
            return Err(Error::format(path, expected, format!("{found} bytes")));
        }
        Ok(array)
    }

    /// Lengths along each dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// C (last index fastest) or Fortran order.
    pub fn order(&self) -> Order {
        self.file.order()
    }

    /// Kind and bytes of the elements, unless they are records.
    pub fn scalar_type(&self) -> Option<(TypeChar, u64)> {
        match self.file.dtype() {
            DType::Plain(scalar) => Some((scalar.type_char(), scalar.size_field())),
            _ => None,
        }
    }

    /// Type and shape, for messages.
    pub fn describe(&self) -> String {
        format!("dtype {} of shape {:?}", self.file.dtype().descr(), self.file.shape())
    }

    /// The elements in the file's order as numbers; false is 0, true 1.
    ///
    /// # Errors
    /// If the elements are neither booleans, integers, float32 nor float64.
    pub fn values(self) -> Result<Box<dyn Iterator<Item = io::Result<f64>>>> {
        let unreadable =
            Error::format(&self.path, "an array of bool, integers, float32 or float64", self.describe());
        macro_rules! values_of {
            ($element:ty, $number:expr) => {{
                let Ok(elements) = self.file.data::<$element>() else { return Err(unreadable) };
                Ok(Box::new(elements.map(|element| element.map($number))))
            }};
        }
        match self.scalar_type() {
            Some((TypeChar::Bool, 1)) => values_of!(bool, f64::from),
            Some((TypeChar::Int, 1)) => values_of!(i8, f64::from),
            Some((TypeChar::Int, 2)) => values_of!(i16, f64::from),
            Some((TypeChar::Int, 4)) => values_of!(i32, f64::from),
            // No integer but 0 and +-1 rounds to them.
            Some((TypeChar::Int, 8)) => values_of!(i64, |element| element as f64),
            Some((TypeChar::Uint, 1)) => values_of!(u8, f64::from),
            Some((TypeChar::Uint, 2)) => values_of!(u16, f64::from),
            Some((TypeChar::Uint, 4)) => values_of!(u32, f64::from),
            Some((TypeChar::Uint, 8)) => values_of!(u64, |element| element as f64),
            Some((TypeChar::Float, 4)) => values_of!(f32, f64::from),
            Some((TypeChar::Float, 8)) => values_of!(f64, |element| element),
            _ => Err(unreadable),
        }
    }
}

/// Refuses headers that `npyz` would multiply beyond u64, or nest too deeply: they are no plain array's.
/// Leaves the reader at the start of the file.
fn check_header(path: &Path, reader: &mut BufReader<File>) -> Result<()> {
    let mut start = Vec::new();
    reader
        .by_ref()
        .take(MAX_NPY_HEADER as u64 + 12)
        .read_to_end(&mut start)
        .map_err(Error::io(path, "read"))?;
    reader.rewind().map_err(Error::io(path, "read"))?;
    if !start.starts_with(NPY_MAGIC) {
        return Err(Error::format(path, "an .npy file (magic \\x93NUMPY)", "another beginning"));
    }
    // Version, two bytes, then the length of the text in two bytes (version 1) or four.
    let text = match start.get(6..) {
        Some([1, _, a, b, text @ ..]) => text.get(..usize::from(u16::from_le_bytes([*a, *b]))),
        Some([_, _, a, b, c, d, text @ ..]) => text.get(..u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => None,
    };
    let Some(text) = text.filter(|text| text.len() <= MAX_NPY_HEADER) else {
        let expected = format!("a header of at most {MAX_NPY_HEADER} bytes");
        return Err(Error::format(path, expected, "a longer one, or the end of the file"));
    };
    let (mut n_brackets, mut number, mut product) = (0, None, Some(1u64));
    for &byte in text {
        if byte.is_ascii_digit() {
            number = Some(number.unwrap_or(0u64).saturating_mul(10).saturating_add(u64::from(byte - b'0')));
            continue;
        }
        if let Some(value) = number.take() {
            // Another base, a separator or an exponent would hide a number from this check.
            let plain = !byte.is_ascii_alphanumeric() && byte != b'_';
            product = product.filter(|_| plain).and_then(|product| product.checked_mul(value.max(1)));
        }
        n_brackets += usize::from(b"([{".contains(&byte));
    }
    if product.is_none() || n_brackets > MAX_BRACKETS {
        let found: String = String::from_utf8_lossy(text).trim().chars().take(200).collect();
        return Err(Error::format(path, "the header of a plain array", found));
    }
    Ok(())
}

/// Writes rows of values as an array of the given shape, in C order, atomically.
///
/// # Errors
/// If the output exists and may not be replaced, or cannot be written.
pub fn write_npy<T: AutoSerialize + bytemuck::Pod>(
    path: &Path,
    shape: &[usize],
    rows: impl Iterator<Item = Vec<T>>,
    overwrite: Overwrite,
) -> Result<()> {
    write_atomically(path, overwrite, |file| {
        let mut buffered = BufWriter::new(file);
        let shape: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
        let header = npyz::WriteOptions::<T>::new().default_dtype().shape(&shape).writer(&mut buffered);
        let header = header.write_header_only().map(drop);
        let written = header.and_then(|()| {
            rows.into_iter().try_for_each(|row| buffered.write_all(bytemuck::cast_slice(&row)))?;
            buffered.flush()
        });
        written.map_err(Error::io(path, "write"))
    })
}
