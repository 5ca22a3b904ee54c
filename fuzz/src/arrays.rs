//! NumPy's arrays: as spins of every encoding, couplings, weights and classes.

use attractor::couplings::Couplings;
use attractor::datasets::{
    SpinEncoding, read_labels, read_npy_spins, read_spins, read_weights, write_npy_spins,
};
use attractor::storage::{NpyArray, Overwrite};

use super::couplings::bits;
use super::{Folder, accepted};

pub(super) fn npy(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input.npy", content);
    let Some(array) = accepted(&path, NpyArray::open(&path)) else { return };
    let packed = array.shape().last().map_or(1, |&length| length.saturating_mul(8).saturating_sub(3).max(1));
    let encodings = [SpinEncoding::Signs, SpinEncoding::ZeroOne, SpinEncoding::Packed { n_spins: packed }];
    let copy = folder.path("copy.npy");
    for encoding in encodings {
        let Some(found) = accepted(&path, read_npy_spins(&path, encoding)) else { continue };
        assert_eq!(read_spins(&path, encoding).unwrap(), found);
        write_npy_spins(&copy, &found, Overwrite::Replace).unwrap();
        assert_eq!(read_npy_spins(&copy, SpinEncoding::Signs).unwrap(), found);
    }
    if let Some(found) = accepted(&path, Couplings::read_npy(&path)) {
        found.write_npy(&copy, Overwrite::Replace).unwrap();
        assert_eq!(bits(Couplings::read_npy(&copy).unwrap().values()), bits(found.values()));
    }
    if let Some(weights) = accepted(&path, read_weights(&path)) {
        assert!(weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0));
    }
    accepted(&path, read_labels(&path));
}
