//! Records to rows of letters: which characters are columns, which insertions, and what letters mean.
//!
//! In A2M and A3M, upper case and "-" are match columns; lower case and "." are insertions of a sequence against them, which
//! are left out. A3M leaves out the "." as well, so its records differ in length. In plain FASTA every character is a column.

use std::path::Path;

use super::alphabet::{Alphabet, GAP, Meaning};
use super::records::Record;
use crate::error::{Error, Result};

/// How an alignment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignmentFormat {
    /// What the file's name ends in, before .gz; else A3M if the records differ in length, A2M if they have both lower case
    /// and ".", FASTA otherwise.
    Auto,
    /// Every character is a column; "." is a gap.
    Fasta,
    /// Lower case and "." are insertions.
    A2m,
    /// The same, "." left out.
    A3m,
}

/// What becomes of ambiguous letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// They become gaps.
    Gap,
    /// Their sequences are left out.
    Drop,
    /// They are refused.
    Refuse,
}

/// Rows of letters read from records.
pub(super) struct Rows {
    pub(super) n_columns: usize,
    pub(super) letters: Vec<u8>, // [names.len()][n_columns]
    pub(super) names: Vec<String>,
    /// Characters left out as insertions.
    pub(super) n_insertions: usize,
    /// Ambiguous letters that became gaps.
    pub(super) n_ambiguous: usize,
    /// Sequences left out for ambiguous letters.
    pub(super) n_dropped: usize,
    /// Records of A3M files that say something of the columns (structure, confidence) and are no sequences.
    pub(super) n_annotations: usize,
}

impl AlignmentFormat {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fasta => "fasta",
            Self::A2m => "a2m",
            Self::A3m => "a3m",
        }
    }

    /// What the records of this file are written in.
    pub(super) fn resolve(self, path: &Path, alphabet: &Alphabet, records: &[Record]) -> Self {
        if self != Self::Auto {
            return self;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let stem = name.strip_suffix(".gz").unwrap_or(&name);
        let has = |wanted: fn(&u8) -> bool| records.iter().any(|record| record.sequence.iter().any(wanted));
        if stem.ends_with(".a2m") {
            Self::A2m
        } else if stem.ends_with(".a3m") {
            Self::A3m
        } else if !alphabet.folds_case() {
            Self::Fasta
        } else if records.iter().any(|record| record.sequence.len() != records[0].sequence.len())
            && has(u8::is_ascii_lowercase)
        {
            Self::A3m
        } else if has(u8::is_ascii_lowercase) && has(|&character| character == b'.') {
            Self::A2m
        } else {
            Self::Fasta
        }
    }
}

impl Ambiguous {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
    }
}

impl Rows {
    /// Decodes records; `format` is not [`AlignmentFormat::Auto`].
    ///
    /// # Errors
    /// If a character is no letter of the alphabet, an ambiguous one is to be refused, records have different numbers of
    /// columns or none, or nothing is left.
    pub(super) fn new(
        path: &Path,
        records: Vec<Record>,
        format: AlignmentFormat,
        alphabet: &Alphabet,
        ambiguous: Ambiguous,
    ) -> Result<Self> {
        let has_insertions = format != AlignmentFormat::Fasta;
        if has_insertions && !alphabet.folds_case() {
            let expected = format!("without lower-case letters, which are insertions in {}", format.name());
            return Err(Error::parameter("alphabet", expected, alphabet.letters()));
        }
        let mut rows = Self {
            n_columns: 0,
            letters: Vec::new(),
            names: Vec::new(),
            n_insertions: 0,
            n_ambiguous: 0,
            n_dropped: 0,
            n_annotations: 0,
        };
        let mut first: Option<String> = None;
        for record in records {
            if has_insertions && is_annotation(&record.name) {
                rows.n_annotations += 1;
                continue;
            }
            let begin = rows.letters.len();
            let mut n_ambiguous = 0;
            for (place, &character) in record.sequence.iter().enumerate() {
                if has_insertions && (character == b'.' || character.is_ascii_lowercase()) {
                    rows.n_insertions += usize::from(character != b'.');
                    continue;
                }
                let character = if character == b'.' { GAP } else { character };
                let refused = |expected: String| {
                    let found = char::from(character).escape_debug();
                    let found = format!("'{found}', letter {} of {}", place + 1, record.place());
                    Err(Error::format(path, expected, found))
                };
                rows.letters.push(match (alphabet.meaning(character), alphabet.gap()) {
                    (Meaning::Letter(code), _) => code,
                    (Meaning::Ambiguous, Some(gap)) if ambiguous != Ambiguous::Refuse => {
                        n_ambiguous += 1;
                        gap
                    }
                    (Meaning::Ambiguous, _) => {
                        return refused(format!("no ambiguous letter beside {}", alphabet.letters()));
                    }
                    (Meaning::Unknown, _) => {
                        return refused(format!("letters of the alphabet {}", alphabet.letters()));
                    }
                });
            }
            let n_columns = rows.letters.len() - begin;
            match &first {
                None if n_columns == 0 => {
                    return Err(Error::format(
                        path,
                        "at least 1 column",
                        format!("none in {}", record.place()),
                    ));
                }
                None => (rows.n_columns, first) = (n_columns, Some(record.place())),
                Some(first) if n_columns != rows.n_columns => {
                    let what = if has_insertions { "match columns" } else { "columns" };
                    let expected = format!("{} {what} as in {first}", rows.n_columns);
                    return Err(Error::format(path, expected, format!("{n_columns} in {}", record.place())));
                }
                Some(_) => {}
            }
            if n_ambiguous > 0 && ambiguous == Ambiguous::Drop {
                rows.letters.truncate(begin);
                rows.n_dropped += 1;
                continue;
            }
            rows.n_ambiguous += n_ambiguous;
            rows.names.push(record.name);
        }
        if rows.names.is_empty() {
            let found =
                format!("{} with ambiguous letters, {} annotations", rows.n_dropped, rows.n_annotations);
            return Err(Error::format(path, "at least 1 sequence to keep", found));
        }
        Ok(rows)
    }
}

/// The records that the HH-suite puts beside the sequences: secondary structure, accessibility, confidence.
fn is_annotation(name: &str) -> bool {
    ["ss_dssp", "sa_dssp", "ss_pred", "ss_conf", "aa_dssp", "aa_pred"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(rows: &[(&str, &str)]) -> Vec<Record> {
        let record = |(index, &(name, sequence)): (usize, &(&str, &str))| Record {
            name: name.into(),
            line: 2 * index as u64 + 1,
            sequence: sequence.into(),
        };
        rows.iter().enumerate().map(record).collect()
    }

    fn read(rows: &[(&str, &str)], format: AlignmentFormat, ambiguous: Ambiguous) -> Result<Rows> {
        Rows::new(Path::new("a.fasta"), records(rows), format, &Alphabet::protein(), ambiguous)
    }

    fn texts(rows: &Rows) -> Vec<String> {
        rows.letters.chunks(rows.n_columns).map(|row| Alphabet::protein().text(row)).collect()
    }

    #[test]
    fn insertions_are_left_out_where_the_format_has_them() {
        let a2m = [("a", "A..C-"), ("b", "DefE-"), ("c", "FGH.-y")];
        let wrong = read(&a2m, AlignmentFormat::A2m, Ambiguous::Gap);
        assert!(wrong.is_err(), "c has one column more");
        let a2m = [("a", "A..C-"), ("b", "DefE-"), ("ss_pred", "CHH"), ("c", "Fg.-Y")];
        let rows = read(&a2m, AlignmentFormat::A2m, Ambiguous::Gap).unwrap();
        assert_eq!((texts(&rows), rows.n_insertions), (vec!["AC-".into(), "DE-".into(), "F-Y".into()], 3));
        assert_eq!((rows.names.join(","), rows.n_annotations), ("a,b,c".into(), 1));
        let a3m = [("a", "AC-"), ("b", "DefE-"), ("c", "Fg-Y")];
        let rows = read(&a3m, AlignmentFormat::A3m, Ambiguous::Gap).unwrap();
        assert_eq!((texts(&rows), rows.n_insertions), (vec!["AC-".into(), "DE-".into(), "F-Y".into()], 3));
        let fasta = [("a", "A.cd"), ("a", "-EFg")];
        let rows = read(&fasta, AlignmentFormat::Fasta, Ambiguous::Gap).unwrap();
        assert_eq!((texts(&rows), rows.names.join(",")), (vec!["A-CD".into(), "-EFG".into()], "a,a".into()));
    }

    #[test]
    fn a_format_is_told_by_name_and_then_by_content() {
        let of = |name: &str, rows: &[&str]| {
            let rows: Vec<_> = rows.iter().map(|&row| ("x", row)).collect();
            AlignmentFormat::Auto.resolve(Path::new(name), &Alphabet::protein(), &records(&rows))
        };
        assert_eq!(of("a.a2m", &["AC", "DE"]), AlignmentFormat::A2m);
        assert_eq!(of("dir.a2m/a.A3M.gz", &["AC", "DE"]), AlignmentFormat::A3m);
        assert_eq!(of("a.fasta", &["AC-", "Def-G"]), AlignmentFormat::A3m);
        assert_eq!(of("a.fasta.gz", &["A..C-", "DefE-"]), AlignmentFormat::A2m);
        assert_eq!(of("a.txt", &["A..C-", "D..E-"]), AlignmentFormat::Fasta);
        assert_eq!(of("a.txt", &["acc-", "DDEE"]), AlignmentFormat::Fasta);
        assert_eq!(of("a.txt", &["ACC", "DDEE"]), AlignmentFormat::Fasta);
    }

    #[test]
    fn ambiguous_letters_become_gaps_or_go_with_their_sequences() {
        let with = [("a", "ACX"), ("b", "DEF"), ("c", "bZ*")];
        let rows = read(&with, AlignmentFormat::Fasta, Ambiguous::Gap).unwrap();
        assert_eq!((texts(&rows), rows.n_ambiguous), (vec!["AC-".into(), "DEF".into(), "---".into()], 4));
        let rows = read(&with, AlignmentFormat::Fasta, Ambiguous::Drop).unwrap();
        assert_eq!((texts(&rows), rows.n_ambiguous, rows.n_dropped), (vec!["DEF".into()], 0, 2));
        let message = |rows, ambiguous| {
            let read = read(rows, AlignmentFormat::Fasta, ambiguous);
            read.err().unwrap().to_string()
        };
        let refused = message(&with, Ambiguous::Refuse);
        assert!(refused.contains("'X', letter 3 of sequence \"a\" (line 1)"), "{refused}");
        assert!(message(&[("a", "X")], Ambiguous::Drop).contains("1 with ambiguous letters"));
    }

    #[test]
    fn rows_that_are_no_alignment_name_the_sequence() {
        let message = |rows: &[(&str, &str)], format| {
            let error = read(rows, format, Ambiguous::Gap).err().unwrap().to_string();
            assert!(error.starts_with("a.fasta: "), "{error}");
            error
        };
        let ragged = message(&[("a", "ACD"), ("b", "AC")], AlignmentFormat::Fasta);
        assert!(
            ragged.contains("3 columns as in sequence \"a\" (line 1), found 2 in sequence \"b\" (line 3)")
        );
        assert!(message(&[("a", "ACD"), ("b", "ACd")], AlignmentFormat::A3m).contains("3 match columns"));
        assert!(message(&[("a", "")], AlignmentFormat::Fasta).contains("at least 1 column"));
        assert!(message(&[("a", "acd")], AlignmentFormat::A2m).contains("at least 1 column"));
        let unknown = message(&[("a", "ACD"), ("b", "A1D")], AlignmentFormat::Fasta);
        assert!(unknown.contains("found '1', letter 2 of sequence \"b\" (line 3)"), "{unknown}");
        assert!(message(&[("a", "A D")], AlignmentFormat::Fasta).contains("' '"));
        let binary = Alphabet::given("Ab").unwrap();
        let records = records(&[("a", "Ab")]);
        let refused = Rows::new(Path::new("a"), records, AlignmentFormat::A2m, &binary, Ambiguous::Gap);
        assert!(refused.err().unwrap().to_string().starts_with("alphabet: "));
    }
}
