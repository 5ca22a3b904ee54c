//! IDX files, the format of MNIST: two zero bytes, element type, number of dimensions D, D big-endian u32 lengths, then
//! the elements in C order. Only the element type that such data sets use, unsigned bytes (0x08), is read.

use std::path::Path;

use crate::error::{Error, Result};

/// An array of bytes with D dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx<const D: usize> {
    /// Length along each dimension.
    pub shape: [usize; D],
    /// The elements, C order; as many as the product of `shape`.
    pub bytes: Vec<u8>,
}

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads an uncompressed IDX file of bytes with D dimensions.
///
/// # Errors
/// If the file cannot be read, is no such file (gzip is recognised and named), or its length does not fit its shape.
pub fn read_idx<const D: usize>(path: &Path) -> Result<Idx<D>> {
    let mut bytes = std::fs::read(path).map_err(Error::io(path, "read"))?;
    let magic = [0, 0, 0x08, D as u8];
    let expected = || format!("an IDX file of bytes with {D} dimensions (magic {magic:02x?})");
    if bytes.starts_with(&GZIP) {
        return Err(Error::format(path, expected(), "a gzip file (unpack it with gunzip first)"));
    }
    let header = magic.len() + 4 * D;
    if bytes.len() < header {
        return Err(Error::format(path, expected(), format!("{} bytes in all", bytes.len())));
    }
    if !bytes.starts_with(&magic) {
        return Err(Error::format(path, expected(), format!("a file that begins with {:02x?}", &bytes[..4])));
    }
    let mut shape = [0; D];
    for (length, field) in shape.iter_mut().zip(bytes[magic.len()..].chunks_exact(4)) {
        *length = field.iter().fold(0, |value, &byte| value << 8 | usize::from(byte));
    }
    let n_elements = shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
    let n_bytes = bytes.len() - header;
    if n_elements != Some(n_bytes) {
        let lengths = shape.map(|length| length.to_string()).join(" x ");
        return Err(Error::format(
            path,
            format!("{lengths} elements after the header"),
            format!("{n_bytes} bytes"),
        ));
    }
    bytes.drain(..header);
    Ok(Idx { shape, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<const D: usize>(content: &[u8]) -> Result<Idx<D>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        read_idx(file.path())
    }

    #[test]
    fn shape_and_elements_are_read() {
        let content = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        assert_eq!(read(&content).unwrap(), Idx { shape: [2, 3], bytes: vec![1, 2, 3, 4, 5, 6] });
    }

    #[test]
    fn other_files_are_refused() {
        let message = |content: &[u8]| read::<1>(content).unwrap_err().to_string();
        assert!(message(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]).contains("gunzip"));
        assert!(message(&[0, 0, 8]).contains("3 bytes"));
        assert!(message(&[0, 0, 8, 3, 0, 0, 0, 1, 5]).contains("begins with [00, 00, 08, 03]"));
        assert!(message(&[0, 0, 8, 1, 0, 0, 0, 2, 5]).contains("found 1 bytes"));
        assert!(message(&[0, 0, 8, 1, 255, 255, 255, 255, 5]).contains("expected 4294967295 elements"));
    }

    #[test]
    fn a_shape_beyond_memory_is_refused() {
        let content = [[0, 0, 8, 3].as_slice(), &[255; 12]].concat();
        assert!(read::<3>(&content).is_err());
    }
}
