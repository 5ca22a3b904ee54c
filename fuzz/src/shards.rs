//! Shards: a file of rows beside a sound one, read as one J and joined.

use std::path::PathBuf;
use std::sync::LazyLock;

use attractor::couplings::Couplings;
use attractor::dynamics::random_states;
use attractor::learning::{Problem, hebb};
use attractor::storage::{Description, Overwrite};
use attractor::{Error, Result};

use super::couplings::bits;
use super::{Folder, accepted, execution};

/// N, three more than the rows of the sound shard.
const N_SPINS: usize = 67;
const N_ROWS: usize = 64;

/// The first rows of J, without and with fields of the neurons, as files.
static SOUND: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let patterns = random_states(3, N_SPINS, 1).unwrap();
    let problem = Problem::from(&patterns).with_rows(0..N_ROWS).unwrap();
    let description = Description::from([("run_blake3".to_owned(), "a run".to_owned())]);
    let rows = || {
        let rows = hebb(problem, execution()).unwrap().with_scale(1.0).unwrap();
        rows.with_description(description.clone())
    };
    [rows(), rows().with_theta(vec![0.5; N_ROWS]).unwrap()].map(|rows| {
        let folder = Folder::new();
        let path = folder.path("rows");
        rows.write(&path, Overwrite::Refuse).unwrap();
        std::fs::read(&path).unwrap()
    })
});

/// In whatever order they are given, mapped or loaded.
pub(super) fn shards(content: &[u8]) {
    for sound in &*SOUND {
        let folder = Folder::new();
        let paths = [folder.file("sound", sound), folder.file("input", content)];
        accepted(&paths[1], Couplings::open_shard(&paths[1], execution()));
        let reversed = [paths[1].clone(), paths[0].clone()];
        let reads = [
            Couplings::open_shards(&paths, execution()),
            Couplings::open_shards(&reversed, execution()),
            Couplings::load_shards(&paths, execution()),
        ];
        let found = reads.map(|read| accepted_of(&folder, &paths, read).map(|found| joined(&folder, &found)));
        assert!(found[1] == found[0] && found[2] == found[0]);
    }
}

/// What was read of several files, if it was. An error has to name one of them, and one of missing rows all.
fn accepted_of(folder: &Folder, paths: &[PathBuf], read: Result<Couplings>) -> Option<Couplings> {
    match read {
        Err(error @ Error::Shape { .. }) => {
            let message = error.to_string();
            let is_named = |path: &PathBuf| message.contains(&*path.to_string_lossy());
            assert!(paths.iter().all(is_named), "no files in the message: {message}");
            None
        }
        read => accepted(&folder.path(""), read),
    }
}

/// Values and fields of J, which are the same in one file.
fn joined(folder: &Folder, whole: &Couplings) -> (Vec<u32>, Option<Vec<u32>>) {
    assert_eq!((whole.n_spins(), whole.neurons()), (N_SPINS, 0..N_SPINS));
    let path = folder.path("joined");
    whole.write(&path, Overwrite::Replace).unwrap();
    let joined = Couplings::open(&path, execution()).unwrap();
    let row = |couplings: &Couplings, row| bits(couplings.rows(row..row + 1));
    assert!((0..N_SPINS).all(|index| row(whole, index) == row(&joined, index)));
    assert_eq!(joined.theta().map(bits), whole.theta().map(bits));
    assert_eq!(joined.scale().to_bits(), whole.scale().to_bits());
    (bits(joined.values()), joined.theta().map(bits))
}
