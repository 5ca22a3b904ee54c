//! The file of attractors: a container of kind "attractors".
//!
//! `attractors` is U8 [attractors, ceil(N/8)], packed like a data set, the most frequent first: the representative of each;
//! `frequency` U32 the starts that ended there, `period` U32 1 for a fixed point, `energy` F32 the mean over its states.

use std::path::Path;

use super::census::Census;
use crate::error::Result;
use crate::storage::{Description, Overwrite, Tensor, packed_bytes, write_container};

const KIND: &str = "attractors";

impl Census {
    /// Writes all attractors atomically.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written.
    pub fn write(&self, path: &Path, description: &Description, overwrite: Overwrite) -> Result<()> {
        let n_attractors = self.attractors.len();
        let in_u32 = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let frequencies: Vec<u32> =
            self.attractors.iter().map(|attractor| in_u32(attractor.frequency)).collect();
        let periods: Vec<u32> = self.attractors.iter().map(|attractor| in_u32(attractor.period)).collect();
        let energies: Vec<f32> = self.attractors.iter().map(|attractor| attractor.energy as f32).collect();
        let states = packed_bytes(&self.states);
        let shape = [n_attractors, self.states.n_spins().div_ceil(8)];
        let tensors = [
            Tensor::u8("attractors", &shape, &states),
            Tensor::u32("frequency", &[n_attractors], &frequencies),
            Tensor::u32("period", &[n_attractors], &periods),
            Tensor::f32("energy", &[n_attractors], &energies),
        ];
        let mut description = description.clone();
        description.insert("n".into(), self.states.n_spins().to_string());
        write_container(path, KIND, &description, &tensors, overwrite)
    }
}
