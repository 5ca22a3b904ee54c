//! Alignments: their container, and the text files they come from.

use std::io::Write;

use attractor::datasets::{Alignment, AlignmentFormat, AlignmentImport, Alphabet, Ambiguous};
use attractor::storage::Overwrite;
use flate2::{Compression, write::GzEncoder};

use super::{Folder, accepted};

/// First bytes of what gzip wrote.
const GZIP: &[u8] = b"\x1f\x8b";

pub(super) fn alignment(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some(found) = accepted(&path, Alignment::open(&path)) else { return };
    reads_back(&folder, &found);
}

/// In every format, with amino acids, bases and letters that are told apart by case, plain and compressed.
pub(super) fn fasta(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let packed = (!content.starts_with(GZIP)).then(|| folder.file("input.gz", &gzip(content)));
    for alphabet in [Alphabet::protein(), Alphabet::nucleotide(), Alphabet::given("ACac").unwrap()] {
        use AlignmentFormat::{A2m, A3m, Auto, Fasta};
        let formats: &[_] = if alphabet.folds_case() { &[Auto, Fasta, A2m, A3m] } else { &[Auto, Fasta] };
        for &format in formats {
            let mut import =
                AlignmentImport { format, ..AlignmentImport::new(path.clone(), alphabet.clone()) };
            let found = accepted(&path, import.read());
            if let Some(packed) = &packed {
                let again =
                    accepted(packed, AlignmentImport { file: packed.clone(), ..import.clone() }.read());
                let parts =
                    |alignment: Alignment| (alignment.train, alignment.train_names, alignment.columns);
                assert_eq!(again.map(parts), found.clone().map(parts));
            }
            let Some(found) = found else { continue };
            reads_back(&folder, &found);
            (import.ambiguous, import.duplicates) = (Ambiguous::Drop, false);
            if alphabet.gap().is_some() {
                (import.max_gaps_column, import.max_gaps_sequence) = (0.5, 0.5);
            }
            if let Some(fewer) = accepted(&path, import.read()) {
                assert!(fewer.n_sequences() <= found.n_sequences() && fewer.n_columns() <= found.n_columns());
            }
        }
    }
}

fn reads_back(folder: &Folder, alignment: &Alignment) {
    assert!(alignment.n_sequences() > 0 && alignment.n_columns() > 0);
    let copy = folder.path("copy");
    alignment.write(&copy, Overwrite::Replace).unwrap();
    assert_eq!(&Alignment::open(&copy).unwrap(), alignment);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
