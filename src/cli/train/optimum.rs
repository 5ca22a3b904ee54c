//! The optimum of the pseudo-likelihood, and what is told of the searches for it.

use std::collections::BTreeMap;

use attractor::learning::{Ending, Initial, Lbfgs, Optimum, Search, optimum};
use serde_json::json;

use super::super::text::short;
use super::Variant;
use super::run::Run;

impl Run<'_> {
    /// The optimum of the pseudo-likelihood.
    pub(super) fn find_optimum(&mut self, initial: &Initial, solver: &Lbfgs) -> anyhow::Result<()> {
        let options = self.options;
        self.describe_problem();
        self.describe_as([
            ("tolerance", solver.tolerance.to_string()),
            ("max_iterations", solver.max_iterations.to_string()),
            ("max_norm", solver.max_norm.to_string()),
        ]);
        let scale = options.pseudo_likelihood.init_scale();
        let Optimum { couplings, searches } =
            optimum(self.problem, self.parameters, solver, initial, scale, self.execution)?;
        self.add_searches(&searches);
        let couplings = match options.variant() {
            Variant::Symmetrized => couplings.symmetrized(self.execution)?,
            _ => couplings,
        };
        self.finish(couplings)
    }

    fn add_searches(&mut self, searches: &[Search]) {
        let count = |ending| searches.iter().filter(|search| search.ending == ending).count();
        let endings = [
            Ending::Converged,
            Ending::Separable,
            Ending::AtMaxNorm,
            Ending::Stalled,
            Ending::OutOfIterations,
        ];
        let counts = endings.map(|ending| (ending.name(), count(ending)));
        let text: Vec<String> =
            counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
        let most = |value: fn(&Search) -> u64| searches.iter().map(value).max().unwrap_or(0);
        let mean = |value: fn(&Search) -> u64| {
            searches.iter().map(value).sum::<u64>() as f64 / searches.len() as f64
        };
        let with_optimum = searches.iter().filter(|search| search.ending != Ending::Separable);
        let gradient = with_optimum.map(|search| search.relative_gradient).reduce(f64::max);
        let n = searches.len();
        self.results.extend([
            (
                "searches",
                format!("{} of {n}", text.join(", ")),
                json!(counts.into_iter().collect::<BTreeMap<_, _>>()),
            ),
            (
                "iterations",
                format!("mean {}, most {}", short(mean(|s| s.iterations)), most(|s| s.iterations)),
                json!({ "mean": mean(|s| s.iterations), "most": most(|s| s.iterations) }),
            ),
            (
                "gradients",
                format!("mean {}, most {}", short(mean(|s| s.evaluations)), most(|s| s.evaluations)),
                json!({ "mean": mean(|s| s.evaluations), "most": most(|s| s.evaluations) }),
            ),
            (
                "relative gradient",
                gradient.map_or("-".to_owned(), |gradient| format!("at most {gradient:.1e}")),
                json!(gradient),
            ),
        ]);
        let (n_separable, n_held) = (count(Ending::Separable), count(Ending::AtMaxNorm));
        if n_separable > 0 {
            self.execution.progress().note(&format!(
                "note: {n_separable} of {n} problems have no optimum: their patterns are separable, by couplings without l2 or by \
                 a field alone; they were followed to norms of at most {}",
                self.description["max_norm"]
            ));
        }
        if n_held > 0 {
            self.execution.progress().note(&format!(
                "note: {n_held} of {n} problems reached norm {} short of an optimum; without l2 there may be none",
                self.description["max_norm"]
            ));
        }
        let n_constant = self.problem.n_constant_spins();
        if self.parameters.theta && self.parameters.symmetric && n_constant > 0 {
            self.execution.progress().note(&format!(
                "note: {n_constant} spins are the same in all patterns; their fields theta have no optimum and end anywhere large"
            ));
        }
        if !self.parameters.symmetric {
            let column = |value: fn(&Search) -> String| searches.iter().map(value).collect::<Vec<_>>();
            self.neuron_columns.extend([
                ("ending", column(|search| search.ending.name().to_owned())),
                ("iterations", column(|search| search.iterations.to_string())),
                ("evaluations", column(|search| search.evaluations.to_string())),
            ]);
        }
    }
}
