//! Spins in containers: U8 [rows, ceil(N/8)], packed least significant bit first, N in the metadata entry `n`.

use super::container::{Container, DType};
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;

/// Rows of ceil(N/8) bytes.
pub fn packed_bytes(spins: &SpinMatrix) -> Vec<u8> {
    let width = spins.n_spins().div_ceil(8);
    let bytes = |row| &bytemuck::cast_slice::<u64, u8>(spins.row(row))[..width];
    (0..spins.n_rows()).flat_map(|row| bytes(row).iter().copied()).collect()
}

impl Container {
    /// A tensor of packed spins.
    ///
    /// # Errors
    /// If there is none of that name, N is 0, its width is not that of N spins, or a bit past spin N is set.
    pub fn spins(&self, name: &str) -> Result<SpinMatrix> {
        let n_spins: usize = self.entry("n", "the number of spins N")?;
        let (shape, bytes) = self.values::<u8>(name, DType::U8, 2)?;
        let width = n_spins.div_ceil(8);
        if n_spins == 0 {
            return Err(Error::format(self.path(), "N of at least 1 spin", "n = 0"));
        }
        if shape[1] != width {
            let expected = format!("{name} of {width} bytes a row, for N = {n_spins}");
            return Err(Error::format(self.path(), expected, format!("shape {shape:?}")));
        }
        let mut words = Vec::with_capacity(shape[0] * n_spins.div_ceil(64));
        for row in bytes.chunks_exact(width) {
            words.extend(row.chunks(8).map(|bytes| {
                let mut word = [0; 8];
                word[..bytes.len()].copy_from_slice(bytes);
                u64::from_le_bytes(word)
            }));
        }
        SpinMatrix::from_words(shape[0], n_spins, words).map_err(|error| match error {
            Error::Shape { what, expected, found } => {
                Error::format(self.path(), format!("{name}, {what}: {expected}"), found)
            }
            other => other,
        })
    }
}
