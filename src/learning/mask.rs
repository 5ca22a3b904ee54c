//! Which couplings may differ from zero: dilution, or a known graph.
//!
//! A mask is an undirected graph of the neurons: J_ij and J_ji are allowed where {i, j} is an edge.

use std::path::Path;

use crate::error::{Error, Result};
use crate::random::{stream, uniform};
use crate::spins::{BlockMajor, SpinMatrix, WORD};

/// The allowed couplings of `n_spins` neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    edges: BlockMajor, // [N / 64][N], bit i of a block of word j: an edge; symmetric
    n_edges: usize,
}

impl Mask {
    /// The graph of these edges (i, j), counted from 0. An edge that comes twice counts once.
    ///
    /// # Errors
    /// If N is 0, an edge names a neuron from N on or joins one with itself, or there is none.
    pub fn from_edges(n_spins: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        let mut rows = SpinMatrix::try_all_down("mask", n_spins, n_spins)?;
        if n_spins == 0 {
            return Err(Error::parameter("n", "at least 1", 0));
        }
        for (i, j) in edges {
            if i >= n_spins || j >= n_spins || i == j {
                let expected = format!("two different neurons below N = {n_spins}");
                return Err(Error::shape("mask", expected, format!("the edge {i} {j}")));
            }
            for (from, to) in [(i, j), (j, i)] {
                rows.row_mut(from)[to / WORD] |= 1 << (to % WORD);
            }
        }
        let mask = Self::from_rows(&rows);
        if mask.n_edges == 0 {
            return Err(Error::shape("mask", "at least one edge", "none"));
        }
        Ok(mask)
    }

    /// All edges, as they are packed.
    pub(super) fn words(&self) -> &[u64] {
        self.edges.words()
    }

    /// Neurons without an edge.
    pub fn n_isolated(&self) -> usize {
        (0..self.n_spins()).filter(|&i| !(0..self.n_spins()).any(|j| self.allows(i, j))).count()
    }

    /// The random graph of Erdos and Renyi: each pair is an edge with probability `density`.
    ///
    /// # Errors
    /// If N is 0, the density is not above 0 and at most 1, or so small that no pair is drawn.
    pub fn erdos_renyi(n_spins: usize, density: f64, seed: u64) -> Result<Self> {
        if !(density > 0.0 && density <= 1.0) {
            return Err(Error::parameter("mask", "a density above 0, at most 1", density));
        }
        let edges = (0..n_spins).flat_map(|i| {
            let mut rng = stream(seed, "mask", &[i as u64]);
            (i + 1..n_spins).filter(move |_| uniform(&mut rng) < density).map(move |j| (i, j))
        });
        Self::from_edges(n_spins, edges)
    }

    /// Reads lines "i j", with whatever follows on a line, such as a bond: neurons counted from 0. Empty lines and lines
    /// that begin with # are left out.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is no edge of `n_spins` neurons.
    pub fn read(path: &Path, n_spins: usize) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path, "read"))?;
        let mut edges = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut neurons = line.split_whitespace().map(str::parse::<usize>);
            let (Some(Ok(i)), Some(Ok(j))) = (neurons.next(), neurons.next()) else {
                let expected = format!("two neurons, such as 0 17, in line {number}");
                return Err(Error::format(path, expected, line));
            };
            edges.push((i, j));
        }
        Self::from_edges(n_spins, edges).map_err(|error| error.in_file(path))
    }

    fn from_rows(rows: &SpinMatrix) -> Self {
        let n_ends: usize =
            (0..rows.n_rows()).flat_map(|row| rows.row(row)).map(|word| word.count_ones() as usize).sum();
        Self { edges: BlockMajor::from_rows(rows), n_edges: n_ends / 2 }
    }

    /// Number of neurons, N.
    pub fn n_spins(&self) -> usize {
        self.edges.n_rows()
    }

    /// Number of edges, at most N (N - 1) / 2.
    pub fn n_edges(&self) -> usize {
        self.n_edges
    }

    /// Whether J_ij is allowed.
    pub fn allows(&self, i: usize, j: usize) -> bool {
        self.edges.block(i / WORD)[j] >> (i % WORD) & 1 == 1
    }

    /// Whether column j may reach the neurons of a panel: bit `shift + lane` of word j.
    pub(super) fn panel(&self, panel: usize) -> (&[u64], u32) {
        let first_spin = panel * crate::couplings::PANEL;
        (self.edges.block(first_spin / WORD), (first_spin % WORD) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_go_both_ways() {
        let mask = Mask::from_edges(70, [(0, 69), (69, 0), (3, 5)]).unwrap();
        assert_eq!((mask.n_spins(), mask.n_edges(), mask.n_isolated()), (70, 2, 66));
        for i in 0..70 {
            for j in 0..70 {
                let expected = [(0, 69), (3, 5)].contains(&(i.min(j), i.max(j)));
                assert_eq!(mask.allows(i, j), expected, "({i}, {j})");
                let (words, shift) = mask.panel(i / 16);
                assert_eq!(words[j] >> (shift as usize + i % 16) & 1 == 1, expected);
            }
        }
    }

    /// The number of edges is binomial: within five standard deviations of its mean.
    #[test]
    fn random_graphs_have_their_density() {
        for (density, seed) in [(0.1, 1), (0.5, 2), (1.0, 3)] {
            let mask = Mask::erdos_renyi(150, density, seed).unwrap();
            let n_pairs = 150.0 * 149.0 / 2.0;
            let deviation = (mask.n_edges() as f64 - density * n_pairs).abs();
            assert!(
                deviation <= 5.0 * (n_pairs * density * (1.0 - density)).sqrt(),
                "{density}: {deviation}"
            );
        }
    }

    #[test]
    fn graphs_that_are_none_are_refused() {
        for edges in [vec![(0, 3)], vec![(2, 2)], vec![]] {
            assert!(Mask::from_edges(3, edges).is_err());
        }
        assert!(Mask::from_edges(0, []).is_err());
        for density in [0.0, -0.1, 1.1, f64::NAN] {
            assert!(Mask::erdos_renyi(5, density, 0).is_err());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.txt");
        std::fs::write(&path, "# i j\n0 1 0.5\n\n1 2\n").unwrap();
        assert_eq!(Mask::read(&path, 3).unwrap().n_edges(), 2);
        let error = Mask::read(&path, 2).unwrap_err().to_string();
        assert!(error.contains("graph.txt") && error.contains("1 2"), "{error}");
        std::fs::write(&path, "0 1\n0,2\n").unwrap();
        assert!(Mask::read(&path, 3).unwrap_err().to_string().contains("line 2"));
    }
}
