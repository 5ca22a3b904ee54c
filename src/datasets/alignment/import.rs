//! Alignments from files in FASTA, A2M or A3M: columns and sequences of too many gaps and repeated sequences are left out.

use std::collections::HashSet;
use std::path::PathBuf;

use super::alphabet::Alphabet;
use super::data::Alignment;
use super::records::read_records;
use super::rows::{AlignmentFormat, Ambiguous, Rows};
use crate::datasets::data_set::provenance;
use crate::error::{Error, Result};
use crate::spins::Sequences;
use crate::storage::hash_file;

/// The file of an alignment and what to take from it.
///
/// What is left out goes in this order: sequences with ambiguous letters (if asked for), columns, sequences with gaps in the
/// columns that are left, sequences equal to an earlier one in these columns.
#[derive(Clone, Debug, PartialEq)]
pub struct AlignmentImport {
    /// FASTA, A2M or A3M, plain or compressed by gzip.
    pub file: PathBuf,
    /// How it is written.
    pub format: AlignmentFormat,
    /// The letters of a column.
    pub alphabet: Alphabet,
    /// What becomes of ambiguous letters.
    pub ambiguous: Ambiguous,
    /// Columns with more than this fraction of gaps are left out; 1 keeps all.
    pub max_gaps_column: f64,
    /// Sequences with more than this fraction of gaps in the columns left are left out; 1 keeps all.
    pub max_gaps_sequence: f64,
    /// Keep sequences that are equal to an earlier one.
    pub duplicates: bool,
}

impl AlignmentImport {
    /// With the settings of a plain run: the format told by the file, ambiguous letters to gaps, nothing left out.
    pub fn new(file: PathBuf, alphabet: Alphabet) -> Self {
        Self {
            file,
            format: AlignmentFormat::Auto,
            alphabet,
            ambiguous: Ambiguous::Gap,
            max_gaps_column: 1.0,
            max_gaps_sequence: 1.0,
            duplicates: true,
        }
    }

    /// Reads the file: all sequences to learn from, without weights. Columns are numbered as match columns of the file. The
    /// provenance counts what was read and left out.
    ///
    /// # Errors
    /// If a fraction is not within 0..=1, one below 1 is asked for in an alphabet without gap, the file cannot be read or is
    /// no alignment of these letters, or nothing is left.
    pub fn read(&self) -> Result<Alignment> {
        for (name, fraction) in
            [("max-gaps-column", self.max_gaps_column), ("max-gaps-sequence", self.max_gaps_sequence)]
        {
            if !(0.0..=1.0).contains(&fraction) {
                return Err(Error::parameter(name, "a fraction from 0 to 1", fraction));
            }
            if fraction < 1.0 && self.alphabet.gap().is_none() {
                let expected =
                    format!("1, as there is no \"-\" among the letters {}", self.alphabet.letters());
                return Err(Error::parameter(name, expected, fraction));
            }
        }
        let records = read_records(&self.file)?;
        let n_records = records.len();
        let format = self.format.resolve(&self.file, &self.alphabet, &records);
        let rows = Rows::new(&self.file, records, format, &self.alphabet, self.ambiguous)?;
        let left = self.without_gaps(&rows)?;
        let n_letters = self.alphabet.n_letters();
        let columns: Vec<u32> = left.columns.iter().map(|&column| column as u32).collect();
        let names: Vec<String> = left.rows.iter().map(|&row| rows.names[row].clone()).collect();
        let mut provenance = provenance(
            "alignment",
            &[
                ("file", &self.file.display()),
                ("format", &format.name()),
                ("ambiguous", &self.ambiguous.name()),
                ("max_gaps_column", &self.max_gaps_column),
                ("max_gaps_sequence", &self.max_gaps_sequence),
                ("duplicates", &if self.duplicates { "keep" } else { "drop" }),
                ("sequences_read", &(n_records - rows.n_annotations)),
                ("columns_read", &rows.n_columns),
                ("insertions_dropped", &rows.n_insertions),
                ("ambiguous_letters", &rows.n_ambiguous),
                ("sequences_dropped_ambiguous", &rows.n_dropped),
                ("columns_dropped", &(rows.n_columns - columns.len())),
                ("sequences_dropped_gaps", &left.n_gapped),
                ("sequences_dropped_equal", &left.n_equal),
            ],
        );
        provenance.insert("file_blake3".into(), hash_file(&self.file)?);
        let alignment = Alignment {
            columns,
            train_names: Some(names),
            provenance,
            ..Alignment::from_train(
                Sequences::new(left.columns.len(), n_letters, left.letters)?,
                self.alphabet.clone(),
            )
        };
        alignment.validated()
    }

    /// Applies the filters.
    fn without_gaps(&self, rows: &Rows) -> Result<Left> {
        let n_rows = rows.names.len();
        let is_gap = |letter: u8| self.alphabet.gap() == Some(letter);
        let is_many = |gaps: usize, of: usize, most: f64| gaps as f64 / of as f64 > most;
        let mut gaps = vec![0; rows.n_columns];
        for row in rows.letters.chunks_exact(rows.n_columns) {
            gaps.iter_mut().zip(row).for_each(|(gaps, &letter)| *gaps += usize::from(is_gap(letter)));
        }
        let kept = |&column: &usize| !is_many(gaps[column], n_rows, self.max_gaps_column);
        let columns: Vec<usize> = (0..rows.n_columns).filter(kept).collect();
        if columns.is_empty() {
            let expected = format!("a column of at most {} gaps (max-gaps-column)", self.max_gaps_column);
            let fewest = gaps.iter().min().map_or(1.0, |&gaps| gaps as f64 / n_rows as f64);
            return Err(Error::format(&self.file, expected, format!("at least {fewest:.4} in each")));
        }
        let mut left = Left {
            rows: Vec::new(),
            letters: Vec::with_capacity(n_rows * columns.len()),
            n_gapped: 0,
            n_equal: 0,
            columns,
        };
        let mut seen = HashSet::new();
        for (index, row) in rows.letters.chunks_exact(rows.n_columns).enumerate() {
            let row: Vec<u8> = left.columns.iter().map(|&column| row[column]).collect();
            let gaps = row.iter().filter(|&&letter| is_gap(letter)).count();
            if is_many(gaps, row.len(), self.max_gaps_sequence) {
                left.n_gapped += 1;
                continue;
            }
            left.letters.extend_from_slice(&row);
            left.rows.push(index);
            if !self.duplicates && !seen.insert(row) {
                left.letters.truncate((left.rows.len() - 1) * left.columns.len());
                left.rows.pop();
                left.n_equal += 1;
            }
        }
        if left.rows.is_empty() {
            let expected =
                format!("a sequence of at most {} gaps (max-gaps-sequence)", self.max_gaps_sequence);
            return Err(Error::format(&self.file, expected, format!("more in each of {n_rows}")));
        }
        Ok(left)
    }
}

/// What is left.
struct Left {
    columns: Vec<usize>,
    rows: Vec<usize>,
    letters: Vec<u8>, // [rows][columns]
    n_gapped: usize,
    n_equal: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(content: &str) -> (tempfile::NamedTempFile, AlignmentImport) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let import = AlignmentImport::new(file.path().to_owned(), Alphabet::protein());
        (file, import)
    }

    fn texts(alignment: &Alignment) -> Vec<String> {
        (0..alignment.n_sequences()).map(|row| alignment.alphabet.text(alignment.train.row(row))).collect()
    }

    const FIVE: &str = ">a\nAC-D-\n>b\n-C--E\n>c x\nACXD-\n>d\nAC-D-\n>e\n-----\n";

    #[test]
    fn a_plain_import_keeps_all() {
        let (file, import) = import(FIVE);
        let alignment = import.read().unwrap();
        assert_eq!(texts(&alignment), ["AC-D-", "-C--E", "AC-D-", "AC-D-", "-----"]);
        assert_eq!(alignment.train_names.as_ref().unwrap().join(","), "a,b,c,d,e");
        assert_eq!(alignment.columns, [0, 1, 2, 3, 4]);
        let of = |entry: &str| alignment.provenance[entry].as_str();
        assert_eq!((of("source"), of("format"), of("ambiguous_letters")), ("alignment", "fasta", "1"));
        assert_eq!((of("sequences_read"), of("columns_read"), of("columns_dropped")), ("5", "5", "0"));
        assert_eq!(of("file_blake3"), hash_file(file.path()).unwrap());
    }

    #[test]
    fn filters_leave_out_columns_then_sequences_then_repetitions() {
        let (_file, mut import) = import(FIVE);
        // Gaps in the columns: 2, 1, 5, 2 and 4 of 5.
        import.max_gaps_column = 0.4;
        let alignment = import.read().unwrap();
        assert_eq!(
            (alignment.columns.as_slice(), texts(&alignment).join(" ")),
            (&[0, 1, 3][..], "ACD -C- ACD ACD ---".to_owned())
        );
        import.max_gaps_sequence = 2.0 / 3.0;
        assert_eq!(texts(&import.read().unwrap()).join(" "), "ACD -C- ACD ACD");
        import.max_gaps_sequence = 0.66;
        import.duplicates = false;
        let alignment = import.read().unwrap();
        assert_eq!(
            (texts(&alignment).join(" "), alignment.train_names.unwrap().join(",")),
            ("ACD".into(), "a".into())
        );
        let of = |entry: &str| alignment.provenance[entry].as_str();
        assert_eq!(
            (of("columns_dropped"), of("sequences_dropped_gaps"), of("sequences_dropped_equal")),
            ("2", "2", "2")
        );
        // The ambiguous letter goes first: the column counts one gap of four less.
        import.ambiguous = Ambiguous::Drop;
        import.max_gaps_column = 0.5;
        let alignment = import.read().unwrap();
        assert_eq!(alignment.columns, [0, 1, 3]);
        assert_eq!(alignment.provenance["sequences_dropped_ambiguous"], "1");
    }

    #[test]
    fn what_leaves_nothing_is_refused() {
        let (_file, mut import) = import(">a\nA-\n>b\n-C\n");
        import.max_gaps_column = 0.4;
        let message = import.read().unwrap_err().to_string();
        assert!(message.contains("at most 0.4 gaps") && message.contains("at least 0.5000"), "{message}");
        (import.max_gaps_column, import.max_gaps_sequence) = (1.0, 0.4);
        assert!(import.read().unwrap_err().to_string().contains("more in each of 2"));
        for fraction in [-0.1, 1.1, f64::NAN] {
            import.max_gaps_column = fraction;
            assert!(import.read().unwrap_err().to_string().starts_with("max-gaps-column: "));
        }
        import.max_gaps_column = 0.5;
        import.alphabet = Alphabet::given("AC").unwrap();
        assert!(import.read().unwrap_err().to_string().contains("no \"-\" among the letters AC"));
    }
}
