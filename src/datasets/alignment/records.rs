//! Records of a FASTA file, plain or compressed by gzip: a name and a sequence each, its lines joined.
//!
//! Lines that begin with "#" and empty ones before the first record are passed over, as A3M files have them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use needletail::errors::ParseErrorKind;
use needletail::parser::{FastaReader, FastxReader};

use crate::error::{Error, Result};

/// First bytes of what gzip wrote.
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
/// A line before the first record is not longer: the file is something else.
const MAX_LINE: u64 = 1 << 16;

/// One record.
pub(super) struct Record {
    /// The header up to the first space.
    pub(super) name: String,
    /// Line of the header, counted from 1.
    pub(super) line: u64,
    /// The sequence without line breaks.
    pub(super) sequence: Vec<u8>,
}

impl Record {
    /// For messages.
    pub(super) fn place(&self) -> String {
        format!("sequence {:?} (line {})", self.name, self.line)
    }
}

/// Reads all records.
///
/// # Errors
/// If the file cannot be read, is no FASTA file, or has no record.
pub(super) fn read_records(path: &Path) -> Result<Vec<Record>> {
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let mut file = BufReader::new(file);
    let start = file.fill_buf().map_err(Error::io(path, "read"))?;
    let mut reader: Box<dyn BufRead + Send> = if start.starts_with(GZIP_MAGIC) {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let (n_skipped, first) = first_header(path, &mut reader)?;
    let mut records = Vec::new();
    let mut reader = FastaReader::new(Cursor::new(first).chain(reader));
    while let Some(record) = reader.next() {
        let record = record.map_err(|error| match error.kind {
            ParseErrorKind::Io => Error::io(path, "read")(io::Error::other(error.msg)),
            ParseErrorKind::UnexpectedEnd => {
                let found = format!("none after that in line {}", n_skipped + error.position.line);
                Error::format(path, "a sequence after each header", found)
            }
            _ => Error::format(path, "records of FASTA", error.to_string()),
        })?;
        let name = record.id().split(u8::is_ascii_whitespace).next().unwrap_or_default();
        records.push(Record {
            name: String::from_utf8_lossy(name).into_owned(),
            line: n_skipped + record.start_line_number(),
            sequence: record.seq().into_owned(),
        });
    }
    Ok(records)
}

/// Reads up to the first header; returns the number of lines before it, and it.
fn first_header(path: &Path, reader: &mut impl BufRead) -> Result<(u64, Vec<u8>)> {
    const EXPECTED: &str =
        "an alignment in FASTA, A2M or A3M, its first sequence after a line that begins with \">\"";
    for n_skipped in 0.. {
        let mut line = Vec::new();
        reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(Error::io(path, "read"))?;
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        match text.first() {
            None => return Err(Error::format(path, EXPECTED, "no sequence")),
            Some(b'>') => return Ok((n_skipped, text.to_owned())),
            Some(b'#') if !text.starts_with(b"# STOCKHOLM") => {}
            Some(_) if text.trim_ascii().is_empty() => {}
            Some(_) => {
                let found: String = text.trim_ascii().escape_ascii().map(char::from).take(40).collect();
                return Err(Error::format(path, EXPECTED, format!("\"{found}\" in line {}", n_skipped + 1)));
            }
        }
    }
    unreachable!("every file ends")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn read(content: &[u8]) -> Result<Vec<(String, u64, String)>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let text = |record: Record| (record.name, record.line, String::from_utf8(record.sequence).unwrap());
        Ok(read_records(file.path())?.into_iter().map(text).collect())
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn records_are_read_however_their_lines_are_broken() {
        let expected =
            [("a/1-6".to_owned(), 1, "AC-DEF".to_owned()), ("b".to_owned(), 3, "GHIKLM".to_owned())];
        for text in [
            ">a/1-6 some protein\nAC-DEF\n>b\nGHIKLM\n",
            ">a/1-6\nAC-DEF\n>b\nGHI\nKLM",
            ">a/1-6\r\nAC-DEF\r\n>b\r\nGHI\r\nK\r\nLM\r\n",
            ">a/1-6\tx\nAC-DEF\n>b\nGH\n\nIKLM\n\n\n",
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), expected, "{text:?}");
            assert_eq!(read(&gzip(text.as_bytes())).unwrap(), expected);
        }
        // Two members, one after the other, are one file.
        let members = [gzip(b">a/1-6\nAC-D"), gzip(b"EF\n>b\nGHIKLM\n")].concat();
        assert_eq!(read(&members).unwrap(), expected);
        let text = "\u{feff}#6\t1\n\n>a\nAC\n>\nDE\n>c\n>d\nFG";
        let lines = read(text.as_bytes()).unwrap();
        let expected = [("a", 3, "AC"), ("", 5, "DE"), ("c", 7, ""), ("d", 8, "FG")];
        assert!(lines.iter().map(|(name, line, s)| (name.as_str(), *line, s.as_str())).eq(expected));
    }

    #[test]
    fn what_is_no_fasta_is_named() {
        let whole = gzip(&b">a\nACDEFGHIKLMNPQRSTVWY\n".repeat(50));
        let cases: [(&[u8], &str); 8] = [
            (b"", "found no sequence"),
            (b"\n# only a comment\n\n", "found no sequence"),
            (b"@read\nACGT\n+\nIIII\n", "\"@read\" in line 1"),
            (b"\nACGT\n", "\"ACGT\" in line 2"),
            (b"# STOCKHOLM 1.0\n", "STOCKHOLM"),
            (b"PK\x03\x04", "PK\\x03\\x04"),
            (b"# first\n>header alone", "after each header, found none after that in line 2"),
            (&whole[..whole.len() - 20], "cannot read"),
        ];
        for (content, word) in cases {
            let message = read(content).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
        assert!(read(&[&whole[..], b"rest"].concat()).is_err());
        assert!(read(&vec![b'x'; 1 << 20]).is_err());
        assert!(read_records(Path::new("missing.fasta")).is_err());
    }
}
