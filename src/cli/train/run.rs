//! A training run from start to report: observations, metrics and snapshots on the way, couplings saved whatever happens.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use attractor::analysis::{Evaluation, Observables, RowObservables, note_rising_loss, observe};
use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::learning::{Batches, Initial, Problem, PseudoLikelihood, Route, Trainer};
use attractor::storage::{Description, Overwrite, Table};
use attractor::{Error, Result};
use serde_json::Value;

use super::super::run_folder::RunFolder;
use super::super::text::{name_of, short, short_or_dash};
use super::rows::run_hash;
use super::{Train, Variant};

/// A training run: what has been learned and observed so far.
pub(super) struct Run<'a> {
    pub(super) options: &'a Train,
    pub(super) execution: &'a Execution,
    /// None of a shard: recall takes all rows.
    evaluation: Option<Evaluation<'a>>,
    pub(super) problem: Problem<'a>,
    pub(super) parameters: &'a PseudoLikelihood,
    pub(super) description: Description,
    metrics: Table,
    /// What the rule found: a name for the report, text, and the value for JSON.
    pub(super) results: Vec<(&'static str, String, Value)>,
    /// Columns that the rule adds to the table of neurons.
    pub(super) neuron_columns: Vec<(&'static str, Vec<String>)>,
    pub(super) latest: Option<(u64, Observables)>,
    pub(super) latest_rows: Option<(u64, RowObservables)>,
    pub(super) begun: Instant,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        options: &'a Train,
        data: &'a DataSet,
        problem: Problem<'a>,
        parameters: &'a PseudoLikelihood,
        provenance: Description,
        execution: &'a Execution,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let (n_states, n_steps) = (options.eval_states, options.eval_steps);
        let seed = options.common.seed;
        let evaluation = match options.rows {
            None => Some(Evaluation::new(data, parameters, n_states, n_steps, seed, execution)?),
            Some(_) => None,
        };
        let mut description = provenance;
        description.insert("p".into(), data.n_patterns().to_string());
        description.insert("rule".into(), name_of(options.rule));
        description.insert("eval_states".into(), n_states.to_string());
        description.insert("eval_steps".into(), n_steps.to_string());
        let columns = ["epoch"].into_iter().chain(Observables::COLUMNS);
        let metrics = Table::new(columns);
        Ok(Self {
            options,
            execution,
            evaluation,
            problem,
            parameters,
            description,
            metrics,
            results: Vec::new(),
            neuron_columns: Vec::new(),
            latest: None,
            latest_rows: None,
            begun,
        })
    }

    /// Learns in one go and saves.
    pub(super) fn at_once(&mut self, learn: impl FnOnce() -> Result<Couplings>) -> anyhow::Result<()> {
        let couplings = learn()?;
        self.finish(couplings)
    }

    /// Observes couplings that were learned in one go, and saves.
    pub(super) fn finish(&mut self, couplings: Couplings) -> anyhow::Result<()> {
        self.begin_metrics(0)?;
        let observed = self.observe(0, &couplings);
        self.save(couplings, 0, "complete")?;
        let saved = format!("the couplings are complete, in {}", self.options.output.display());
        observed.map_err(|error| anyhow::Error::from(error).context(saved))
    }

    /// Records what the run is, under these names.
    pub(super) fn describe_as(&mut self, entries: impl IntoIterator<Item = (&'static str, String)>) {
        self.description.extend(entries.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }

    /// The pseudo-likelihood by gradient descent.
    pub(super) fn descend(&mut self, initial: &Initial) -> anyhow::Result<()> {
        let options = &self.options.pseudo_likelihood;
        let parameters = self.parameters.clone();
        let mut trainer =
            Trainer::new(self.problem, parameters, initial, options.init_scale(), self.execution)?;
        self.describe_problem();
        self.describe_descent(trainer.route());
        self.begin_metrics(trainer.epoch())?;
        let progress = self.execution.progress();
        progress.begin("training", options.epochs());
        progress.advance(trainer.epoch());
        loop {
            if let Err(error) = self.visit(&trainer) {
                return self.stop_early(trainer, error);
            }
            if trainer.epoch() >= options.epochs() {
                break;
            }
            if let Err(error) = trainer.advance_to(self.next_stop(trainer.epoch())) {
                return self.stop_early(trainer, error);
            }
        }
        progress.end();
        let couplings = match self.options.variant() {
            Variant::Asymmetric | Variant::Symmetric => trainer.into_couplings(),
            Variant::Symmetrized => match trainer.couplings().symmetrized(self.execution) {
                Ok(couplings) => couplings,
                Err(error) => return self.stop_early(trainer, error),
            },
        };
        let epochs = options.epochs();
        self.save(couplings, epochs, "complete")
    }

    /// Begins the table of metrics, with the rows of epochs before `epoch` where a run goes on there.
    fn begin_metrics(&mut self, epoch: u64) -> Result<()> {
        let Some(every) = self.options.eval_every else { return Ok(()) };
        let (path, own) = (self.options.metrics_path(), self.own_metrics());
        if epoch > 0 {
            let kept = if own.exists() { complete_rows(&own)? } else { Table::read(&path)? };
            let is_earlier = |row: &&Vec<String>| row[0].parse::<u64>().is_ok_and(|found| found < epoch);
            let rows: Vec<_> = kept.rows().iter().filter(is_earlier).cloned().collect();
            let expected = epoch.div_ceil(every);
            if kept.columns() != self.metrics.columns() || rows.len() as u64 != expected {
                let expected = format!("the {expected} rows of this run before epoch {epoch}");
                return Err(Error::format(&path, expected, format!("{} rows", rows.len())));
            }
            rows.into_iter().for_each(|row| self.metrics.push(row));
        }
        self.metrics.write(&own, Overwrite::Replace)?;
        self.metrics.write(&path, self.options.common.overwrite())
    }

    /// The rows that the run keeps for itself.
    fn own_metrics(&self) -> PathBuf {
        RunFolder::metrics_in(&RunFolder::path_for(&self.options.output))
    }

    /// What is due at the present epoch: an evaluation, a snapshot.
    fn visit(&mut self, trainer: &Trainer<'_>) -> Result<()> {
        let (options, epoch) = (&self.options.pseudo_likelihood, trainer.epoch());
        let is_evaluated = epoch == 0
            || epoch == options.epochs()
            || self.options.eval_every.is_some_and(|every| epoch % every == 0);
        if is_evaluated {
            let before = self.latest;
            self.observe_trainer(trainer)?;
            // Of symmetrised couplings the loss is another one than what descent lowers.
            if let (Some((earlier, before)), Some((_, observed))) = (before, self.latest)
                && self.options.variant() != Variant::Symmetrized
            {
                let before = (earlier, before.objective);
                note_rising_loss(self.execution.progress(), before, (epoch, observed.objective));
            }
        }
        if options.snapshots().contains(&epoch) {
            self.snapshot(epoch, trainer.couplings())?;
        }
        Ok(())
    }

    /// What any solver of the pseudo-likelihood is given.
    pub(super) fn describe_problem(&mut self) {
        let (options, parameters) = (self.options, self.parameters);
        self.describe_as([
            ("variant", name_of(options.variant())),
            ("solver", name_of(options.pseudo_likelihood.solver())),
            ("lambda", parameters.lambda.to_string()),
            ("l2", parameters.l2.to_string()),
            ("fields", parameters.theta.to_string()),
            ("mask", options.pseudo_likelihood.mask_name().to_owned()),
            ("weights", self.problem.weights().is_some().to_string()),
            ("init", options.pseudo_likelihood.init().to_owned()),
            ("init_scale", options.pseudo_likelihood.init_scale().to_string()),
            ("seed", parameters.seed.to_string()),
        ]);
        if let Some(mask) = self.problem.mask() {
            self.describe_as([("edges", mask.n_edges().to_string())]);
        }
    }

    fn describe_descent(&mut self, route: Route) {
        let parameters = self.parameters;
        let route = match route {
            Route::Gram => "gram",
            _ => "direct",
        };
        let (batch, drop_last) = match parameters.batches {
            Batches::Full => ("full".to_owned(), false),
            Batches::Mini { size, drop_last } => (size.to_string(), drop_last),
        };
        let steps: Vec<String> =
            parameters.lr_steps.iter().map(|(epoch, lr)| format!("{epoch}:{lr}")).collect();
        self.describe_as([
            ("route", route.to_owned()),
            ("lr", parameters.lr.to_string()),
            ("lr_decay", parameters.lr_decay.to_string()),
            ("lr_steps", steps.join(",")),
            ("momentum", parameters.momentum.to_string()),
            ("l1", parameters.l1.to_string()),
            ("batch", batch),
            ("drop_last", drop_last.to_string()),
        ]);
    }

    /// The next epoch at which something is to be done.
    fn next_stop(&self, epoch: u64) -> u64 {
        let evaluation = self.options.eval_every.map(|every| (epoch / every + 1) * every);
        let options = &self.options.pseudo_likelihood;
        let snapshot = options.snapshots().iter().copied().filter(|&snapshot| snapshot > epoch).min();
        [evaluation, snapshot].into_iter().flatten().min().unwrap_or(u64::MAX).min(options.epochs())
    }

    /// Keeps the last complete epoch for a run that goes on, or, where none can, saves its couplings; then passes the error on.
    fn stop_early(&mut self, mut trainer: Trainer<'_>, error: Error) -> anyhow::Result<()> {
        self.execution.progress().end();
        let epoch = trainer.epoch();
        let Error::Diverged { .. } = error else {
            trainer.keep()?;
            return Err(anyhow::Error::from(error).context(format!("stopped at epoch {epoch}")));
        };
        if epoch == 0 {
            return Err(self.options.nothing_learned(error));
        }
        if self.options.variant() == Variant::Symmetrized {
            self.description.insert("variant".into(), name_of(Variant::Asymmetric));
        }
        self.save(trainer.into_couplings(), epoch, "diverged")?;
        let saved = format!("the couplings of epoch {epoch} are in {}", self.options.output.display());
        Err(anyhow::Error::from(error).context(saved))
    }

    /// The couplings as the chosen variant has them.
    fn variant<'c>(&self, couplings: &'c Couplings) -> Result<Cow<'c, Couplings>> {
        match self.options.variant() {
            Variant::Asymmetric | Variant::Symmetric => Ok(Cow::Borrowed(couplings)),
            Variant::Symmetrized => couplings.symmetrized(self.execution).map(Cow::Owned),
        }
    }

    fn observe_trainer(&mut self, trainer: &Trainer<'_>) -> Result<()> {
        let couplings = self.variant(trainer.couplings())?;
        self.observe(trainer.epoch(), &couplings)
    }

    fn observe(&mut self, epoch: u64, couplings: &Couplings) -> Result<()> {
        let Some(evaluation) = &self.evaluation else { return self.observe_rows(epoch, couplings) };
        let observed = observe(couplings, evaluation, self.execution)?;
        self.latest = Some((epoch, observed));
        self.metrics.push([vec![epoch.to_string()], observed.values()].concat());
        if self.options.eval_every.is_some() {
            self.metrics.append_last(&self.own_metrics())?;
            self.metrics.append_last(&self.options.metrics_path())?;
            if !self.options.common.json {
                self.execution.progress().note(&progress_line(epoch, &observed));
            }
        }
        Ok(())
    }

    fn snapshot(&self, epoch: u64, couplings: &Couplings) -> Result<()> {
        let description = self.describe(epoch, "snapshot");
        let path = self.options.snapshot_path(epoch);
        self.variant(couplings)?.write_as(&description, &path, self.options.common.overwrite())
    }

    fn describe(&self, epoch: u64, status: &str) -> Description {
        let mut description = self.description.clone();
        description.insert("epoch".into(), epoch.to_string());
        description.insert("status".into(), status.into());
        if self.options.rows.is_some() {
            description.insert("run_blake3".into(), run_hash(&description));
        }
        description
    }

    fn save(&mut self, couplings: Couplings, epoch: u64, status: &str) -> anyhow::Result<()> {
        let couplings = couplings.with_description(self.describe(epoch, status));
        couplings.publish(&self.options.output, self.options.common.overwrite())?;
        match &self.options.per_neuron {
            Some(path) if status == "complete" => self.write_neurons(&couplings, path),
            _ => Ok(()),
        }
    }
}

/// The table at `path` without a last line that a full disk has cut.
fn complete_rows(path: &Path) -> Result<Table> {
    let content = std::fs::read(path).map_err(Error::io(path, "open"))?;
    let end = content.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    Table::parse(&content[..end])
        .map_err(|error| Error::format(path, "the rows of metrics of this run", error.to_string()))
}

fn progress_line(epoch: u64, observed: &Observables) -> String {
    format!(
        "epoch {epoch}: loss {}, lambda_eff {}, overlap train {} test {} features {}, learned {}",
        short(observed.loss),
        short(observed.lambda_eff),
        short(observed.overlap.train),
        short_or_dash(observed.overlap.test),
        short_or_dash(observed.overlap.features),
        observed.learned_features.map_or("-".to_owned(), |count| count.at_0_9.to_string()),
    )
}
