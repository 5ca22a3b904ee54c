//! [`Distances`] of columns, by which the strongest pairs are told to be contacts; text of lines "i j distance".

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};

/// Distances of pairs of columns i < j, numbered as [`PottsCouplings::columns`](super::PottsCouplings::columns): not negative,
/// one a pair, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Distances(BTreeMap<(usize, usize), f64>);

impl Distances {
    /// Reads lines "i j distance" of columns counted from `first`, values separated by spaces, tabs, commas or semicolons; "#"
    /// begins a comment. A pair may stand in both orders. Those of columns that are not among `columns`, numbers in ascending
    /// order, are left out.
    ///
    /// # Errors
    /// If the file cannot be read, a line holds something else, a pair has two distances, or none is left.
    pub fn read(path: &Path, first: u32, columns: &[u32]) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path, "read"))?;
        let first = first as usize;
        let mut distances = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let fields: Vec<&str> =
                line.split([' ', '\t', ',', ';']).filter(|field| !field.is_empty()).collect();
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
                    let is_kept = |column| {
                        u32::try_from(column).is_ok_and(|column| columns.binary_search(&column).is_ok())
                    };
                    let line = number + 1;
                    if is_kept(i)
                        && is_kept(j)
                        && let Some((other, earlier)) =
                            distances.insert((i.min(j), i.max(j)), (distance, line))
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
            let ends =
                [columns.first(), columns.last()].map(|end| end.map_or(first, |&end| end as usize + first));
            let expected = format!("lines \"i j distance\" of columns among {} to {}", ends[0], ends[1]);
            return Err(Error::format(path, expected, "none"));
        }
        Ok(Self(distances.into_iter().map(|(pair, (distance, _))| (pair, distance)).collect()))
    }

    /// That of columns i < j, if it is known.
    pub fn get(&self, i: usize, j: usize) -> Option<f64> {
        self.0.get(&(i, j)).copied()
    }

    /// Number of pairs.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// (i, j, distance) with i < j, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        self.0.iter().map(|(&(i, j), &distance)| (i, j, distance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str, first: u32, columns: &[u32]) -> Result<Distances> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Distances::read(file.path(), first, columns)
    }

    #[test]
    fn pairs_are_read_in_either_order_and_those_of_other_columns_left_out() {
        let content = "# i j distance\n3,1;2.5\n\n1 3 2.5 # again\n1\t2 9\n4 6 0\n";
        let distances = read(content, 1, &[0, 2, 3, 5]).unwrap();
        assert!(distances.iter().eq([(0, 2, 2.5), (3, 5, 0.0)]));
        assert_eq!((distances.len(), distances.get(0, 2), distances.get(0, 1)), (2, Some(2.5), None));
    }

    #[test]
    fn lines_that_are_no_distances_are_refused() {
        let message = |content: &str| read(content, 1, &[0, 1, 2]).unwrap_err().to_string();
        for line in ["1 1 2", "0 1 2", "1 2 -1", "1 2 nan", "1 2", "1 2 3 4", "a b 1"] {
            let expected = format!("from 1 and a distance, in line 2, found {line:?}");
            assert!(message(&format!("1 2 3\n{line}\n")).contains(&expected), "{line}");
        }
        assert!(message("1 2 3\n2 1 4\n").contains("two of 2 and 1, in lines 1 and 2"));
        assert!(message("1 2 3\n8 9 1\n8 9 2\n2 8 x").contains("line 4"));
        assert!(message("8 9 1\n").contains("among 1 to 3, found none"));
    }
}
