//! What a training run came to, in print.

use attractor::analysis::{Observables, RowObservables, StabilitySummary};
use serde_json::{Value, json};

use super::super::text::{listing, short, short_or_dash};
use super::run::Run;
use super::{Rule, Solver};

/// A name and what it is, for people.
type Line = (&'static str, String);

impl Run<'_> {
    pub(super) fn report(&self) -> anyhow::Result<()> {
        let (epoch, mut document, lines) = if let Some((epoch, observed)) = self.latest {
            (epoch, serde_json::to_value(observed)?, self.lines(&observed))
        } else if let Some((epoch, observed)) = self.latest_rows {
            let RowObservables { loss, row_norm, lambda_eff, stability, .. } = observed;
            let lines = self.lines_of_rows(loss, row_norm, lambda_eff, &stability);
            (epoch, serde_json::to_value(observed)?, lines.to_vec())
        } else {
            return Ok(());
        };
        let seconds = self.begun.elapsed().as_secs_f64();
        document["epoch"] = json!(epoch);
        document["seconds"] = json!(seconds);
        document["output"] = json!(self.options.output);
        document["parameters"] = json!(self.description);
        if let Some(rows) = &self.options.rows {
            document["rows"] = json!([rows.start, rows.end]);
        }
        for (name, _, value) in &self.results {
            document[name.replace(' ', "_")] = Value::clone(value);
        }
        let couplings = match &self.options.rows {
            None => self.options.output.display().to_string(),
            Some(rows) => {
                let (output, n_spins) = (self.options.output.display(), self.problem.patterns().n_spins());
                format!("{output}, rows {}..{} of {n_spins}", rows.start, rows.end)
            }
        };
        let rule = [("couplings", couplings), ("rule", self.rule(epoch))];
        let results = self.results.iter().map(|(name, text, _)| (*name, text.clone()));
        let seconds = [("seconds", short(seconds))];
        let text = listing(rule.into_iter().chain(results).chain(lines).chain(seconds));
        self.options.common.print(&document, &text)
    }

    /// The rule and what it was told.
    fn rule(&self, epoch: u64) -> String {
        let entry = |key: &str| self.description.get(key).cloned().unwrap_or_default();
        let how = match (self.options.rule, self.options.pseudo_likelihood.solver()) {
            (Rule::PseudoLikelihood, Solver::Gd) => format!(
                ", {}, lambda {}, lr {}, {epoch} epochs, from {}",
                entry("variant"),
                entry("lambda"),
                entry("lr"),
                entry("init")
            ),
            (Rule::PseudoLikelihood, Solver::Lbfgs) => {
                format!(", {}, lambda {}, l2 {}, by lbfgs", entry("variant"), entry("lambda"), entry("l2"))
            }
            (rule, _) => {
                let seed = self.options.common.seed;
                let parameters = self.options.classical.description(rule, seed).into_iter();
                parameters.map(|(name, value)| format!(", {} {value}", name.replace('_', " "))).collect()
            }
        };
        format!("{}{how}", entry("rule"))
    }

    /// What rows say each for itself.
    fn lines_of_rows(
        &self,
        loss: f64,
        row_norm: f64,
        lambda_eff: f64,
        stability: &StabilitySummary,
    ) -> [Line; 3] {
        // Other rules have no lambda of their own.
        let loss = match self.options.rule {
            Rule::PseudoLikelihood => short(loss),
            _ => format!("{} (at lambda {})", short(loss), self.parameters.lambda),
        };
        [
            ("loss", loss),
            ("row norm |J_i|", format!("{} (lambda_eff {})", short(row_norm), short(lambda_eff))),
            (
                "stability",
                format!(
                    "mean {}, min {}, {:.2} % negative",
                    short(stability.mean),
                    short(stability.min),
                    100.0 * stability.negative_fraction
                ),
            ),
        ]
    }

    /// What all rows say.
    fn lines(&self, observed: &Observables) -> Vec<Line> {
        let count = |at: fn(&attractor::analysis::FeatureCount) -> usize| {
            observed.learned_features.map_or("-".to_owned(), |count| at(&count).to_string())
        };
        let Observables { loss, row_norm, lambda_eff, stability, .. } = observed;
        let mut lines = self.lines_of_rows(*loss, *row_norm, *lambda_eff, stability).to_vec();
        lines.extend([
            ("asymmetry", short(observed.asymmetry)),
            ("distance from Hebb", short_or_dash(observed.hebb_distance)),
            (
                "overlaps",
                format!(
                    "after {} steps from up to {} states of each kind",
                    self.options.eval_steps, self.options.eval_states
                ),
            ),
            ("overlap train", short(observed.overlap.train)),
            ("overlap test", short_or_dash(observed.overlap.test)),
            ("overlap features", short_or_dash(observed.overlap.features)),
            ("overlap random", short(observed.overlap.random)),
            ("training patterns fixed", format!("{:.1} %", 100.0 * observed.fixed_fraction)),
            ("learned features", format!("{} at 0.9, {} at 0.99", count(|c| c.at_0_9), count(|c| c.at_0_99))),
            ("gap train - test", short_or_dash(observed.gap.map(|gap| gap.train_minus_test))),
            ("gap 1 - test", short_or_dash(observed.gap.map(|gap| gap.one_minus_test))),
        ]);
        lines
    }
}
