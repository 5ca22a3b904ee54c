//! The program as its users run it: commands, files, refusals, interruptions.

mod alignments;
mod bad_files;
mod bad_input;
mod basins;
mod classical_rules;
mod cutoff;
mod fixtures;
mod harness;
mod integrity;
mod interrupt;
mod output;
mod potts;
mod refusal;
mod shards;
mod unfinished;
