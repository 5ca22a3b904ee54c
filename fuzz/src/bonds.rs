//! Lines of pairs: bonds, masks of couplings, distances of columns.

use attractor::datasets::spin_glass::Bonds;
use attractor::learning::Mask;
use attractor::potts::Distances;
use attractor::storage::Overwrite;

use super::{Folder, accepted};

/// N of masks, more than a word has bits.
const N_SPINS: usize = 70;
/// So many spins are asked for their neighbours: those of a bond to spin 2^31 would fill memory.
const MOST_SPINS: usize = 1 << 12;

pub(super) fn bonds(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    accepted(&path, Bonds::read(&path, Some(N_SPINS)));
    let Some(found) = accepted(&path, Bonds::read(&path, None)) else { return };
    if found.n_spins() <= MOST_SPINS {
        assert_eq!(found.neighbours().iter().map(Vec::len).sum::<usize>(), 2 * found.len());
    }
    assert!(found.field_scale() >= 0.0);
    let copy = folder.path("copy");
    found.write(&copy, Overwrite::Refuse).unwrap();
    assert_eq!(Bonds::read(&copy, None).unwrap(), found);
}

pub(super) fn mask(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    accepted(&path, Mask::read(&path, 1));
    let Some(found) = accepted(&path, Mask::read(&path, N_SPINS)) else { return };
    let pairs = (0..N_SPINS).flat_map(|i| (0..i).map(move |j| (i, j)));
    let edges: Vec<_> = pairs.filter(|&(i, j)| found.allows(i, j)).collect();
    assert!(edges.iter().all(|&(i, j)| found.allows(j, i)) && edges.len() == found.n_edges());
    let text: String = edges.iter().map(|(i, j)| format!("{i} {j}\n")).collect();
    let copy = folder.file("copy", text.as_bytes());
    assert_eq!(Mask::read(&copy, N_SPINS).unwrap(), found);
}

pub(super) fn distances(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let columns: Vec<u32> = (0..40).chain([u32::MAX - 1, u32::MAX]).collect();
    for first in [0, 1, u32::MAX] {
        let Some(found) = accepted(&path, Distances::read(&path, first, &columns)) else { continue };
        let number = |column: usize| column + first as usize;
        let lines = found.iter().map(|(i, j, distance)| format!("{} {} {distance}\n", number(j), number(i)));
        let copy = folder.file("copy", lines.collect::<String>().as_bytes());
        assert_eq!(Distances::read(&copy, first, &columns).unwrap(), found);
        assert!(found.iter().all(|(i, j, distance)| i < j && found.get(i, j) == Some(distance)));
    }
}
