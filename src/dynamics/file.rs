//! The file of recalled states: a container of kind "states".
//!
//! `initial` and `final` are U8 [states, ceil(N/8)], packed like a data set; `steps` U32 is the number of steps before the
//! fixed point or cycle was entered (or all made), `period` U32 1 for a fixed point, the period of a cycle, 0 if neither
//! was reached.

use std::path::Path;

use super::recall::Recall;
use crate::error::Result;
use crate::spins::SpinMatrix;
use crate::storage::{Description, Overwrite, Tensor, packed_bytes, write_container};

const KIND: &str = "states";

impl Recall {
    /// Writes starts, final states and fates atomically.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written.
    pub fn write(
        &self,
        path: &Path,
        starts: &SpinMatrix,
        description: &Description,
        overwrite: Overwrite,
    ) -> Result<()> {
        let (n_states, n_spins) = (self.states.n_rows(), self.states.n_spins());
        let in_u32 = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let steps: Vec<u32> = self.fates.iter().map(|fate| in_u32(fate.steps)).collect();
        let periods: Vec<u32> = self.fates.iter().map(|fate| fate.period.map_or(0, in_u32)).collect();
        let (first, last) = (packed_bytes(starts), packed_bytes(&self.states));
        let shape = [n_states, n_spins.div_ceil(8)];
        let tensors = [
            Tensor::u8("initial", &shape, &first),
            Tensor::u8("final", &shape, &last),
            Tensor::u32("steps", &[n_states], &steps),
            Tensor::u32("period", &[n_states], &periods),
        ];
        let mut description = description.clone();
        description.insert("n".into(), n_spins.to_string());
        write_container(path, KIND, &description, &tensors, overwrite)
    }
}
