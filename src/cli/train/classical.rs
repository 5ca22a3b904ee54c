//! Options of the rules that learn in one go, and the couplings they make.

use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::learning::{Dreaming, Problem, PseudoInverse, Unlearning, hebb, storkey, storkey_bytes};
use attractor::{Error, Result};
use clap::Args;

use super::Rule;

#[derive(Args)]
#[command(next_help_heading = "Options of other rules")]
pub struct ClassicalOptions {
    /// hebb: write couplings divided by N, not integer counts with a scale
    #[arg(long)]
    normalise: bool,
    /// hebb: dreams to unlearn after learning [default: 0]
    #[arg(long)]
    dreams: Option<u64>,
    /// hebb: what a dream takes, times 1 / N [default: 0.01]
    #[arg(long, requires = "dreams")]
    unlearning_rate: Option<f64>,
    /// pseudo-inverse: ridge in units of N; above 0, patterns may depend on one another [default: 0]
    #[arg(long)]
    ridge: Option<f64>,
    /// pseudo-inverse: keep J_ii
    #[arg(long)]
    self_coupling: bool,
    /// dreaming: time of sleep; 0 is hebb; the pseudo-inverse as it grows [default: 1]
    #[arg(long)]
    dream_time: Option<f64>,
}

/// What a dream takes where no rate is given.
const DEFAULT_UNLEARNING_RATE: f64 = 0.01;
/// Time of sleep where none is given.
const DEFAULT_DREAM_TIME: f64 = 1.0;
/// Signed multiply-adds in the time of one multiply-add in double precision.
const SIGNED_PER_DOUBLE: f64 = 14.0;
/// Signed multiply-adds in the time in which a dream goes over one coupling: its pass and its flips.
const SIGNED_PER_DREAMT: f64 = 300.0;
/// Signed multiply-adds in the time in which Storkey's rule takes a pattern to a coupling: three, in blocks so small that
/// their tables and the passes over J cost more than they do.
const SIGNED_PER_STORED: f64 = 10.0;

impl ClassicalOptions {
    /// Every option, whether it was given, and the rule that takes it.
    pub fn given(&self) -> [(&'static str, bool, &'static [Rule]); 6] {
        [
            ("normalise", self.normalise, &[Rule::Hebb]),
            ("dreams", self.dreams.is_some(), &[Rule::Hebb]),
            ("unlearning-rate", self.unlearning_rate.is_some(), &[Rule::Hebb]),
            ("ridge", self.ridge.is_some(), &[Rule::PseudoInverse]),
            ("self-coupling", self.self_coupling, &[Rule::PseudoInverse]),
            ("dream-time", self.dream_time.is_some(), &[Rule::Dreaming]),
        ]
    }

    /// Whether there are dreams to unlearn.
    pub fn has_dreams(&self) -> bool {
        self.dreams.is_some()
    }

    /// Checks the parameters of `rule` on `data`.
    ///
    /// # Errors
    /// Names the first out of range.
    pub fn check(&self, rule: Rule, data: &DataSet, seed: u64) -> Result<()> {
        match rule {
            Rule::Hebb => self.unlearning(seed).map_or(Ok(()), |unlearning| unlearning.check()),
            Rule::PseudoInverse => self.pseudo_inverse().check(data.n_patterns(), data.n_spins()),
            Rule::Dreaming => self.dreaming().check(),
            Rule::Storkey | Rule::PseudoLikelihood | Rule::Perceptron | Rule::MaxStability => Ok(()),
        }
    }

    /// The parameters of `rule`, for the file.
    pub fn description(&self, rule: Rule, seed: u64) -> Vec<(&'static str, String)> {
        match (rule, self.unlearning(seed)) {
            (Rule::Hebb, Some(Unlearning { dreams, rate, seed })) => vec![
                ("dreams", dreams.to_string()),
                ("unlearning_rate", rate.to_string()),
                ("seed", seed.to_string()),
            ],
            (Rule::PseudoInverse, _) => {
                let PseudoInverse { ridge, self_coupling } = self.pseudo_inverse();
                vec![("ridge", ridge.to_string()), ("self_coupling", self_coupling.to_string())]
            }
            (Rule::Dreaming, _) => vec![("dream_time", self.dreaming().time.to_string())],
            _ => vec![],
        }
    }

    /// Couplings of `rule`, one of those that learn in one go.
    ///
    /// # Errors
    /// As the rule.
    pub fn couplings(
        &self,
        rule: Rule,
        problem: Problem<'_>,
        seed: u64,
        execution: &Execution,
    ) -> Result<Couplings> {
        let patterns = problem.patterns();
        match rule {
            Rule::Hebb => {
                let couplings = hebb(problem, execution)?;
                match self.unlearning(seed) {
                    Some(unlearning) => unlearning.unlearned(&couplings, execution),
                    None if self.normalise => couplings.normalised(execution),
                    None => Ok(couplings),
                }
            }
            Rule::PseudoInverse => self.pseudo_inverse().couplings(patterns, execution),
            Rule::Dreaming => self.dreaming().couplings(patterns, execution),
            Rule::Storkey => storkey(patterns, execution),
            Rule::PseudoLikelihood | Rule::Perceptron | Rule::MaxStability => {
                Err(Error::parameter("rule", "one that learns in one go", super::name_of(rule)))
            }
        }
    }

    /// Bytes that `rule` takes, and signed multiply-adds in its time.
    pub fn cost(&self, rule: Rule, problem: Problem<'_>, n_threads: usize) -> (f64, f64) {
        let (n_spins, n_patterns) = (problem.patterns().n_spins(), problem.patterns().n_rows());
        let (n, p) = (n_spins as f64, n_patterns as f64);
        let couplings = 4.0 * n * problem.neurons().len() as f64;
        match (rule, self.dreams) {
            (Rule::Hebb, Some(dreams)) => {
                (Unlearning::memory_bytes(n_spins) as f64, SIGNED_PER_DREAMT * dreams as f64 * n * n)
            }
            (Rule::Hebb, None) if self.normalise => (2.0 * couplings, 0.0),
            (Rule::Hebb | Rule::PseudoLikelihood | Rule::Perceptron | Rule::MaxStability, _) => {
                (couplings, 0.0)
            }
            (Rule::PseudoInverse | Rule::Dreaming, _) => {
                let memory = PseudoInverse::memory_bytes(n_patterns, n_spins, n_threads);
                (memory as f64, n * n * p + SIGNED_PER_DOUBLE * (n * p * p + p * p * p / 6.0))
            }
            (Rule::Storkey, _) => {
                (storkey_bytes(n_patterns, n_spins, n_threads) as f64, SIGNED_PER_STORED * n * n * p)
            }
        }
    }

    fn unlearning(&self, seed: u64) -> Option<Unlearning> {
        let rate = self.unlearning_rate.unwrap_or(DEFAULT_UNLEARNING_RATE);
        self.dreams.map(|dreams| Unlearning { dreams, rate, seed })
    }

    fn pseudo_inverse(&self) -> PseudoInverse {
        PseudoInverse { ridge: self.ridge.unwrap_or(0.0), self_coupling: self.self_coupling }
    }

    fn dreaming(&self) -> Dreaming {
        Dreaming { time: self.dream_time.unwrap_or(DEFAULT_DREAM_TIME) }
    }
}
