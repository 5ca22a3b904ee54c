//! The file of an alignment: a container of kind "alignment".
//!
//! `train` U8 [P, L] and `test` U8 [any, L] are numbers of letters; `weights` F32 [P]; `columns` U32 [L]; `train_names` and
//! `test_names` U8, UTF-8 text with a line break after each name. `letters` in the metadata is the alphabet, that of number
//! 0 first; the provenance stands beside it.

use std::path::Path;

use super::alphabet::Alphabet;
use super::data::Alignment;
use crate::error::{Error, Result};
use crate::spins::Sequences;
use crate::storage::{Container, DType, Overwrite, Tensor, write_container};

const KIND: &str = "alignment";

impl Alignment {
    /// Reads an alignment.
    ///
    /// # Errors
    /// If the file is no container of an alignment, is truncated, or its parts do not fit together.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_container(&Container::open_whole(path, KIND)?).map_err(|error| error.in_file(path))
    }

    fn from_container(container: &Container) -> Result<Self> {
        let letters: String = container.entry("letters", "the letters of a column")?;
        let alphabet = Alphabet::from_letters(&letters)?;
        let sequences = |name| -> Result<Sequences> {
            let (shape, letters) = container.values::<u8>(name, DType::U8, 2)?;
            Sequences::new(shape[1], alphabet.n_letters(), letters.to_vec())
        };
        let names = |name| -> Result<Vec<String>> {
            let (_, bytes) = container.values::<u8>(name, DType::U8, 1)?;
            let text = std::str::from_utf8(bytes)
                .map_err(|error| Error::shape(name, "UTF-8 text", error.to_string()))?;
            Ok(text.split_terminator('\n').map(str::to_owned).collect())
        };
        let weights =
            || container.values::<f32>("weights", DType::F32, 1).map(|(_, weights)| weights.to_vec());
        let mut provenance = container.given_description();
        provenance.remove("letters");
        let alignment = Self {
            train: sequences("train")?,
            test: container.has("test").then(|| sequences("test")).transpose()?,
            weights: container.has("weights").then(weights).transpose()?,
            columns: container.values::<u32>("columns", DType::U32, 1)?.1.to_vec(),
            train_names: container.has("train_names").then(|| names("train_names")).transpose()?,
            test_names: container.has("test_names").then(|| names("test_names")).transpose()?,
            alphabet,
            provenance,
        };
        alignment.validated()
    }

    /// Writes the alignment atomically.
    ///
    /// # Errors
    /// If its parts do not fit together, or the output exists and may not be replaced, or cannot be written.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        let text = |names: &Option<Vec<String>>| {
            names.as_ref().map(|names| names.iter().flat_map(|name| [name, "\n"]).collect::<String>())
        };
        let names = [("train_names", text(&self.train_names)), ("test_names", text(&self.test_names))];
        let mut tensors = vec![Tensor::u32("columns", &[self.columns.len()], &self.columns)];
        if let Some(weights) = &self.weights {
            tensors.push(Tensor::f32("weights", &[weights.len()], weights));
        }
        for (name, part) in [("train", Some(&self.train)), ("test", self.test.as_ref())] {
            if let Some(part) = part {
                tensors.push(Tensor::u8(name, &[part.n_rows(), part.n_columns()], part.letters()));
            }
        }
        for (name, text) in &names {
            if let Some(text) = text {
                tensors.push(Tensor::u8(name, &[text.len()], text.as_bytes()));
            }
        }
        let mut description = self.provenance.clone();
        description.insert("letters".into(), self.alphabet.letters().to_owned());
        write_container(path, KIND, &description, &tensors, overwrite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Description;

    fn alignment() -> Alignment {
        let sequences = |letters: &[u8]| Sequences::new(2, 21, letters.to_vec()).unwrap();
        let mut alignment = Alignment::from_train(sequences(&[0, 20, 3, 3, 1, 2]), Alphabet::protein());
        alignment.test = Some(sequences(&[7, 8]));
        alignment.weights = Some(vec![1.0, 0.5, 0.25]);
        alignment.columns = vec![4, 9];
        alignment.train_names = Some(vec!["a/1-2".into(), String::new(), "é".into()]);
        alignment.test_names = Some(vec!["b".into()]);
        alignment.provenance.insert("source".into(), "alignment".into());
        alignment
    }

    #[test]
    fn an_alignment_reads_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let (full, bare) = (alignment(), Alignment::from_train(alignment().train, Alphabet::protein()));
        for alignment in [full, bare] {
            alignment.write(&path, Overwrite::Replace).unwrap();
            assert_eq!(Alignment::open(&path).unwrap(), alignment);
        }
    }

    #[test]
    fn what_does_not_fit_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let write = |letters: Option<&str>, train: &[u8], shape: [usize; 2], names: &[u8]| {
            let description: Description =
                letters.map(|letters| ("letters".to_owned(), letters.to_owned())).into_iter().collect();
            let columns: Vec<u32> = (0..shape[1] as u32).collect();
            let tensors = [
                Tensor::u8("train", &shape, train),
                Tensor::u32("columns", &[columns.len()], &columns),
                Tensor::u8("train_names", &[names.len()], names),
            ];
            write_container(&path, KIND, &description, &tensors, Overwrite::Replace).unwrap();
            Alignment::open(&path).map_err(|error| error.to_string())
        };
        assert!(write(Some("AB"), &[0, 1], [1, 2], b"a\n").is_ok());
        let cases = [
            (write(None, &[0, 1], [1, 2], b"a\n"), "letters"),
            (write(Some("A"), &[0, 0], [1, 2], b"a\n"), "alphabet"),
            (write(Some("AB"), &[0, 2], [1, 2], b"a\n"), "letters below q = 2"),
            (write(Some("AB"), &[], [0, 2], b""), "sequences: at least 1"),
            (write(Some("AB"), &[], [1, 0], b"a\n"), "columns: at least 1"),
            (write(Some("AB"), &[0, 1], [1, 2], b"a\nb\n"), "1, one a row"),
            (write(Some("AB"), &[0, 1], [1, 2], b"\xff\n"), "UTF-8"),
        ];
        for (read, word) in cases {
            let message = read.unwrap_err();
            assert!(message.contains("a.safetensors: ") && message.contains(word), "{message}");
        }
    }
}
