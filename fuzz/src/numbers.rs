//! Lines of numbers: spins, weights and classes as text.

use attractor::datasets::{SpinEncoding, read_csv_spins, read_labels, read_weights};

use super::{Folder, accepted};

pub(super) fn spin_lines(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    for (encoding, down) in [(SpinEncoding::Signs, "-1"), (SpinEncoding::ZeroOne, "0")] {
        let Some(found) = accepted(&path, read_csv_spins(&path, encoding)) else { continue };
        assert!(found.n_rows() > 0 && found.n_spins() > 0);
        let value = |row, site| if found.spin(row, site) > 0 { "1" } else { down };
        let line =
            |row| (0..found.n_spins()).map(|site| value(row, site)).collect::<Vec<_>>().join(",") + "\n";
        let text: String = (0..found.n_rows()).map(line).collect();
        let copy = folder.file("copy", text.as_bytes());
        assert_eq!(read_csv_spins(&copy, encoding).unwrap(), found);
    }
}

pub(super) fn numbers(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    if let Some(weights) = accepted(&path, read_weights(&path)) {
        assert!(weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0));
        let copy = folder.file("copy", lines(&weights).as_bytes());
        assert_eq!(read_weights(&copy).unwrap(), weights);
    }
    if let Some(labels) = accepted(&path, read_labels(&path)) {
        let copy = folder.file("copy", lines(&labels).as_bytes());
        assert_eq!(read_labels(&copy).unwrap(), labels);
    }
}

fn lines(values: &[impl ToString]) -> String {
    values.iter().map(|value| value.to_string() + "\n").collect()
}
