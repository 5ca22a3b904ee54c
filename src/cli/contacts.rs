//! `attractor contacts`: how strongly the columns of an alignment are coupled, a row a pair.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use attractor::potts::{ContactPrecision, PairScore, PottsCouplings, contact_precision, pair_scores};
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

/// Distances by columns i < j, numbers of the input counted from 0, with the lines that say them.
type Distances = BTreeMap<(usize, usize), (f64, usize)>;

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
        let read = |path: &PathBuf| read_distances(path, first, couplings.columns());
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
                    let distance = |i, j| distances.get(&(i, j)).map(|&(distance, _)| distance);
                    let asked = n_columns.div_ceil(part);
                    contact_precision(&scores, asked, self.min_separation, self.cutoff, distance)
                })
            })
            .collect();
        let is_apart = |score: &&PairScore| score.j - score.i >= self.min_separation;
        let n_apart = distances.as_ref().map(|distances| {
            scores.iter().filter(is_apart).filter(|x| distances.contains_key(&(x.i, x.j))).count()
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

/// Reads lines "i j distance" of columns counted from `first`; a pair may stand in both orders; "#" begins a comment. Those of columns that are
/// not among `columns` are left out.
fn read_distances(path: &Path, first: usize, columns: &[u32]) -> Result<Distances> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "read"))?;
    let mut distances = Distances::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let fields: Vec<&str> = line.split([' ', '\t', ',', ';']).filter(|field| !field.is_empty()).collect();
        if fields.is_empty() {
            continue;
        }
        let column = |text: &str| text.parse::<usize>().ok().and_then(|column| column.checked_sub(first));
        let read = match fields[..] {
            [i, j, distance] => column(i).zip(column(j)).zip(distance.parse::<f64>().ok()),
            _ => None,
        };
        match read {
            Some(((i, j), distance)) if i != j && distance >= 0.0 => {
                let is_kept =
                    |column| u32::try_from(column).is_ok_and(|column| columns.binary_search(&column).is_ok());
                let line = number + 1;
                if is_kept(i)
                    && is_kept(j)
                    && let Some((other, earlier)) = distances.insert((i.min(j), i.max(j)), (distance, line))
                    && other != distance
                {
                    let expected = "one distance for a pair of columns";
                    let (i, j) = (i + first, j + first);
                    let found = format!("two of {i} and {j}, in lines {earlier} and {line}");
                    return Err(Error::format(path, expected, found));
                }
            }
            _ => {
                let expected =
                    format!("two different columns from {first} and a distance, in line {}", number + 1);
                return Err(Error::format(path, expected, format!("{line:?}")));
            }
        }
    }
    if distances.is_empty() {
        let expected = format!("lines \"i j distance\" of columns among {}", range(columns, first));
        return Err(Error::format(path, expected, "none"));
    }
    Ok(distances)
}
