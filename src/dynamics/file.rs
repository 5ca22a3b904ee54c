//! The file of recalled states: a container of kind "states".
//!
//! `initial` and `final` are U8 [states, ceil(N/8)], packed like a data set; `steps` U32 is the number of steps before the
//! fixed point or cycle was entered (or all made), `period` U32 1 for a fixed point, the period of a cycle, 0 if neither
//! was reached.

use std::path::Path;

use super::recall::{Fate, Recall};
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;
use crate::storage::{Container, DType, Description, Overwrite, Tensor, packed_bytes, write_container};

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
        let (steps, periods) = counts_of_fates(&self.fates);
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

    /// Reads what [`write`](Self::write) wrote: the starts and the recall, of which the file does not hold `best_overlaps`.
    ///
    /// # Errors
    /// If the file is no container of states, is truncated, or its parts do not fit together.
    pub fn open(path: &Path) -> Result<(SpinMatrix, Self)> {
        let container = Container::open_whole(path, KIND)?;
        let (starts, states) = (container.spins("initial")?, container.spins("final")?);
        let fates = fates_of_states(&container, starts.n_rows(), states.n_rows())?;
        Ok((starts, Self { states, fates, best_overlaps: Vec::new() }))
    }
}

/// Steps and periods as files of states hold them.
pub(crate) fn counts_of_fates(fates: &[Fate]) -> (Vec<u32>, Vec<u32>) {
    let in_u32 = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    fates.iter().map(|fate| (in_u32(fate.steps), fate.period.map_or(0, in_u32))).unzip()
}

/// The fates in a file of that many starts and final states, which must have one each.
pub(crate) fn fates_of_states(container: &Container, n_starts: usize, n_states: usize) -> Result<Vec<Fate>> {
    let counts = |name| container.values::<u32>(name, DType::U32, 1).map(|(_, counts)| counts);
    let (steps, periods) = (counts("steps")?, counts("period")?);
    if n_states == 0 {
        return Err(Error::format(container.path(), "at least 1 state", "none"));
    }
    for (name, found) in [("initial", n_starts), ("steps", steps.len()), ("period", periods.len())] {
        if found != n_states {
            let expected = format!("{name} for each of {n_states} final states");
            return Err(Error::format(container.path(), expected, found.to_string()));
        }
    }
    let fates = steps
        .iter()
        .zip(periods)
        .map(|(&steps, &period)| Fate { steps: steps.into(), period: (period > 0).then_some(period.into()) });
    Ok(fates.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    #[test]
    fn states_and_fates_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("states");
        let fate = |steps, period| Fate { steps, period };
        let recall = Recall {
            states: random_states(3, 70, 1).unwrap(),
            fates: vec![fate(0, Some(1)), fate(5, Some(2)), fate(9, None)],
            best_overlaps: vec![1.0, 0.5, 0.25],
        };
        let starts = random_states(3, 70, 2).unwrap();
        recall.write(&path, &starts, &Description::new(), Overwrite::Refuse).unwrap();
        let read = Recall::open(&path).unwrap();
        assert_eq!(read, (starts.clone(), Recall { best_overlaps: Vec::new(), ..recall }));

        let (first, last) = (packed_bytes(&starts), packed_bytes(&starts.head(2)));
        let tensors = |n: usize| {
            vec![
                Tensor::u8("initial", &[3, 9], &first),
                Tensor::u8("final", &[2, 9], &last),
                Tensor::u32("steps", &[n], &[1, 2, 3][..n]),
                Tensor::u32("period", &[2], &[1, 0]),
            ]
        };
        let description = Description::from([("n".into(), "70".into())]);
        write_container(&path, KIND, &description, &tensors(2), Overwrite::Replace).unwrap();
        assert!(Recall::open(&path).unwrap_err().to_string().contains("initial for each of 2"));
    }
}
