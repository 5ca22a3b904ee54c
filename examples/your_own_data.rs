//! From a text file of 0 and 1 to couplings in a file and back.
//!
//!     cargo run --release --example your_own_data
//!
//! The command line does the same: `attractor import csv`, `attractor train`, `attractor recall`.

use std::fs;

use attractor::Error;
use attractor::analysis::recall_summary;
use attractor::couplings::Couplings;
use attractor::datasets::{DataSet, Import, SpinEncoding};
use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties, at_overlap};
use attractor::execution::Execution;
use attractor::learning::{Initial, PseudoLikelihood, Trainer};
use attractor::storage::Overwrite;

fn main() -> attractor::Result<()> {
    let execution = Execution::with_threads(2)?;
    let folder = tempfile::tempdir().map_err(Error::io("the temporary folder".as_ref(), "make"))?;
    let table = folder.path().join("mine.csv");

    // One pattern a line, one value a spin: 30 "images" of 16 x 16 pixels, each a bright rectangle. Yours go here.
    fs::write(&table, rectangles()).map_err(Error::io(&table, "write"))?;

    // 1 becomes +1, 0 becomes -1. SpinEncoding::Signs reads files of +1 and -1; .npy files are read as such.
    let import = Import {
        train: table,
        test: None,
        features: None,
        weights: None,
        labels: None,
        test_labels: None,
        encoding: SpinEncoding::ZeroOne,
    };
    let data: DataSet = import.read()?;
    println!("{} patterns of {} spins, load {:.3}", data.n_patterns(), data.n_spins(), data.load());

    // Neurons of pictures are biased: each learns a field theta_i beside its couplings.
    let parameters = PseudoLikelihood { theta: true, ..PseudoLikelihood::new(0.2, 0.1) };
    let mut trainer = Trainer::new(&data.train, parameters, &Initial::Zero, 1.0, &execution)?;
    trainer.advance_to(1000)?;

    // Written beside and renamed, with a hash of the contents; opened again, J is mapped and not read into memory.
    let file = folder.path().join("J.safetensors");
    trainer.couplings().write(&file, Overwrite::Refuse)?;
    let couplings = Couplings::open(&file, &execution)?;

    // A tenth of the pixels of every image is wrong: overlap 0.8.
    let starts = at_overlap(&data.train, 0.8, 2)?;
    let dynamics = ParallelDynamics { stop: Stop::Settled { limit: 100 }, ties: Ties::Keep };
    let recall = dynamics.run(&couplings, &starts, &data.train, &execution)?;
    let summary = recall_summary(&recall, &data.train, &execution)?;
    let fixed = 100.0 * summary.converged_fraction;
    println!("mean final overlap {:.4}, {fixed:.0} % ended in a fixed point", summary.overlap_mean);

    // What this example claims; the program fails where it is not so.
    assert_eq!(couplings.values(), trainer.couplings().values(), "the file holds other couplings");
    assert!(summary.overlap_mean > 0.95, "images are not restored");
    Ok(())
}

/// The lines of the file.
fn rectangles() -> String {
    let image = |k: usize| {
        let (left, top, width, height) = (k % 6, k / 6 * 2, 4 + k * 5 % 7, 3 + k * 3 % 5);
        let is_bright = |x, y| (left..left + width).contains(&x) && (top..top + height).contains(&y);
        let pixels = (0..256).map(|pixel| if is_bright(pixel % 16, pixel / 16) { "1" } else { "0" });
        pixels.collect::<Vec<_>>().join(",") + "\n"
    };
    (0..30).map(image).collect()
}
