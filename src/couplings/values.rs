//! Where the values of couplings are: in memory, in arrays that may be files, or in files of rows.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::execution::Array;
use crate::storage::Content;

/// Values of consecutive rows.
#[derive(Debug)]
pub(super) enum Values {
    Owned(Vec<f32>),
    Array(Array<f32>),
    /// Files of consecutive rows; at least one.
    Mapped(Vec<MappedRows>),
}

/// Consecutive rows in a file, checked when it was opened.
#[derive(Debug)]
pub(super) struct MappedRows {
    path: PathBuf,
    content: Content,
    bytes: Range<usize>, // f32-aligned
    rows: Range<usize>,
}

impl MappedRows {
    /// `rows` of the file at `path`, whose content holds their values in `bytes`.
    pub(super) fn new(path: &Path, content: Content, bytes: Range<usize>, rows: Range<usize>) -> Self {
        Self { path: path.to_owned(), content, bytes, rows }
    }

    /// Bytes of the whole file.
    pub(super) fn content(&self, bytes: Range<usize>) -> &[u8] {
        &self.content[bytes]
    }

    /// Length of the whole file.
    pub(super) fn n_bytes(&self) -> usize {
        self.content.len()
    }

    fn values(&self) -> &[f32] {
        bytemuck::cast_slice(&self.content[self.bytes.clone()])
    }

    /// Refuses a file that has been shortened since: to read its end would kill the program.
    fn check(&self) -> Result<()> {
        let Content::Mapped(map, file) = &self.content else { return Ok(()) };
        let metadata = file.metadata().map_err(Error::io(&self.path, "read the length"))?;
        if metadata.len() < map.len() as u64 {
            let expected = format!("{} bytes, as when it was opened", map.len());
            return Err(Error::format(&self.path, expected, format!("{}", metadata.len())));
        }
        Ok(())
    }

    /// Values of `rows`, which are among these. Where they are many, the system is asked to read as many further on:
    /// who reads all rows in order, on whatever number of threads, finds them in memory.
    pub(super) fn rows(&self, rows: &Range<usize>, n_spins: usize) -> &[f32] {
        let from = rows.start - self.rows.start;
        let values = &self.values()[from * n_spins..(from + rows.len()) * n_spins];
        let n_bytes = size_of_val(values);
        if let Content::Mapped(map, _) = &self.content
            && n_bytes >= READ_AHEAD
        {
            let start = self.bytes.start + from * n_spins * size_of::<f32>() + AHEAD;
            let len = n_bytes.min(self.bytes.end.saturating_sub(start));
            if len > 0 {
                // Only speed depends on it.
                let _ = map.advise_range(memmap2::Advice::WillNeed, start, len);
            }
        }
        values
    }
}

/// How far ahead, in bytes.
const AHEAD: usize = 8 << 20;
/// Rows so large that reading them ahead pays.
const READ_AHEAD: usize = 1 << 20;

impl Values {
    /// All of them, where they are in one piece.
    ///
    /// # Panics
    /// If they are in several files.
    pub(super) fn all(&self) -> &[f32] {
        match self {
            Self::Owned(values) => values,
            Self::Array(values) => values,
            Self::Mapped(pieces) => {
                assert!(pieces.len() == 1, "couplings in several files are read by rows");
                pieces[0].values()
            }
        }
    }

    /// Those of some rows, the first of all being row `first` of J.
    ///
    /// # Panics
    /// If they are in several files.
    pub(super) fn rows(&self, rows: Range<usize>, first: usize, n_spins: usize) -> &[f32] {
        match self {
            Self::Mapped(pieces) => {
                let piece = &pieces[pieces.partition_point(|piece| piece.rows.end <= rows.start)];
                assert!(rows.end <= piece.rows.end, "rows of couplings in one file at a time");
                piece.rows(&rows, n_spins)
            }
            _ => &self.all()[(rows.start - first) * n_spins..(rows.end - first) * n_spins],
        }
    }

    /// Refuses files that have been shortened since they were opened.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Mapped(pieces) => pieces.iter().try_for_each(MappedRows::check),
            _ => Ok(()),
        }
    }

    /// Whether they are in a file.
    pub(super) fn are_in_file(&self) -> bool {
        match self {
            Self::Owned(_) => false,
            Self::Array(values) => values.is_in_file(),
            Self::Mapped(_) => true,
        }
    }

    /// The pieces they are in, in order.
    pub(super) fn pieces(&self) -> Vec<&[f32]> {
        match self {
            Self::Mapped(pieces) => pieces.iter().map(MappedRows::values).collect(),
            _ => vec![self.all()],
        }
    }

    /// Copies them.
    pub(super) fn copy_to(&self, target: &mut [f32]) {
        let mut rest = target;
        for piece in self.pieces() {
            let (here, behind) = rest.split_at_mut(piece.len());
            here.copy_from_slice(piece);
            rest = behind;
        }
    }

    /// A copy in memory.
    pub(super) fn to_owned(&self) -> Vec<f32> {
        self.pieces().concat()
    }
}
