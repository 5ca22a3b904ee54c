//! Containers of spins: data sets, recalled states, attractors.

use attractor::analysis::{Attractor, Census, Destinations, StoredAttractors};
use attractor::datasets::DataSet;
use attractor::dynamics::Recall;
use attractor::potts::PottsRecall;
use attractor::storage::{Description, Overwrite};

use super::{Folder, accepted};

pub(super) fn data_set(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some(found) = accepted(&path, DataSet::open(&path)) else { return };
    assert!(found.n_spins() > 0 && found.n_patterns() > 0);
    let copy = folder.path("copy");
    found.write(&copy, Overwrite::Refuse).unwrap();
    assert_eq!(DataSet::open(&copy).unwrap(), found);
}

pub(super) fn states(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some((starts, recall)) = accepted(&path, Recall::open(&path)) else { return };
    assert_eq!((starts.n_rows(), recall.fates.len()), (recall.states.n_rows(), recall.states.n_rows()));
    let copy = folder.path("copy");
    recall.write(&copy, &starts, &Description::new(), Overwrite::Refuse).unwrap();
    assert_eq!(Recall::open(&copy).unwrap(), (starts, recall));
}

pub(super) fn potts_states(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some((starts, recall)) = accepted(&path, PottsRecall::open(&path)) else { return };
    assert_eq!((starts.n_rows(), recall.fates.len()), (recall.states.n_rows(), recall.states.n_rows()));
    let copy = folder.path("copy");
    recall.write(&copy, &starts, &Description::new(), Overwrite::Refuse).unwrap();
    assert_eq!(PottsRecall::open(&copy).unwrap(), (starts, recall));
}

pub(super) fn attractors(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    let Some(found) = accepted(&path, StoredAttractors::open(&path)) else { return };
    let copy = folder.path("copy");
    census(&found).write(&copy, &Description::new(), Overwrite::Refuse).unwrap();
    let read = StoredAttractors::open(&copy).unwrap();
    assert_eq!(
        (&read.states, &read.frequencies, &read.periods),
        (&found.states, &found.frequencies, &found.periods)
    );
    let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
    assert!(read.energies.iter().zip(&found.energies).all(same));
}

/// A census with these attractors.
fn census(found: &StoredAttractors) -> Census {
    let attractors = (0..found.states.n_rows()).map(|row| Attractor {
        frequency: found.frequencies[row].into(),
        frequencies: Vec::new(),
        period: found.periods[row].into(),
        energy: found.energies[row].into(),
    });
    let all = Destinations {
        name: "all".to_owned(),
        n_starts: 0,
        n_unsettled: 0,
        n_attractors: found.states.n_rows(),
        n_in_cycles: 0,
        transient_mean: None,
        transient_max: None,
        entropy: None,
    };
    Census {
        attractors: attractors.collect(),
        states: found.states.clone(),
        n_up_to_sign: 0,
        all,
        kinds: Vec::new(),
    }
}
