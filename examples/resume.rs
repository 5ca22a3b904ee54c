//! A training run that is stopped half way and goes on later, to the same bits.
//!
//!     cargo run --release --example resume
//!
//! The program does this by itself: `attractor train` keeps a folder beside its output, `attractor resume` goes on from it.

use std::path::Path;
use std::time::Duration;

use attractor::datasets::{DataSet, Random};
use attractor::execution::{Execution, Keep};
use attractor::learning::{Initial, PseudoLikelihood, Trainer};
use attractor::storage::FolderLock;
use attractor::{Error, Result};

const N_EPOCHS: u64 = 100;

fn main() -> Result<()> {
    let plain = Execution::with_threads(2)?;
    let data = Random { n_spins: 300, n_patterns: 150, n_test: 0, seed: 1 }.generate(&plain)?;

    // All epochs in one go.
    let mut whole = trainer(&data, &plain)?;
    whole.advance_to(N_EPOCHS)?;

    // The first half, kept in a folder. One run at a time may write there: the caller holds its lock.
    let folder = tempfile::tempdir().map_err(Error::io("the temporary folder".as_ref(), "make"))?;
    {
        let _lock = FolderLock::take(&folder.path().join("lock"))?;
        let execution = keeping(2, folder.path())?;
        let mut first = trainer(&data, &execution)?;
        first.advance_to(N_EPOCHS / 2)?;
        first.keep()?;
        println!("stopped after {} epochs", first.epoch());
    } // here the run and its lock are gone, as after a crash

    // The second half, on another number of threads: the trainer finds in the folder how far the run had come.
    let _lock = FolderLock::take(&folder.path().join("lock"))?;
    let execution = keeping(1, folder.path())?;
    let mut second = trainer(&data, &execution)?;
    println!("goes on from epoch {}", second.epoch());
    assert_eq!(second.epoch(), N_EPOCHS / 2, "the folder holds another epoch");
    second.advance_to(N_EPOCHS)?;

    // What this example claims; the program fails where it is not so.
    let bits = |trainer: &Trainer<'_>| -> Vec<u32> {
        trainer.couplings().values().iter().map(|coupling| coupling.to_bits()).collect()
    };
    assert!(bits(&whole) == bits(&second), "the couplings differ");
    println!("{} couplings, the same bits as those of the run in one go", second.couplings().values().len());
    Ok(())
}

/// The same run each time: a folder that holds another one's state is refused.
fn trainer<'a>(data: &'a DataSet, execution: &'a Execution) -> Result<Trainer<'a>> {
    Trainer::new(&data.train, PseudoLikelihood::new(0.2, 1.0), &Initial::Hebb, 1.0, execution)
}

/// Keeps the state of training in `folder` at least every ten minutes, and when asked.
fn keeping(n_threads: usize, folder: &Path) -> Result<Execution> {
    Ok(Execution::with_threads(n_threads)?.keeping(Keep::new(folder, Duration::from_secs(600))))
}
