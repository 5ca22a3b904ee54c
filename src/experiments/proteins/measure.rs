//! A split of the family into sequences to learn and unseen ones, and what is learned of the first.

use super::ProteinsConfig;
use crate::datasets::Alignment;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::potts::{
    PottsEvaluation, PottsInitial, PottsObservables, PottsPseudoLikelihood, PottsTrainer, observe,
};
use crate::random::{permutation, stream};
use crate::spins::Sequences;

/// Checks that the alignment has sequences enough.
///
/// # Errors
/// If it has too few for the largest P and the unseen ones, or there is no P.
pub(super) fn check_size(config: &ProteinsConfig, alignment: &Alignment) -> Result<()> {
    let n_sequences = alignment.n_sequences();
    let n_unseen = if alignment.test.is_some() { 0 } else { config.n_test };
    let wanted = config.largest().saturating_add(n_unseen);
    if config.sequences.first().is_none_or(|&p| p == 0) || config.n_test == 0 || wanted > n_sequences {
        let expected = format!("at least one load and one unseen sequence, of {n_sequences} sequences");
        return Err(Error::parameter("sequences", expected, wanted));
    }
    Ok(())
}

/// A sample of the experiment.
pub(super) struct Split<'a> {
    config: &'a ProteinsConfig,
    seed: u64,
    /// Those of the largest P, in random order.
    pub(super) train: Sequences,
    pub(super) test: Sequences,
}

impl<'a> Split<'a> {
    /// # Errors
    /// As [`check_size`].
    pub(super) fn new(config: &'a ProteinsConfig, alignment: &Alignment, sample: u64) -> Result<Self> {
        check_size(config, alignment)?;
        let most = config.largest();
        let seed = config.seed_of(sample);
        let order = permutation(&mut stream(seed, "order of sequences", &[]), alignment.n_sequences());
        let test = match &alignment.test {
            Some(test) => test.head(config.n_test),
            None => alignment.train.select(&order[most..most + config.n_test]),
        };
        Ok(Self { config, seed, train: alignment.train.select(&order[..most]), test })
    }

    /// Learns the first `n_sequences` and observes each variant.
    ///
    /// # Errors
    /// If a parameter is out of range, memory is missing, or interrupted.
    pub(super) fn measure(&self, n_sequences: usize, execution: &Execution) -> Result<Vec<PottsObservables>> {
        let &Self { config, seed, .. } = self;
        let train = self.train.head(n_sequences);
        let test = Some(&self.test);
        let evaluation =
            PottsEvaluation::new(&train, test, config.lambda, config.n_states, config.n_steps, seed)?;
        let learn = |symmetric| {
            let parameters = PottsPseudoLikelihood {
                theta: config.fields,
                symmetric,
                ..PottsPseudoLikelihood::new(config.lambda, config.lr)
            };
            let mut trainer =
                PottsTrainer::new(&train, parameters, &PottsInitial::Zero, 1.0, seed, execution)?;
            let what = format!("training on P = {}", train.n_rows());
            execution.progress().begin(&what, config.epochs);
            trainer.advance_to(config.epochs)?;
            execution.progress().end();
            trainer.couplings()
        };
        let asymmetric = learn(false)?;
        let symmetrized = asymmetric.symmetrized(execution)?;
        let symmetric = learn(true)?;
        [asymmetric, symmetrized, symmetric]
            .iter()
            .map(|couplings| observe(couplings, &evaluation, execution))
            .collect()
    }
}
