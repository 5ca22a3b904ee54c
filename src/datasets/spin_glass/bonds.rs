//! [`Bonds`]: which pairs of spins are coupled, and how strongly; as text, lines "i j J".

use std::io::Write;
use std::path::Path;

use super::super::number_lines::for_each_line;
use crate::error::{Error, Result};
use crate::storage::{Overwrite, write_atomically};

/// Couplings of pairs of spins, E(s) = - sum over the bonds of J s_i s_j.
///
/// Invariants: i < j < N, ascending, no pair twice, values finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Bonds {
    n_spins: usize,
    pairs: Vec<[u32; 2]>,
    values: Vec<f32>,
}

impl Bonds {
    /// Takes bonds (i, j, J) in any order, spins counted from 0.
    ///
    /// # Errors
    /// If there are no spins or 2^32 of them or more, no bonds, an index is N or above, a bond couples a spin to itself, a
    /// pair has two, or a value is not finite in f32.
    pub fn new(n_spins: usize, bonds: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self> {
        if n_spins == 0 || u32::try_from(n_spins).is_err() {
            return Err(Error::parameter("n", "from 1 to 2^32 - 1 spins", n_spins));
        }
        let mut sorted = Vec::new();
        for (i, j, value) in bonds {
            let name = || format!("bond {i} {j}");
            if let Some(index) = [i, j].into_iter().find(|&index| index >= n_spins) {
                let expected = format!("spins from 0 to {}", n_spins - 1);
                return Err(Error::shape(name(), expected, index.to_string()));
            }
            if i == j {
                return Err(Error::shape(name(), "two different spins", format!("spin {i} twice")));
            }
            if !(value as f32).is_finite() {
                return Err(Error::shape(name(), "a value that is finite in f32", value.to_string()));
            }
            sorted.push(([i.min(j) as u32, i.max(j) as u32], value as f32));
        }
        if sorted.is_empty() {
            return Err(Error::shape("bonds", "at least one", "none"));
        }
        sorted.sort_by_key(|bond| bond.0);
        if let Some(twice) = sorted.windows(2).find(|bonds| bonds[0].0 == bonds[1].0) {
            let [i, j] = twice[0].0;
            let found = format!("two, {} and {}", twice[0].1, twice[1].1);
            return Err(Error::shape(format!("bond {i} {j}"), "one value", found));
        }
        let (pairs, values) = sorted.into_iter().unzip();
        Ok(Self { n_spins, pairs, values })
    }

    /// Reads lines "i j J", spins counted from 0, values separated by commas, semicolons, tabs or spaces, `#` beginning a
    /// comment line. N is `n_spins`, or one above the largest index.
    ///
    /// # Errors
    /// As [`new`](Self::new), naming file and line, or if the file cannot be read or a line holds something else.
    pub fn read(path: &Path, n_spins: Option<usize>) -> Result<Self> {
        let mut bonds = Vec::new();
        for_each_line(path, |line, fields| {
            let parsed = match fields {
                [i, j, value] => {
                    let numbers = (i.parse::<usize>(), j.parse::<usize>(), value.parse::<f64>());
                    if let (Ok(i), Ok(j), Ok(value)) = numbers { Some((i, j, value)) } else { None }
                }
                _ => None,
            };
            let Some(bond) = parsed else {
                let found = format!("{:?} in line {line}", fields.join(" "));
                return Err(Error::format(path, "two spins, counted from 0, and a value: i j J", found));
            };
            bonds.push(bond);
            Ok(())
        })?;
        let largest = bonds.iter().map(|&(i, j, _)| i.max(j)).max();
        let n_spins = n_spins.or_else(|| largest?.checked_add(1));
        let Some(n_spins) = n_spins else { return Err(Error::format(path, "bonds, lines i j J", "none")) };
        Self::new(n_spins, bonds).map_err(|error| match error {
            Error::Parameter { name, expected, found } => {
                Error::format(path, format!("{name}: {expected}"), found)
            }
            other => other.in_file(path),
        })
    }

    /// Writes lines "i j J", below a comment with N. Values read back exactly.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        write_atomically(path, overwrite, |file| {
            let mut file = std::io::BufWriter::new(file);
            let mut lines = || -> std::io::Result<()> {
                writeln!(file, "# {} spins, {} bonds: i j J", self.n_spins, self.len())?;
                for (i, j, value) in self.iter() {
                    writeln!(file, "{i} {j} {value}")?;
                }
                file.flush()
            };
            lines().map_err(Error::io(path, "write"))
        })
    }

    /// N.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Number of bonds.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// (i, j, J) with i < j, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (usize, usize, f32)> + '_ {
        self.pairs.iter().zip(&self.values).map(|(&[i, j], &value)| (i as usize, j as usize, value))
    }

    /// The pairs, `[len][2]`.
    pub fn pairs(&self) -> &[[u32; 2]] {
        &self.pairs
    }

    /// The values, `[len]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The neighbours of each spin, ascending, with the couplings to them.
    pub fn neighbours(&self) -> Vec<Vec<(u32, f64)>> {
        let mut neighbours = vec![Vec::new(); self.n_spins];
        for (i, j, value) in self.iter() {
            neighbours[i].push((j as u32, f64::from(value)));
            neighbours[j].push((i as u32, f64::from(value)));
        }
        neighbours.iter_mut().for_each(|of_spin| of_spin.sort_by_key(|neighbour| neighbour.0));
        neighbours
    }

    /// Root mean square over the spins of the field of random neighbours, sqrt(sum_j J_ij^2): the temperature scale.
    pub fn field_scale(&self) -> f64 {
        let squares: f64 = self.values.iter().map(|&value| f64::from(value).powi(2)).sum();
        (2.0 * squares / self.n_spins as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str, n_spins: Option<usize>) -> Result<Bonds> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Bonds::read(file.path(), n_spins)
    }

    #[test]
    fn what_is_written_is_read() {
        let values = [(0, 1, -1.0), (2, 1, 1.0 / 3.0), (0, 4, 1e-30), (3, 4, -1.234_567_9e20)];
        let bonds = Bonds::new(6, values).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bonds.txt");
        bonds.write(&path, Overwrite::Refuse).unwrap();
        assert_eq!(Bonds::read(&path, Some(6)).unwrap(), bonds);
        assert_eq!(Bonds::read(&path, None).unwrap().n_spins(), 5);
        assert!(bonds.write(&path, Overwrite::Refuse).is_err());
        assert_eq!(
            read("# any order\n4,3,-1.2345679e20\n1,0,-1\n4,0,1e-30\n1,2,0.33333334\n", Some(6)).unwrap(),
            bonds
        );
    }

    #[test]
    fn neighbours_hold_each_bond_twice() {
        let bonds = Bonds::new(4, [(2, 0, 0.5), (0, 1, -2.0)]).unwrap();
        let expected = vec![vec![(1, -2.0), (2, 0.5)], vec![(0, -2.0)], vec![(0, 0.5)], vec![]];
        assert_eq!(bonds.neighbours(), expected);
        assert!((bonds.field_scale() - (2.0 * 4.25f64 / 4.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn lines_that_are_no_bonds_are_refused() {
        let message = |content, n_spins| read(content, n_spins).unwrap_err().to_string();
        assert!(message("0 1 1\n1 0 2\n", None).contains("bond 0 1: one value, found two, 1 and 2"));
        assert!(
            message("0 1 1\n2 2 1\n", None).contains("bond 2 2: two different spins, found spin 2 twice")
        );
        assert!(message("0 1 1\n2 5 1\n", Some(5)).contains("bond 2 5: spins from 0 to 4, found 5"));
        assert!(message("0 1 nan\n", None).contains("bond 0 1: a value that is finite"));
        assert!(message("0 1 1e39\n", None).contains("finite"));
        assert!(message("0 1 1\n0 2\n", None).contains(r#"found "0 2" in line 2"#));
        assert!(message("0 -1 1\n", None).contains("counted from 0"));
        assert!(message("0 1.0 1\n", None).contains("counted from 0"));
        assert!(message("# none\n", None).contains("bonds, lines i j J"));
        assert!(message("", Some(3)).contains("at least one"));
        assert!(message("0 18446744073709551615 1\n", None).contains("found none"));
        assert!(message("0 5000000000 1\n", None).contains("2^32 - 1"));
        assert!(message("0 1 1\n", Some(0)).contains("spins"));
        assert!(Bonds::read(Path::new("/no/such/file"), None).is_err());
    }
}
