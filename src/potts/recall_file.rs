//! The file of recalled Potts states: a container of kind "potts states".
//!
//! `initial` and `final` are U8 [states, L], numbers of letters; `steps` U32 is the number of steps before the fixed point or cycle
//! was entered (or all made), `period` U32 1 for a fixed point, the period of a cycle, 0 if neither was reached; the metadata have
//! `columns`, L, and `q`.

use std::path::Path;

use super::dynamics::PottsRecall;
use crate::dynamics::{counts_of_fates, fates_of_states};
use crate::error::{Error, Result};
use crate::spins::Sequences;
use crate::storage::{Container, DType, Description, Overwrite, Tensor, write_container};

impl PottsRecall {
    /// What the container says it is.
    pub const KIND: &str = "potts states";

    /// Writes starts, final states and fates atomically.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written.
    pub fn write(
        &self,
        path: &Path,
        starts: &Sequences,
        description: &Description,
        overwrite: Overwrite,
    ) -> Result<()> {
        let (n_states, n_columns) = (self.states.n_rows(), self.states.n_columns());
        let (steps, periods) = counts_of_fates(&self.fates);
        let shape = [n_states, n_columns];
        let tensors = [
            Tensor::u8("initial", &shape, starts.letters()),
            Tensor::u8("final", &shape, self.states.letters()),
            Tensor::u32("steps", &[n_states], &steps),
            Tensor::u32("period", &[n_states], &periods),
        ];
        let mut description = description.clone();
        description.insert("columns".into(), n_columns.to_string());
        description.insert("q".into(), self.states.n_letters().to_string());
        write_container(path, Self::KIND, &description, &tensors, overwrite)
    }

    /// Reads what [`write`](Self::write) wrote: the starts and the recall, of which the file does not hold `best_overlaps`.
    ///
    /// # Errors
    /// If the file is no container of Potts states, is truncated, or its parts do not fit together.
    pub fn open(path: &Path) -> Result<(Sequences, Self)> {
        let container = Container::open_whole(path, Self::KIND)?;
        let n_columns: usize = container.entry("columns", "a number of columns")?;
        let n_letters: usize = container.entry("q", "a number of letters")?;
        let sequences = |name: &str| {
            let (shape, letters) = container.values::<u8>(name, DType::U8, 2)?;
            if shape[1] != n_columns {
                let expected = format!("{name} of {n_columns} columns");
                return Err(Error::format(path, expected, format!("shape {shape:?}")));
            }
            Sequences::new(n_columns, n_letters, letters.to_vec()).map_err(|error| error.in_file(path))
        };
        let (starts, states) = (sequences("initial")?, sequences("final")?);
        let fates = fates_of_states(&container, starts.n_rows(), states.n_rows())?;
        Ok((starts, Self { states, fates, best_overlaps: Vec::new() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::Fate;
    use crate::potts::random_sequences;

    #[test]
    fn states_and_fates_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("states");
        let fate = |steps, period| Fate { steps, period };
        let recall = PottsRecall {
            states: random_sequences(3, 7, 21, 1).unwrap(),
            fates: vec![fate(0, Some(1)), fate(5, Some(2)), fate(9, None)],
            best_overlaps: vec![1.0, 0.5, 0.25],
        };
        let starts = random_sequences(3, 7, 21, 2).unwrap();
        recall.write(&path, &starts, &Description::new(), Overwrite::Refuse).unwrap();
        let read = PottsRecall::open(&path).unwrap();
        assert_eq!(read, (starts.clone(), PottsRecall { best_overlaps: Vec::new(), ..recall }));

        let refusal = |columns: &str, q: &str, n_starts: usize| {
            let tensors = [
                Tensor::u8("initial", &[n_starts, 7], &starts.letters()[..7 * n_starts]),
                Tensor::u8("final", &[2, 7], &starts.letters()[..14]),
                Tensor::u32("steps", &[2], &[1, 2]),
                Tensor::u32("period", &[2], &[1, 0]),
            ];
            let description = [("columns", columns), ("q", q)];
            let description = description.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let description = Description::from(description);
            write_container(&path, PottsRecall::KIND, &description, &tensors, Overwrite::Replace).unwrap();
            PottsRecall::open(&path).unwrap_err().to_string()
        };
        for (found, expected) in [
            (refusal("7", "21", 3), "initial for each of 2"),
            (refusal("6", "21", 2), "of 6 columns"),
            (refusal("7", "2", 2), "states"),
            (refusal("7", "none", 2), "a number of letters"),
        ] {
            assert!(found.contains(expected), "{found}");
        }
    }
}
