//! `attractor inspect`: what a file holds and how it was made.

use std::path::{Path, PathBuf};

use attractor::analysis::{mean_overlap_of_pairs, mean_overlap_within_classes};
use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::potts::PottsCouplings;
use attractor::storage::Container;
use clap::Args;
use serde_json::{Value, json};

use super::options::Common;
use super::text::{listing, short};

#[derive(Args)]
pub struct Inspect {
    /// A file of this program: data set, couplings or states
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

impl Inspect {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let container = Container::open_any(&self.file)?;
        let mut facts: Vec<(String, Value)> = Vec::new();
        match container.kind() {
            "couplings" => {
                let couplings = Couplings::open(&self.file, &execution)?;
                let norms = couplings.row_norms(&execution)?;
                let asymmetry = couplings.asymmetry(&execution)?;
                facts.push(("N".into(), json!(couplings.n_spins())));
                facts.push(("row_norm".into(), json!(norms.iter().sum::<f64>() / norms.len() as f64)));
                facts.push(("asymmetry".into(), json!(asymmetry.ratio)));
                facts.push(("asymmetry_msd".into(), json!(asymmetry.mean_square)));
            }
            PottsCouplings::KIND => facts.extend(potts_facts(&self.file, &execution)?),
            "data set" => {
                let data = DataSet::open(&self.file)?;
                facts.push(("N".into(), json!(data.n_spins())));
                facts.push(("P".into(), json!(data.n_patterns())));
                facts.push(("load".into(), json!(data.load())));
                facts.push(("mean_overlap".into(), json!(mean_overlap_of_pairs(&data.train))));
                if let Some(labels) = &data.train_labels {
                    facts.push((
                        "mean_overlap_within_class".into(),
                        json!(mean_overlap_within_classes(&data.train, labels)?),
                    ));
                }
            }
            _ => {}
        }
        let tensors =
            container.tensors().map(|(name, dtype, shape)| (name.to_owned(), json!([dtype, shape])));
        let tensors: Vec<_> = tensors.collect();
        let document = json!({
            "kind": container.kind(),
            "tensors": tensors.iter().cloned().collect::<serde_json::Map<_, _>>(),
            "measured": facts.iter().cloned().collect::<serde_json::Map<_, _>>(),
            "metadata": container.description(),
        });
        let show = |value: &Value| match value {
            Value::Number(number) if number.is_f64() => number.as_f64().map_or("-".into(), short),
            Value::Null => "-".into(),
            other => other.to_string().replace('"', ""),
        };
        let mut text = format!("{}: {}\n", self.file.display(), container.kind());
        text += &listing(facts.iter().map(|(name, value)| (name.as_str(), show(value))));
        text += "tensors\n";
        text += &listing(tensors.iter().map(|(name, value)| (name.as_str(), show(value))));
        text += "metadata\n";
        text += &listing(container.description().iter().map(|(name, value)| (name.as_str(), value.clone())));
        self.common.print(&document, &text)
    }
}

/// What is measured of Potts couplings.
fn potts_facts(file: &Path, execution: &Execution) -> attractor::Result<Vec<(String, Value)>> {
    let couplings = PottsCouplings::open(file, execution)?;
    let norms = couplings.column_norms(execution)?;
    let asymmetry = couplings.asymmetry(execution)?;
    let (least, most) = norms.iter().fold((f64::INFINITY, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
    let has_fields = couplings.theta().iter().any(|&theta| theta != 0.0);
    let facts = [
        ("columns", json!(couplings.n_columns())),
        ("q", json!(couplings.n_letters())),
        ("column_norm", json!(norms.iter().sum::<f64>() / norms.len() as f64)),
        ("column_norm_min", json!(least)),
        ("column_norm_max", json!(most)),
        ("fields", json!(has_fields)),
        ("asymmetry", json!(asymmetry.ratio)),
        ("asymmetry_msd", json!(asymmetry.mean_square)),
    ];
    Ok(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
