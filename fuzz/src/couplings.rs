//! Couplings of binary and of Potts spins.

use attractor::couplings::Couplings;
use attractor::potts::PottsCouplings;
use attractor::storage::Overwrite;

use super::container::given;
use super::{Folder, accepted, execution};

pub(super) fn couplings(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some(found) = accepted(&path, Couplings::open(&path, execution())) else { return };
    assert_eq!(found.values().len(), found.n_spins() * found.n_spins());
    assert!(found.values().iter().all(|value| value.is_finite()));
    let copy = folder.path("copy");
    found.write(&copy, Overwrite::Refuse).unwrap();
    let read = Couplings::open(&copy, execution()).unwrap();
    assert_eq!(bits(read.values()), bits(found.values()));
    assert_eq!(read.theta().map(bits), found.theta().map(bits));
    assert_eq!(read.scale().to_bits(), found.scale().to_bits());
    assert_eq!(read.has_self_coupling(), found.has_self_coupling());
    // What the file says of its content is said anew.
    let others = |couplings: &Couplings| {
        let mut entries = given(couplings.description());
        entries.retain(|name, _| !["n", "scale", "self_coupling"].contains(&name.as_str()));
        entries
    };
    assert_eq!(others(&read), others(&found));
}

pub(super) fn potts_couplings(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some(found) = accepted(&path, PottsCouplings::open(&path, execution())) else { return };
    assert_eq!(found.values().len(), found.n_rows() * found.n_rows());
    assert!(found.values().iter().chain(found.theta()).all(|value| value.is_finite()));
    let copy = folder.path("copy");
    found.write(&copy, Overwrite::Refuse).unwrap();
    let read = PottsCouplings::open(&copy, execution()).unwrap();
    assert_eq!((read.n_columns(), read.n_letters()), (found.n_columns(), found.n_letters()));
    assert_eq!(bits(read.values()), bits(found.values()));
    assert_eq!(bits(read.theta()), bits(found.theta()));
    assert_eq!(read.columns(), found.columns());
    let others = |couplings: &PottsCouplings| {
        let mut entries = given(couplings.description());
        entries.retain(|name, _| !["columns", "q"].contains(&name.as_str()));
        entries
    };
    assert_eq!(others(&read), others(&found));
}

/// Zeros of either sign are kept apart.
pub(super) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
