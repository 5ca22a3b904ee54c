//! Couplings of Potts spins, from an alignment.

mod estimate;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use attractor::datasets::Alignment;
use attractor::execution::Execution;
use attractor::learning::check_factor;
use attractor::potts::{
    PottsCouplings, PottsEvaluation, PottsInitial, PottsObservables, PottsProblem, PottsPseudoLikelihood,
    PottsTrainer, observe,
};
use attractor::storage::{Description, Table};
use attractor::{Error, Result};
use serde_json::json;

use super::super::provenance::provenance;
use super::super::text::{listing, name_of, short, short_or_dash};
use super::{Rule, Solver, Train, Variant};

/// Options of the pseudo-likelihood that learning from sequences has.
const OPTIONS: [&str; 9] =
    ["solver", "lr", "lr-decay", "epochs", "init", "init-scale", "l2", "fields", "snapshots"];

/// Couplings and what belongs to them while training goes on.
struct PottsRun<'a> {
    options: &'a Train,
    alignment: &'a Alignment,
    evaluation: PottsEvaluation<'a>,
    description: Description,
    metrics: Table,
    latest: Option<(u64, PottsObservables)>,
    execution: &'a Execution,
    begun: Instant,
}

impl Train {
    /// Learns from the alignment in the data file.
    pub(super) fn run_on_alignment(&mut self, execution: &Execution) -> anyhow::Result<()> {
        let alignment = Alignment::open(&self.data)?;
        self.check_options_of_alignments()?;
        let parameters = self.potts_parameters(alignment.n_columns());
        parameters.check()?;
        if self.eval_states == 0 {
            return Err(Error::parameter("eval-states", "at least 1", 0).into());
        }
        if self.eval_every == Some(0) {
            return Err(Error::parameter("eval-every", "at least 1 epoch", 0).into());
        }
        self.check_outputs(None)?;
        let initial = self.potts_initial(&alignment, execution)?;
        let estimate = self.potts_estimate(&alignment, execution)?;
        if !self.common.admits(&estimate, Some(&self.output), execution)? {
            return Ok(());
        }
        let problem = PottsProblem::from(&alignment.train);
        let problem = match &alignment.weights {
            Some(weights) => problem.with_weights(weights)?,
            None => problem,
        };
        let (n_states, n_steps, seed) = (self.eval_states, self.eval_steps, self.common.seed);
        let evaluation = PottsEvaluation::new(
            problem,
            alignment.test.as_ref(),
            parameters.lambda,
            n_states,
            n_steps,
            seed,
        )?;
        let init_scale = self.pseudo_likelihood.init_scale();
        let trainer = PottsTrainer::new(problem, parameters.clone(), &initial, init_scale, seed, execution)?;
        let metrics = Table::new(["epoch"].into_iter().chain(PottsObservables::COLUMNS));
        if self.eval_every.is_some() {
            metrics.write(&self.metrics_path(), self.common.overwrite())?;
        }
        let mut description = provenance(&self.inputs())?;
        description.extend(self.describe_potts(&alignment, &parameters));
        let run = PottsRun {
            options: self,
            alignment: &alignment,
            evaluation,
            description,
            metrics,
            latest: None,
            execution,
            begun: Instant::now(),
        };
        run.descend(trainer)
    }

    /// Refuses options that learning from sequences would ignore.
    fn check_options_of_alignments(&self) -> Result<()> {
        let refuse = |name, found: &str| {
            Err(Error::parameter(
                name,
                "no such option for an alignment, whose letters are Potts spins",
                found,
            ))
        };
        if self.rule != Rule::PseudoLikelihood {
            let expected = "pseudo-likelihood, the rule that alignments are learned by";
            return Err(Error::parameter("rule", expected, name_of(self.rule)));
        }
        if self.pseudo_likelihood.solver() == Solver::Lbfgs {
            return Err(Error::parameter("solver", "gd, for an alignment", "lbfgs"));
        }
        let given = self.options_of_rules().into_iter();
        let mut foreign = given.filter(|(name, given, _)| {
            *given && !OPTIONS.contains(name) && !["variant", "tolerance"].contains(name)
        });
        if let Some((name, ..)) = foreign.next() {
            return refuse(name, "one");
        }
        if self.tolerance.is_some() {
            return refuse("tolerance", "one");
        }
        if self.per_neuron.is_some() {
            return refuse("per-neuron", "one");
        }
        if self.rows.is_some() {
            return refuse("rows", "one");
        }
        self.pseudo_likelihood.check()
    }

    fn potts_parameters(&self, n_columns: usize) -> PottsPseudoLikelihood {
        let parameters = self.parameters(n_columns);
        PottsPseudoLikelihood {
            lambda: parameters.lambda,
            lr: parameters.lr,
            lr_decay: parameters.lr_decay,
            l2: parameters.l2,
            theta: parameters.theta,
            symmetric: parameters.symmetric,
        }
    }

    /// The name of the initial couplings, or their file.
    fn potts_init(&self) -> &str {
        let given = self.pseudo_likelihood.given();
        let is_given = given.iter().any(|(name, given)| *name == "init" && *given);
        if is_given { self.pseudo_likelihood.init() } else { "zero" }
    }

    fn potts_initial(&self, alignment: &Alignment, execution: &Execution) -> Result<PottsInitial> {
        check_factor(self.pseudo_likelihood.init_scale())?;
        let name = self.potts_init();
        match name {
            "zero" => return Ok(PottsInitial::Zero),
            "hebb" => return Ok(PottsInitial::Hebb),
            "covariance" => return Ok(PottsInitial::Covariance),
            "random" => return Ok(PottsInitial::Random),
            _ => {}
        }
        let file = Path::new(name);
        if !file.exists() {
            let expected = "zero, hebb, covariance, random or a file that exists, for an alignment";
            return Err(Error::parameter("init", expected, name));
        }
        let couplings = PottsCouplings::open(file, execution)?;
        let shape = |columns, letters| format!("{columns} columns of {letters} letters");
        let (expected, found) = (
            shape(alignment.n_columns(), alignment.n_letters()),
            shape(couplings.n_columns(), couplings.n_letters()),
        );
        if expected != found {
            let expected = format!("{expected} as in {}", self.data.display());
            return Err(Error::format(file, expected, found));
        }
        if couplings.columns() != alignment.columns {
            execution.progress().note(&format!(
                "note: {} is of other columns of the input than {}",
                file.display(),
                self.data.display()
            ));
        }
        Ok(PottsInitial::Given(couplings))
    }

    fn describe_potts(&self, alignment: &Alignment, parameters: &PottsPseudoLikelihood) -> Description {
        let entries = [
            ("p", alignment.n_sequences().to_string()),
            ("alphabet", alignment.alphabet.letters().to_owned()),
            ("rule", name_of(self.rule)),
            ("variant", name_of(self.variant())),
            ("solver", "gd".to_owned()),
            ("lambda", parameters.lambda.to_string()),
            ("lr", parameters.lr.to_string()),
            ("lr_decay", parameters.lr_decay.to_string()),
            ("l2", parameters.l2.to_string()),
            ("fields", parameters.theta.to_string()),
            ("weights", alignment.weights.is_some().to_string()),
            ("init", self.potts_init().to_owned()),
            ("init_scale", self.pseudo_likelihood.init_scale().to_string()),
            ("seed", self.common.seed.to_string()),
            ("eval_states", self.eval_states.to_string()),
            ("eval_steps", self.eval_steps.to_string()),
        ];
        entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl PottsRun<'_> {
    /// Gradient descent, with observations, metrics and snapshots on the way; couplings of complete epochs are saved whatever
    /// happens.
    fn descend(mut self, mut trainer: PottsTrainer<'_>) -> anyhow::Result<()> {
        let options = &self.options.pseudo_likelihood;
        let progress = self.execution.progress();
        let snapshots: BTreeSet<u64> = options.snapshots().iter().copied().collect();
        progress.begin("training", options.epochs());
        let mut done = self.observe(&trainer).and_then(|()| self.snapshot_at(&snapshots, &trainer));
        while done.is_ok() && trainer.epoch() < options.epochs() {
            let epoch = trainer.epoch();
            let evaluation = self.options.eval_every.map(|every| (epoch / every + 1) * every);
            let snapshot = snapshots.range(epoch + 1..).next().copied();
            let next = [evaluation, snapshot].into_iter().flatten().min().unwrap_or(u64::MAX);
            done = trainer.advance_to(next.min(options.epochs())).and_then(|()| {
                let epoch = trainer.epoch();
                let is_due = self.options.eval_every.is_some_and(|every| epoch % every == 0);
                if is_due || epoch == options.epochs() {
                    self.observe(&trainer)?;
                }
                self.snapshot_at(&snapshots, &trainer)
            });
        }
        progress.end();
        let done = match done {
            Err(error) if trainer.epoch() == 0 => return Err(self.options.nothing_learned(error)),
            done => done,
        };
        let status = match &done {
            Ok(()) => "complete",
            Err(Error::Interrupted) => "interrupted",
            Err(Error::Diverged { .. }) => "diverged",
            Err(_) => "failed",
        };
        let (epoch, couplings) = (trainer.epoch(), trainer.couplings()?);
        let couplings = match (&done, self.options.variant()) {
            (Ok(()), Variant::Symmetrized) => couplings.symmetrized(self.execution)?,
            // Cancelled work is not resumed to symmetrise what is saved.
            (Err(_), Variant::Symmetrized) => {
                self.description.insert("variant".into(), name_of(Variant::Asymmetric));
                couplings
            }
            _ => couplings,
        };
        self.save(couplings, &self.options.output, epoch, status)?;
        match done {
            Ok(()) => self.report(),
            Err(error) => {
                let saved =
                    format!("the couplings of epoch {epoch} are in {}", self.options.output.display());
                Err(anyhow::Error::from(error).context(saved))
            }
        }
    }

    /// The couplings as the chosen variant has them.
    fn variant(&self, trainer: &PottsTrainer<'_>) -> Result<PottsCouplings> {
        let couplings = trainer.couplings()?;
        match self.options.variant() {
            Variant::Asymmetric | Variant::Symmetric => Ok(couplings),
            Variant::Symmetrized => couplings.symmetrized(self.execution),
        }
    }

    fn observe(&mut self, trainer: &PottsTrainer<'_>) -> Result<()> {
        let epoch = trainer.epoch();
        let observed = observe(&self.variant(trainer)?, &self.evaluation, self.execution)?;
        // Of symmetrised couplings the loss is another one than what descent lowers.
        if let Some((earlier, before)) = self.latest
            && observed.train.loss > before.train.loss
            && self.options.variant() != Variant::Symmetrized
        {
            self.execution.progress().note(&format!(
                "note: the loss rose from {} at epoch {earlier} to {} at epoch {epoch}",
                short(before.train.loss),
                short(observed.train.loss)
            ));
        }
        self.latest = Some((epoch, observed));
        self.metrics.push([vec![epoch.to_string()], observed.values()].concat());
        if self.options.eval_every.is_some() {
            self.metrics.append_last(&self.options.metrics_path())?;
            if !self.options.common.json {
                self.execution.progress().note(&progress_line(epoch, &observed));
            }
        }
        Ok(())
    }

    fn snapshot_at(&self, epochs: &BTreeSet<u64>, trainer: &PottsTrainer<'_>) -> Result<()> {
        let epoch = trainer.epoch();
        if !epochs.contains(&epoch) {
            return Ok(());
        }
        self.save(self.variant(trainer)?, &self.options.snapshot_path(epoch), epoch, "snapshot")
    }

    fn save(&self, couplings: PottsCouplings, path: &Path, epoch: u64, status: &str) -> Result<()> {
        let mut description = self.description.clone();
        description.insert("epoch".into(), epoch.to_string());
        description.insert("status".into(), status.into());
        let couplings = couplings.with_columns(self.alignment.columns.clone())?;
        couplings.with_description(description).write(path, self.options.common.overwrite())
    }

    fn report(&self) -> anyhow::Result<()> {
        let Some((epoch, observed)) = self.latest else { return Ok(()) };
        let (options, seconds) = (self.options, self.begun.elapsed().as_secs_f64());
        let mut document = serde_json::to_value(observed)?;
        document["epoch"] = json!(epoch);
        document["seconds"] = json!(seconds);
        document["output"] = json!(options.output);
        document["parameters"] = json!(self.description);
        let entry = |key: &str| self.description.get(key).cloned().unwrap_or_default();
        let percent = |fraction: f64| format!("{:.2} %", 100.0 * fraction);
        let of_test = observed.test.as_ref();
        let (train, n_columns) = (&observed.train, self.alignment.n_columns());
        let weighted = match self.alignment.weights {
            Some(_) => " (sequences weighted; all below with each counting the same)",
            None => "",
        };
        let text = listing([
            ("couplings", options.output.display().to_string()),
            (
                "rule",
                format!(
                    "pseudo-likelihood of Potts spins, {}, lambda {}, lr {}, {epoch} epochs, from {}{}",
                    entry("variant"),
                    entry("lambda"),
                    entry("lr"),
                    entry("init"),
                    if entry("fields") == "true" { ", with fields" } else { "" }
                ),
            ),
            (
                "sequences",
                format!(
                    "P = {} of L = {n_columns} columns, q = {}, P / L = {}",
                    self.alignment.n_sequences(),
                    self.alignment.n_letters(),
                    short(self.alignment.n_sequences() as f64 / n_columns as f64)
                ),
            ),
            ("loss", format!("{}{weighted}", short(train.loss))),
            ("log pseudo-likelihood train", format!("{} a column", short(train.log_pseudo_likelihood))),
            ("log pseudo-likelihood test", short_or_dash(of_test.map(|test| test.log_pseudo_likelihood))),
            ("letters right train", percent(train.right_fraction)),
            ("letters right test", of_test.map_or("-".into(), |test| percent(test.right_fraction))),
            ("training sequences fixed", percent(train.fixed_fraction)),
            (
                "column norm |J_i|",
                format!("{} (lambda_eff {})", short(observed.column_norm), short(observed.lambda_eff)),
            ),
            ("asymmetry", short(observed.asymmetry)),
            (
                "overlaps",
                format!(
                    "fractions of equal letters after {} steps from up to {} states of each kind",
                    options.eval_steps, options.eval_states
                ),
            ),
            ("overlap train", short(observed.overlap.train)),
            ("overlap test", short_or_dash(observed.overlap.test)),
            ("overlap random", short(observed.overlap.random)),
            ("seconds", short(seconds)),
        ]);
        options.common.print(&document, &text)
    }
}

fn progress_line(epoch: u64, observed: &PottsObservables) -> String {
    format!(
        "epoch {epoch}: loss {}, letters right {:.2} %, lambda_eff {}, overlap train {} test {}",
        short(observed.train.loss),
        100.0 * observed.train.right_fraction,
        short(observed.lambda_eff),
        short(observed.overlap.train),
        short_or_dash(observed.overlap.test),
    )
}
