//! `--rows`: learning a shard of J. Which rules can, and what all shards of a run share.

use std::ops::Range;

use attractor::analysis::{note_rising_loss, observe_rows};
use attractor::couplings::{Couplings, parse_rows};
use attractor::storage::Description;
use attractor::{Error, Result};

use super::run::Run;
use super::{Rule, Train, Variant};

/// Reads "a..b".
pub fn rows(text: &str) -> std::result::Result<Range<usize>, String> {
    parse_rows(text).ok_or_else(|| "expected rows a to b - 1 as a..b, such as 0..4096".to_owned())
}

/// Entries in which shards of a run may differ: how each was asked for, and where its inputs were. Their hashes are shared.
const OF_ONE_SHARD: [&str; 4] = ["command", "data", "init_file", "mask_file"];

impl Train {
    /// Refuses `--rows` where rows cannot be learned without the others.
    pub(super) fn check_rows(&self) -> Result<()> {
        let Some(rows) = &self.rows else { return Ok(()) };
        let obstacles = [
            (
                matches!(self.rule, Rule::PseudoInverse | Rule::Dreaming),
                "rule pseudo-inverse or dreaming, which solve for a symmetric J at once",
            ),
            (self.rule == Rule::Storkey, "rule storkey, whose steps take the fields of all neurons"),
            (self.classical.has_dreams(), "dreams, in which all neurons move"),
            (self.variant() == Variant::Symmetrized, "variant symmetrized, which needs J_ji with each J_ij"),
            (self.variant() == Variant::Symmetric, "variant symmetric, whose rows are one problem"),
            (self.eval_every.is_some(), "eval-every, which recalls with all rows"),
            (!self.pseudo_likelihood.snapshots().is_empty(), "snapshots, which are couplings of all rows"),
        ];
        match obstacles.into_iter().find(|(stands, _)| *stands) {
            Some((_, obstacle)) => {
                let found = format!("{}..{}", rows.start, rows.end);
                Err(Error::parameter("rows", format!("no such option with --{obstacle}"), found))
            }
            None => Ok(()),
        }
    }
}

impl Run<'_> {
    /// Measures the rows that there are, and says where descent went up.
    pub(super) fn observe_rows(&mut self, epoch: u64, couplings: &Couplings) -> Result<()> {
        let observed = observe_rows(couplings, self.problem, self.parameters, self.execution)?;
        if let Some((earlier, before)) = self.latest_rows.replace((epoch, observed)) {
            let before = (earlier, before.objective);
            note_rising_loss(self.execution.progress(), before, (epoch, observed.objective));
        }
        Ok(())
    }
}

/// The hash of what all shards of a run share: data, rule, every parameter, how far it came.
pub(super) fn run_hash(description: &Description) -> String {
    let is_own = |entry: &str| {
        // A name that is a file is known by its hash.
        let is_path = ["init", "mask"].contains(&entry) && description.contains_key(&format!("{entry}_file"));
        is_path || OF_ONE_SHARD.contains(&entry) || super::margins::COUNTS.contains(&entry)
    };
    let mut hasher = blake3::Hasher::new();
    for (entry, value) in description.iter().filter(|(entry, _)| !is_own(entry)) {
        hasher.update(format!("{entry} = {value:?}\n").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
