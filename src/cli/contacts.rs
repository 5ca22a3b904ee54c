//! `attractor contacts`: how strongly the columns of an alignment are coupled, a row a pair.

use std::path::{Path, PathBuf};

use attractor::potts::{
    ContactPrecision, Distances, PairScore, PottsCouplings, contact_precision, pair_scores,
};
use attractor::{Error, Result};
use clap::Args;
use serde_json::json;

use super::options::Common;
use super::text::{listing, short};

#[derive(Args)]
pub struct Contacts {
    /// Potts couplings, of `train` on an alignment
    couplings: PathBuf,
    /// Table to write: i, j, frobenius, apc, the strongest pair first
    #[arg(long, short, default_value = "contacts.csv")]
    output: PathBuf,
    /// Letter that does not count in the norm, or none [default: "-" where the alphabet has it]
    #[arg(long)]
    gap: Option<String>,
    /// Number of the first match column of the input, whose numbers the table and --distances have
    #[arg(long, default_value_t = 1)]
    first: u32,
    /// Distances of columns, lines "i j distance": counts contacts among the L, L/2 and L/5 strongest of the
    /// pairs with a distance; columns that were left out of the alignment do not count
    #[arg(long)]
    distances: Option<PathBuf>,
    /// Distance below which a pair is a contact
    #[arg(long, default_value_t = 8.0)]
    cutoff: f64,
    /// Pairs are counted among the strongest if at least so many columns of the input apart
    #[arg(long, default_value_t = 4)]
    min_separation: usize,
    #[command(flatten)]
    common: Common,
}

impl Contacts {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let inputs: Vec<&Path> = [Some(&self.couplings), self.distances.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
        self.common.check_outputs(&[&self.output], &inputs)?;
        if !(self.cutoff > 0.0 && self.cutoff.is_finite()) {
            return Err(Error::parameter("cutoff", "a finite positive distance", self.cutoff).into());
        }
        let couplings = PottsCouplings::open(&self.couplings, &execution)?;
        let alphabet = couplings.description().get("alphabet").map(String::as_str);
        let gap = self.gap(alphabet)?;
        let n_columns = couplings.n_columns();
        let first = self.first as usize;
        let read = |path: &PathBuf| Distances::read(path, self.first, couplings.columns());
        let distances = self.distances.as_ref().map(read).transpose()?;
        if self.common.dry_run {
            return self.common.print_dry_run(&self.output);
        }
        let scores = pair_scores(&couplings, gap, &execution)?;
        PairScore::table(&scores, first).write(&self.output, self.common.overwrite())?;
        let precisions: Vec<ContactPrecision> = distances
            .iter()
            .flat_map(|distances| {
                [1, 2, 5].map(|part| {
                    let asked = n_columns.div_ceil(part);
                    let distance = |i, j| distances.get(i, j);
                    contact_precision(&scores, asked, self.min_separation, self.cutoff, distance)
                })
            })
            .collect();
        let is_apart = |score: &&PairScore| score.j - score.i >= self.min_separation;
        let n_apart = distances.as_ref().map(|distances| {
            scores.iter().filter(is_apart).filter(|x| distances.get(x.i, x.j).is_some()).count()
        });
        let strongest = scores.iter().filter(is_apart).take(5);
        let strongest: Vec<String> = strongest
            .map(|score| format!("{}-{} ({})", score.i + first, score.j + first, short(score.apc)))
            .collect();
        let left_out = gap.map_or("none".to_owned(), |gap| {
            let letter = alphabet.and_then(|letters| letters.chars().nth(gap.into()));
            letter.map_or_else(|| gap.to_string(), |letter| letter.to_string())
        });
        let document = json!({
            "output": self.output, "columns": n_columns, "pairs": scores.len(), "gap": left_out,
            "pairs_with_distance": distances.as_ref().map(Distances::len),
            "pairs_with_distance_apart": n_apart, "precision_of_pairs_with_distance": precisions,
        });
        let mut lines = vec![
            ("table", self.output.display().to_string()),
            (
                "pairs",
                format!("{} of {n_columns} columns, {}", scores.len(), range(couplings.columns(), first)),
            ),
            ("letter left out", left_out),
            ("strongest", strongest.join(", ")),
        ];
        let contacts: Vec<String> = precisions
            .iter()
            .map(|precision| {
                let share = 100.0 * precision.contacts as f64 / precision.counted.max(1) as f64;
                format!("{} of {} ({share:.1} %)", precision.contacts, precision.counted)
            })
            .collect();
        if let ([l, half, fifth], Some(distances), Some(n_apart)) = (&contacts[..], &distances, n_apart) {
            let separation = self.min_separation;
            lines.extend([
                (
                    "pairs with a distance",
                    format!("{}, {n_apart} of them at least {separation} columns apart", distances.len()),
                ),
                ("contacts among the L strongest with a distance", l.clone()),
                ("among the L/2 strongest with a distance", half.clone()),
                ("among the L/5 strongest with a distance", fifth.clone()),
            ]);
        }
        self.common.print(&document, &listing(lines))
    }

    /// The letter that does not count.
    fn gap(&self, alphabet: Option<&str>) -> Result<Option<u8>> {
        let number = |letter: &str| {
            let mut letters = alphabet.unwrap_or_default().chars();
            letters.position(|x| x.to_string() == letter).and_then(|number| u8::try_from(number).ok())
        };
        match self.gap.as_deref() {
            None => Ok(number("-")),
            Some("none") => Ok(None),
            Some(letter) => match number(letter) {
                Some(number) => Ok(Some(number)),
                None => {
                    let expected = format!("none, or a letter of {:?}", alphabet.unwrap_or_default());
                    Err(Error::parameter("gap", expected, letter))
                }
            },
        }
    }
}

/// The numbers of the first and the last column.
fn range(columns: &[u32], first: usize) -> String {
    let number = |column: Option<&u32>| column.map_or(first, |&column| column as usize + first);
    format!("{} to {}", number(columns.first()), number(columns.last()))
}
