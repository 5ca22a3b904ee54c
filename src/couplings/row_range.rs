//! Which rows of J there are: all of them, or those of a shard, which is learned and kept apart from the others.

use std::fmt;
use std::ops::Range;

use super::panel::PANEL;
use crate::error::{Error, Result};

/// Shards meet where words of spins do: rules count and pack their neurons 64 at a time.
const BORDER: usize = 64;

/// Consecutive rows of J. Those of a shard may be all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowRange {
    first: usize,
    end: usize,
    is_shard: bool,
}

impl RowRange {
    /// All rows.
    pub(crate) fn all(n_spins: usize) -> Self {
        Self { first: 0, end: n_spins, is_shard: false }
    }

    /// The rows of a shard.
    ///
    /// # Errors
    /// If there are none, or they begin or end elsewhere than at a multiple of 64 or at N.
    pub(crate) fn shard(rows: &Range<usize>, n_spins: usize) -> Result<Self> {
        let is_border = |row: usize| row.is_multiple_of(BORDER) || row == n_spins;
        if rows.start < rows.end && rows.end <= n_spins && is_border(rows.start) && is_border(rows.end) {
            return Ok(Self { first: rows.start, end: rows.end, is_shard: true });
        }
        let nearest = nearest(rows, n_spins);
        let expected = format!(
            "some rows, from a multiple of {BORDER} to another or to N = {n_spins}, such as {}..{}",
            nearest.start, nearest.end
        );
        Err(Error::parameter("rows", expected, format!("{}..{}", rows.start, rows.end)))
    }

    /// Whether they are a shard's.
    pub(crate) fn is_shard(self) -> bool {
        self.is_shard
    }

    /// Whether they are all rows.
    pub(super) fn are_all(self, n_spins: usize) -> bool {
        self.range() == (0..n_spins)
    }

    /// Their numbers.
    pub(crate) fn range(self) -> Range<usize> {
        self.first..self.end
    }

    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.end - self.first
    }

    /// The panels that cover them.
    pub(crate) fn panels(self) -> Range<usize> {
        self.first / PANEL..self.end.div_ceil(PANEL)
    }

    /// Where among them the rows of `other` are, some of these.
    pub(crate) fn offsets(self, other: &Range<usize>) -> Range<usize> {
        other.start - self.first..other.end - self.first
    }
}

impl fmt::Display for RowRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.first, self.end)
    }
}

/// The rows of a shard that are nearest to others.
fn nearest(rows: &Range<usize>, n_spins: usize) -> Range<usize> {
    let rounded = |row: usize| row.saturating_add(BORDER / 2) / BORDER * BORDER;
    let start = rounded(rows.start).min(n_spins.saturating_sub(1) / BORDER * BORDER);
    let end = rounded(rows.end).max(start.saturating_add(BORDER));
    let is_nearer = n_spins.abs_diff(rows.end) <= end.abs_diff(rows.end);
    start..if is_nearer { n_spins } else { end.min(n_spins) }
}

/// Reads rows as files and commands have them: "a..b".
pub fn parse_rows(text: &str) -> Option<Range<usize>> {
    let (start, end) = text.split_once("..")?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_begin_and_end_at_words_or_at_the_last_row() {
        for (rows, n_spins) in [(0..64, 100), (64..100, 100), (0..100, 100), (128..256, 1000), (0..1, 1)] {
            let shard = RowRange::shard(&rows, n_spins).unwrap();
            assert_eq!((shard.range(), shard.len()), (rows.clone(), rows.len()));
            assert!(shard.is_shard() && !RowRange::all(n_spins).is_shard());
            assert_eq!(parse_rows(&shard.to_string()), Some(rows));
        }
        assert_eq!(RowRange::shard(&(64..100), 100).unwrap().panels(), 4..7);
        assert!(["", "3", "1..", "..2", "a..b", "1..2..3", "-1..2"].iter().all(|x| parse_rows(x).is_none()));
    }

    #[test]
    fn other_rows_are_refused_with_the_nearest() {
        for (rows, n_spins, nearest) in [
            (60..130, 200, "64..128"),
            (0..100, 130, "0..128"),
            (10..70, 80, "0..64"),
            (128..190, 200, "128..192"),
            (128..199, 200, "128..200"),
            (300..400, 200, "192..200"),
            (64..64, 200, "64..128"),
            (0..usize::MAX, 70, "0..70"),
            (1..2, 1, "0..1"),
            (usize::MAX - 1..usize::MAX - 1, usize::MAX, "18446744073709551552..18446744073709551615"),
        ] {
            let error = RowRange::shard(&rows, n_spins).unwrap_err().to_string();
            assert!(error.contains(&format!("such as {nearest},")), "{rows:?} of {n_spins}: {error}");
            assert!(RowRange::shard(&parse_rows(nearest).unwrap(), n_spins).is_ok());
        }
    }
}
