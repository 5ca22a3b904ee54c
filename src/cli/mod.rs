//! The command line: one file a subcommand. Each parses its options, calls the library, and prints.
//!
//! What belongs to a program and not to a library happens here: the environment, signals, the terminal, exit codes.

mod basins;
mod bench;
mod budget;
mod census;
mod contacts;
mod cutoff;
mod estimate;
mod export;
mod generate;
mod import;
mod inputs;
mod inspect;
mod inverse_ising;
mod join;
mod options;
mod progress;
mod provenance;
mod recall;
mod report;
mod reproduce;
mod resume;
mod run_folder;
mod show;
mod stabilities;
mod text;
mod theory;
mod train;
mod updates;
mod verify;

use std::process::ExitCode;

use attractor::Error;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Train and run associative memories of binary spins, and measure what they learned.
#[derive(Parser)]
#[command(name = "attractor", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a data set: random patterns, patterns on a hidden manifold, samples of spin glasses
    Generate(generate::Generate),
    /// Turn other files into data sets or couplings: MNIST, alignments, NumPy arrays
    Import(import::Import),
    /// Learn couplings from a data set
    Train(Box<train::Train>),
    /// Go on with a training run that was stopped or killed
    Resume(resume::Resume),
    /// Join shards of rows (train --rows) to one file of couplings
    Join(join::Join),
    /// Run the dynamics from patterns, features or random states
    Recall(recall::Recall),
    /// Basins of attraction: how much damage to stored states the dynamics repairs
    Basins(Box<basins::Basins>),
    /// The attractors that starts end in: how many, how often, near what
    Census(census::Census),
    /// How strongly the columns of an alignment are coupled, pair by pair
    Contacts(contacts::Contacts),
    /// Distribution of the stabilities of patterns, beside theory
    Stabilities(stabilities::Stabilities),
    /// Show states of a shape as pictures, in the terminal and as a PNG
    Show(show::Show),
    /// How well learned couplings recover those that the data are samples of
    InverseIsing(inverse_ising::InverseIsing),
    /// How many hidden features Hebb couplings store, for up to millions of spins
    Cutoff(cutoff::Cutoff),
    /// Show what a file holds and how it was made
    Inspect(inspect::Inspect),
    /// Whether files still hold what was written into them
    Verify(verify::Verify),
    /// Write couplings or spins as a NumPy array
    Export(export::Export),
    /// Reproduce a published figure: table, plots, parameters
    Reproduce(reproduce::Reproduce),
    /// One HTML page of what reproduce wrote: figures, tables, parameters, how they came about
    Report(report::Report),
    /// Print a curve of the theory of random patterns, as CSV
    Theory(theory::Theory),
    /// Time the work on this machine, beside what it could do
    Bench(bench::Bench),
}

/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;
/// Exit code of a wrong command line.
const USAGE: u8 = 2;

/// The same command with options that take a number with a minus as their value, so that a number out of range is
/// named as such and not taken for an option.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let takes_value = |arg: &Arg| arg.get_action().takes_values() && !arg.is_positional();
    command
        .mut_args(|arg| if takes_value(&arg) { arg.allow_negative_numbers(true) } else { arg })
        .mut_subcommands(with_negative_numbers)
}

pub fn main() -> ExitCode {
    let matches = with_negative_numbers(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Generate(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Train(command) => command.run(),
        Command::Resume(command) => command.run(),
        Command::Join(command) => command.run(),
        Command::Recall(command) => command.run(),
        Command::Basins(command) => command.run(),
        Command::Census(command) => command.run(),
        Command::Contacts(command) => command.run(),
        Command::Stabilities(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::InverseIsing(command) => command.run(),
        Command::Cutoff(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Reproduce(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Theory(command) => command.run(),
        Command::Bench(command) => command.run(),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    progress::say(format_args!("error: {error:#}"));
    match error.downcast_ref::<Error>() {
        Some(Error::Interrupted) => ExitCode::from(INTERRUPTED),
        Some(Error::Parameter { .. }) => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}
