//! Tables: CSV with a header row, appended row by row or written whole.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::atomic::{Overwrite, write_atomically};
use crate::error::{Error, Result};

/// Rows of text under named columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with the given columns.
    pub fn new<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row, one value a column.
    pub fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// The columns' names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Writes the whole table atomically.
    ///
    /// # Errors
    /// If the file exists and may not be replaced, or cannot be written.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        write_atomically(path, overwrite, |file| self.write_to(file).map_err(Error::io(path, "write")))
    }

    /// Writes the whole table as CSV.
    ///
    /// # Errors
    /// Those of `writer`.
    pub fn write_to(&self, writer: impl Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(writer);
        let records = std::iter::once(&self.columns).chain(&self.rows);
        records.into_iter().try_for_each(|record| writer.write_record(record))?;
        writer.flush()
    }

    /// Appends the last row to a file begun by [`write`](Self::write), so that a killed run keeps its rows.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn append_last(&self, path: &Path) -> Result<()> {
        let Some(row) = self.rows.last() else { return Ok(()) };
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io(path, "append to"))?;
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        let written = writer.write_record(row).map_err(std::io::Error::from);
        written.and_then(|()| writer.flush()).map_err(Error::io(path, "append to"))
    }

    /// Reads a table with a header row.
    ///
    /// # Errors
    /// If the file cannot be read, has no header, or its rows differ in length.
    pub fn read(path: &Path) -> Result<Self> {
        let content = std::fs::read(path).map_err(Error::io(path, "open"))?;
        let bad = |found: String| Error::format(path, "a CSV table with a header", found);
        let table = Self::parse(&content).map_err(|error| bad(error.to_string()))?;
        if table.columns.is_empty() { Err(bad("no line".to_owned())) } else { Ok(table) }
    }

    /// Parses CSV text with a header row.
    ///
    /// # Errors
    /// If rows differ in length or are no UTF-8.
    pub fn parse(content: &[u8]) -> std::result::Result<Self, csv::Error> {
        let mut reader = csv::Reader::from_reader(content);
        let mut columns: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        if let Some(first) = columns.first_mut() {
            // A second byte order mark would be taken for the first one when the table is read again.
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        let rows = reader.records().map(|record| Ok(record?.iter().map(str::to_owned).collect()));
        Ok(Self { columns, rows: rows.collect::<std::result::Result<_, csv::Error>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_rows_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut table = Table::new(["a", "b"]);
        table.write(&path, Overwrite::Refuse).unwrap();
        for row in [["1", "x,y"], ["2", ""]] {
            table.push(row.map(str::to_owned).to_vec());
            table.append_last(&path).unwrap();
        }
        assert_eq!(Table::read(&path).unwrap(), table);
    }

    #[test]
    fn files_without_a_header_are_refused_and_marks_before_it_left_out() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for content in ["", "\n\n"] {
            std::fs::write(file.path(), content).unwrap();
            assert!(Table::read(file.path()).unwrap_err().to_string().contains("header, found no line"));
        }
        assert_eq!(Table::parse("\u{feff}\u{feff}a\n1\n".as_bytes()).unwrap().columns(), ["a"]);
    }
}
