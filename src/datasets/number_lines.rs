//! Text files of numbers, a row a line: comma-, semicolon-, tab- or space-separated, `#` beginning a comment line, no
//! header row. What `numpy.savetxt` writes is such a file.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::spin_encoding::SpinEncoding;
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;

/// Reads lines of N values each as spins.
///
/// # Errors
/// If the file cannot be read, has no values or lines of unequal length, a value means no spin, or `encoding` is packed.
pub fn read_csv_spins(path: &Path, encoding: SpinEncoding) -> Result<SpinMatrix> {
    if let SpinEncoding::Packed { .. } = encoding {
        return Err(Error::parameter("encoding", "one with a value a spin, in a text file", encoding.name()));
    }
    let mut spins = Vec::new();
    let mut n_spins = None;
    let mut n_rows = 0;
    for_each_line(path, |line, fields| {
        let n_expected = *n_spins.get_or_insert(fields.len());
        if fields.len() != n_expected {
            let found = format!("{} in line {line}", fields.len());
            return Err(Error::format(path, format!("{n_expected} values a line, as in the first"), found));
        }
        n_rows += 1;
        for (column, field) in fields.iter().enumerate() {
            let Some(up) = field.parse().ok().and_then(|value| encoding.is_up(value)) else {
                let found = format!("{field:?} in line {line}, value {}", column + 1);
                return Err(Error::format(path, expected(encoding.values(), n_rows == 1, field), found));
            };
            spins.push(up);
        }
        Ok(())
    })?;
    match n_spins {
        Some(n_spins) => SpinMatrix::from_bools(n_rows, n_spins, &spins),
        None => Err(Error::format(path, "at least one line of values", "none")),
    }
}

/// Reads one number a line.
///
/// # Errors
/// If the file cannot be read or a line is something else.
pub(super) fn read_number_a_line(path: &Path) -> Result<Vec<f64>> {
    let mut numbers = Vec::new();
    for_each_line(path, |line, fields| {
        let number = if let [field] = fields { field.parse().ok() } else { None };
        let Some(number) = number else {
            let found = fields.join(", ");
            let expected = expected("one number a line", numbers.is_empty(), &found);
            return Err(Error::format(path, expected, format!("{found:?} in line {line}")));
        };
        numbers.push(number);
        Ok(())
    })?;
    Ok(numbers)
}

/// What was expected; of a first line without numbers, also how to keep it.
fn expected(what: &str, is_first: bool, found: &str) -> String {
    let is_header = is_first && found.starts_with(char::is_alphabetic) && found.parse::<f64>().is_err();
    if is_header { format!("{what} (and \"#\" before a header)") } else { what.to_owned() }
}

pub(super) fn for_each_line(path: &Path, mut visit: impl FnMut(u64, &[&str]) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let mut reader = BufReader::new(file);
    let delimiter = delimiter(path, &mut reader)?;
    reader.rewind().map_err(Error::io(path, "read"))?;
    let mut lines = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter)
        .trim(Trim::All)
        .from_reader(reader);
    let mut record = StringRecord::new();
    loop {
        match lines.read_record(&mut record) {
            Ok(true) => {
                // Spaces may align columns; between other separators an empty value is a missing one.
                let fields: Vec<&str> =
                    record.iter().filter(|field| delimiter != b' ' || !field.is_empty()).collect();
                // A line of spaces is an empty line.
                if !fields.is_empty() {
                    visit(record.position().map_or(0, csv::Position::line), &fields)?;
                }
            }
            Ok(false) => return Ok(()),
            Err(error) => {
                let message = error.to_string();
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(source) => Error::io(path, "read")(source),
                    _ => Error::format(path, "lines of numbers", message),
                });
            }
        }
    }
}

/// The separator of the first line with values: the first of these that occurs in it.
fn delimiter(path: &Path, reader: &mut impl BufRead) -> Result<u8> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let n_bytes = reader.read_until(b'\n', &mut line).map_err(Error::io(path, "read"))?;
        let values = line.trim_ascii();
        if n_bytes == 0 || !(values.is_empty() || values.starts_with(b"#")) {
            return Ok(*b",;\t ".iter().find(|separator| values.contains(separator)).unwrap_or(&b','));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spins(content: &str, encoding: SpinEncoding) -> Result<SpinMatrix> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        read_csv_spins(file.path(), encoding)
    }

    #[test]
    fn every_separator_is_understood() {
        let expected = SpinMatrix::from_signs(2, 3, &[1, -1, 1, -1, -1, 1]).unwrap();
        for separator in [",", ", ", ";", "\t", " ", "   "] {
            let content = ["1", "-1", "+1.0\n\n-1.000e+00", "-1", "1\n"].join(separator);
            assert_eq!(
                spins(&format!("# a comment, first\n{content}"), SpinEncoding::Signs).unwrap(),
                expected
            );
        }
        assert_eq!(spins("1,0,1\n0,0,1", SpinEncoding::ZeroOne).unwrap(), expected);
        assert_eq!(spins("  \n1 0 1\n   \n0 0 1\n ", SpinEncoding::ZeroOne).unwrap(), expected);
    }

    #[test]
    fn lines_that_hold_no_spins_are_refused() {
        let message = |content| spins(content, SpinEncoding::Signs).unwrap_err().to_string();
        assert!(message("1,-1\n1,0\n").contains(r#"expected +1 or -1, found "0" in line 2, value 2"#));
        assert!(
            message("1,-1\n1,-1,1\n")
                .contains("expected 2 values a line, as in the first, found 3 in line 2")
        );
        let header = message("a,b\n1,1\n");
        assert!(header.contains(r#"before a header), found "a" in line 1"#), "{header}");
        assert!(message("1,nan\n").contains("nan"));
        assert!(message("1,,1\n").contains(r#""" in line 1, value 2"#));
        assert!(message("# nothing\n").contains("at least one line"));
        assert!(message("").contains("at least one line"));
        assert!(message("\" \"\n").contains("at least one line"));
        assert!(spins("1,1", SpinEncoding::Packed { n_spins: 2 }).is_err());
        assert!(spins("1,0", SpinEncoding::Signs).is_err());
        assert!(spins("1,-1", SpinEncoding::ZeroOne).is_err());
    }
}
