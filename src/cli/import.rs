//! `attractor import`: other people's files.

mod alignment;

use std::path::PathBuf;

use attractor::couplings::Couplings;
use attractor::datasets::{Import as SpinFiles, Mnist, SpinEncoding, TestImages};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::generate::save;
use super::options::Common;
use super::provenance::provenance;
use super::text::listing;

#[derive(Args)]
pub struct Import {
    #[command(subcommand)]
    source: Source,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Source {
    /// MNIST digits from the folder of the four IDX files (data/fetch-mnist brings them)
    Mnist(MnistOptions),
    /// Aligned sequences in FASTA, A2M or A3M
    Alignment(alignment::AlignmentOptions),
    /// Spins as NumPy arrays: bool, +-1 of any type, or packed bytes
    Npy(SpinOptions),
    /// Spins as text: one state a line
    Csv(SpinOptions),
    /// Couplings as a NumPy array [N, N]
    Couplings(CouplingsOptions),
}

#[derive(Args)]
struct MnistOptions {
    /// Folder of the IDX files
    folder: PathBuf,
    /// Number of patterns P: the first of a seeded permutation of the training images
    #[arg(long, default_value_t = 60_000)]
    train: usize,
    /// Number of unseen examples
    #[arg(long, default_value_t = 10_000)]
    test: usize,
    /// Take unseen examples from the training images that are left, not from the official test images
    #[arg(long)]
    held_out: bool,
    /// Side of the centre crop, in pixels
    #[arg(long, default_value_t = 14)]
    crop: usize,
    /// A pixel above this is +1
    #[arg(long, default_value_t = 86)]
    threshold: u8,
    /// Straighten slanted digits by their moments
    #[arg(long, value_enum, default_value_t = Switch::On)]
    deskew: Switch,
    /// File to write
    #[arg(long, short, default_value = "mnist.safetensors")]
    output: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Args)]
struct SpinOptions {
    /// Patterns, [P, N]
    train: PathBuf,
    /// Unseen examples, [any, N]
    #[arg(long)]
    test: Option<PathBuf>,
    /// Hidden features, [any, N]
    #[arg(long)]
    features: Option<PathBuf>,
    /// Weight of each pattern, one number each
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Class of each pattern, one whole number from 0 to 255 each
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Class of each unseen example
    #[arg(long, requires = "test")]
    test_labels: Option<PathBuf>,
    /// Values are 0 and 1 instead of -1 and +1
    #[arg(long, conflicts_with = "packed")]
    zero_one: bool,
    /// Values are bytes of 8 spins each, lowest bit first, of this many spins a row
    #[arg(long, value_name = "N")]
    packed: Option<usize>,
    /// File to write
    #[arg(long, short, default_value = "data.safetensors")]
    output: PathBuf,
}

#[derive(Args)]
struct CouplingsOptions {
    /// Array [N, N], zero diagonal; row i holds the inputs of neuron i
    file: PathBuf,
    /// File to write
    #[arg(long, short, default_value = "J.safetensors")]
    output: PathBuf,
}

impl Import {
    pub fn run(self) -> anyhow::Result<()> {
        let common = self.common;
        let (output, inputs) = match &self.source {
            Source::Mnist(options) => (&options.output, Vec::new()),
            Source::Npy(options) | Source::Csv(options) => {
                let SpinOptions { test, features, weights, labels, test_labels, .. } = options;
                let others = [test, features, weights, labels, test_labels];
                let others = others.into_iter().filter_map(|file| file.as_deref());
                (&options.output, std::iter::once(options.train.as_path()).chain(others).collect())
            }
            Source::Alignment(options) => (&options.output, vec![options.file.as_path()]),
            Source::Couplings(options) => (&options.output, vec![options.file.as_path()]),
        };
        common.check_outputs(&[output], &inputs)?;
        match self.source {
            Source::Mnist(options) => {
                let mnist = Mnist {
                    n_train: options.train,
                    n_test: options.test,
                    test: if options.held_out { TestImages::HeldOut } else { TestImages::Official },
                    crop: options.crop,
                    threshold: options.threshold,
                    deskew: options.deskew == Switch::On,
                    seed: common.seed,
                };
                save(mnist.read(&options.folder)?, &options.output, &common, provenance(&[])?)
            }
            Source::Alignment(options) => options.run(&common),
            Source::Npy(options) | Source::Csv(options) => {
                let encoding = match options.packed {
                    Some(n_spins) => SpinEncoding::Packed { n_spins },
                    None if options.zero_one => SpinEncoding::ZeroOne,
                    None => SpinEncoding::Signs,
                };
                let files = SpinFiles {
                    train: options.train,
                    test: options.test,
                    features: options.features,
                    weights: options.weights,
                    labels: options.labels,
                    test_labels: options.test_labels,
                    encoding,
                };
                save(files.read()?, &options.output, &common, provenance(&[])?)
            }
            Source::Couplings(options) => {
                let mut description = provenance(&[("input", &options.file)])?;
                description.insert("rule".into(), "import".into());
                let couplings = Couplings::read_npy(&options.file)?.with_description(description);
                if common.dry_run {
                    return common.print_dry_run(&options.output);
                }
                couplings.write(&options.output, common.overwrite())?;
                let document = json!({ "output": options.output, "n": couplings.n_spins() });
                let text = listing([
                    ("couplings", options.output.display().to_string()),
                    ("spins N", couplings.n_spins().to_string()),
                ]);
                common.print(&document, &text)
            }
        }
    }
}
