//! The file of attractors: a container of kind "attractors".
//!
//! `attractors` is U8 [attractors, ceil(N/8)], packed like a data set, the most frequent first: the representative of each;
//! `frequency` U32 the starts that ended there, `period` U32 1 for a fixed point, `energy` F32 the mean over its states.

use std::path::Path;

use super::census::Census;
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;
use crate::storage::{Container, DType, Description, Overwrite, Tensor, packed_bytes, write_container};

const KIND: &str = "attractors";

/// The attractors of a census as its file keeps them, the most frequent first.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAttractors {
    /// One row an attractor: its representative.
    pub states: SpinMatrix,
    /// Starts that ended there, one entry an attractor as in what follows.
    pub frequencies: Vec<u32>,
    /// 1 for a fixed point.
    pub periods: Vec<u32>,
    /// Mean over the states of the attractor.
    pub energies: Vec<f32>,
}

impl StoredAttractors {
    /// Reads what [`Census::write`] wrote.
    ///
    /// # Errors
    /// If the file is no container of attractors, is truncated, or its parts do not fit together.
    pub fn open(path: &Path) -> Result<Self> {
        let container = Container::open_whole(path, KIND)?;
        let counts = |name| container.values::<u32>(name, DType::U32, 1).map(|(_, counts)| counts.to_vec());
        let states = container.spins("attractors")?;
        let (frequencies, periods) = (counts("frequency")?, counts("period")?);
        let energies = container.values::<f32>("energy", DType::F32, 1)?.1.to_vec();
        let lengths = [frequencies.len(), periods.len(), energies.len()];
        for (name, found) in ["frequency", "period", "energy"].into_iter().zip(lengths) {
            if found != states.n_rows() {
                let expected = format!("{name} of each of {} attractors", states.n_rows());
                return Err(Error::format(container.path(), expected, found.to_string()));
            }
        }
        if periods.contains(&0) {
            return Err(Error::format(container.path(), "periods of at least 1", "0"));
        }
        Ok(Self { states, frequencies, periods, energies })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Attractor, Destinations};
    use crate::dynamics::random_states;

    #[test]
    fn what_is_written_is_read_again() {
        let all = Destinations {
            name: "all".to_owned(),
            n_starts: 9,
            n_unsettled: 1,
            n_attractors: 2,
            n_in_cycles: 3,
            transient_mean: Some(1.5),
            transient_max: Some(4),
            entropy: Some(0.5),
        };
        let attractor =
            |frequency, period, energy| Attractor { frequency, frequencies: vec![frequency], period, energy };
        let attractors = vec![attractor(5, 1, -2.5), attractor(3, 7, 0.25)];
        let states = random_states(2, 70, 1).unwrap();
        let census = Census { states, attractors, n_up_to_sign: 2, kinds: vec![all.clone()], all };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("found");
        census.write(&path, &Description::new(), Overwrite::Refuse).unwrap();
        let found = StoredAttractors::open(&path).unwrap();
        assert_eq!(found.states, census.states);
        assert_eq!((found.frequencies, found.periods), (vec![5, 3], vec![1, 7]));
        assert_eq!(found.energies, [-2.5, 0.25]);

        let other = folder.path().join("other");
        let tensors = [Tensor::u32("frequency", &[1], &[1])];
        write_container(&other, "states", &Description::new(), &tensors, Overwrite::Refuse).unwrap();
        assert!(StoredAttractors::open(&other).is_err());
    }
}
