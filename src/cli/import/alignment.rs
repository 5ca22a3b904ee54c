//! `attractor import alignment`: sequences from FASTA, A2M or A3M, weighted and split.

use std::path::PathBuf;

use attractor::Error;
use attractor::datasets::{
    Alignment, AlignmentFormat, AlignmentImport, Alphabet, Ambiguous, Split, TestShare,
};
use attractor::spins::Sequences;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::estimate::Estimate;
use crate::cli::options::Common;
use crate::cli::provenance::provenance;
use crate::cli::text::{listing, short};

#[derive(Args)]
pub struct AlignmentOptions {
    /// FASTA, A2M or A3M, plain or .gz
    pub file: PathBuf,
    /// How it is written; in A2M and A3M, lower case and "." are insertions and left out
    #[arg(long, value_enum, default_value_t = FormatOption::Auto)]
    format: FormatOption,
    /// "protein" (gap and 20 amino acids), "nucleotide" (gap and ACGT, U as T), or the letters themselves, such as -01
    #[arg(long, default_value = "protein", allow_hyphen_values = true)]
    alphabet: String,
    /// What becomes of letters that stand for several or rare ones (BZJXUO* of proteins, codes of several bases)
    #[arg(long, value_enum, default_value_t = AmbiguousOption::Gap)]
    ambiguous: AmbiguousOption,
    /// Leave out columns with more than this fraction of gaps
    #[arg(long, default_value_t = 1.0)]
    max_gaps_column: f64,
    /// Leave out sequences with more than this fraction of gaps in the columns that are left
    #[arg(long, default_value_t = 1.0)]
    max_gaps_sequence: f64,
    /// Sequences that are equal to an earlier one
    #[arg(long, value_enum, default_value_t = DuplicatesOption::Keep)]
    duplicates: DuplicatesOption,
    /// Weight of a sequence: 1 / number of sequences to learn from with at least this fraction of equal columns
    #[arg(long, default_value_t = 0.8, conflicts_with = "no_weights")]
    theta: f64,
    /// Weigh all sequences the same
    #[arg(long)]
    no_weights: bool,
    /// Sequences kept for the test: a number, or a fraction such as 0.1 [default: none]
    #[arg(long, value_name = "COUNT|FRACTION", value_parser = share)]
    test: Option<TestShare>,
    /// Take them at random, or whole clusters of similar sequences at random
    #[arg(long, value_enum, default_value_t = SplitOption::Random, requires = "test")]
    split: SplitOption,
    /// Sequences with at least this fraction of equal columns are in one cluster
    #[arg(long, default_value_t = 0.8)]
    cluster_identity: f64,
    /// File to write
    #[arg(long, short, default_value = "data.safetensors")]
    pub output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatOption {
    Auto,
    Fasta,
    A2m,
    A3m,
}

#[derive(Clone, Copy, ValueEnum)]
enum AmbiguousOption {
    Gap,
    Drop,
    Refuse,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DuplicatesOption {
    Keep,
    Drop,
}

#[derive(Clone, Copy, ValueEnum)]
enum SplitOption {
    Random,
    Clusters,
}

/// A whole number is a number of sequences, any other a fraction of them.
fn share(text: &str) -> Result<TestShare, String> {
    let fraction = |_| text.parse().map(TestShare::Fraction);
    let share = text.parse().map(TestShare::Count).or_else(fraction);
    share.map_err(|_| "expected a number of sequences or a fraction of them".to_owned())
}

impl AlignmentOptions {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let execution = common.execution()?;
        let import = AlignmentImport {
            file: self.file,
            format: match self.format {
                FormatOption::Auto => AlignmentFormat::Auto,
                FormatOption::Fasta => AlignmentFormat::Fasta,
                FormatOption::A2m => AlignmentFormat::A2m,
                FormatOption::A3m => AlignmentFormat::A3m,
            },
            alphabet: match self.alphabet.as_str() {
                "protein" => Alphabet::protein(),
                "nucleotide" => Alphabet::nucleotide(),
                letters => Alphabet::given(letters)?,
            },
            ambiguous: match self.ambiguous {
                AmbiguousOption::Gap => Ambiguous::Gap,
                AmbiguousOption::Drop => Ambiguous::Drop,
                AmbiguousOption::Refuse => Ambiguous::Refuse,
            },
            max_gaps_column: self.max_gaps_column,
            max_gaps_sequence: self.max_gaps_sequence,
            duplicates: self.duplicates == DuplicatesOption::Keep,
        };
        let split = match self.split {
            SplitOption::Random => Split::Random,
            SplitOption::Clusters => Split::Clusters { identity: self.cluster_identity },
        };
        for (name, identity) in [("theta", self.theta), ("cluster-identity", self.cluster_identity)] {
            if !(identity > 0.0 && identity <= 1.0) {
                return Err(Error::parameter(name, "a fraction above 0, at most 1", identity).into());
            }
        }
        let mut alignment = import.read()?;
        let passes = u32::from(!self.no_weights) + u32::from(matches!(split, Split::Clusters { .. }));
        let estimate = estimate(&alignment, passes, &execution);
        if !common.admits(&estimate, Some(&self.output), &execution)? {
            return Ok(());
        }
        if let Some(share) = self.test {
            alignment = alignment.split(share, split, common.seed, &execution)?;
        }
        if !self.no_weights {
            alignment = alignment.reweighted(self.theta, &execution)?;
        }
        alignment.provenance.extend(provenance(&[])?);
        alignment.write(&self.output, common.overwrite())?;
        let n_test = alignment.test.as_ref().map_or(0, Sequences::n_rows);
        let document = json!({
            "output": self.output, "p": alignment.n_sequences(), "l": alignment.n_columns(),
            "q": alignment.n_letters(), "n_effective": alignment.n_effective(), "test": n_test,
            "test_asked": alignment.provenance.get("test_asked").and_then(|asked| asked.parse::<usize>().ok()),
            "provenance": alignment.provenance,
        });
        common.print(&document, &listing(summary(&alignment, n_test, &document["output"])))
    }
}

fn estimate(alignment: &Alignment, passes: u32, execution: &attractor::execution::Execution) -> Estimate {
    let size = alignment.n_sequences() as f64 * (alignment.n_columns() as f64 + 64.0);
    // A pair takes about as long as 4 signed multiply-adds a column.
    let pairs = alignment.n_sequences() as f64 * alignment.n_sequences() as f64 / 2.0;
    let work = f64::from(passes) * pairs * 4.0 * alignment.n_columns() as f64;
    Estimate::new(4.0 * size, size, work, execution)
}

fn summary(alignment: &Alignment, n_test: usize, output: &Value) -> Vec<(&'static str, String)> {
    let of = |entry: &str| alignment.provenance.get(entry).map_or("-", String::as_str);
    let mut rows = vec![
        ("alignment", output.as_str().unwrap_or_default().to_owned()),
        (
            "read as",
            format!("{}, {} sequences of {} columns", of("format"), of("sequences_read"), of("columns_read")),
        ),
    ];
    for (entry, what) in [
        ("insertions_dropped", "letters left out as insertions"),
        ("ambiguous_letters", "ambiguous letters, now gaps"),
        ("sequences_dropped_ambiguous", "sequences left out for ambiguous letters"),
        ("columns_dropped", "columns left out for gaps"),
        ("sequences_dropped_gaps", "sequences left out for gaps"),
        ("sequences_dropped_equal", "sequences left out as duplicates"),
    ] {
        if of(entry) != "0" {
            rows.push((what, of(entry).to_owned()));
        }
    }
    rows.push(("sequences P", alignment.n_sequences().to_string()));
    rows.push(("columns L", alignment.n_columns().to_string()));
    rows.push(("letters q", format!("{} ({})", alignment.n_letters(), alignment.alphabet.letters())));
    let theta = alignment.provenance.get("theta");
    rows.push(match theta {
        Some(theta) => ("M_eff", format!("{} (theta {theta})", short(alignment.n_effective()))),
        None => ("M_eff", "- (no weights)".to_owned()),
    });
    let asked = alignment.provenance.get("test_asked").filter(|asked| **asked != n_test.to_string());
    rows.push((
        "unseen sequences",
        match asked {
            Some(asked) => format!("{n_test} of {asked} asked for: no further cluster is small enough"),
            None => n_test.to_string(),
        },
    ));
    if alignment.provenance.contains_key("clusters") {
        let clusters = format!("{}, the largest of {} sequences", of("clusters"), of("largest_cluster"));
        rows.push(("clusters", clusters));
    }
    rows
}
