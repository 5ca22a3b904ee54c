//! `attractor inspect`: what a file holds and how it was made.

mod alignment;
mod attractors;
mod data;
mod potts;
mod potts_states;
mod states;

use std::path::PathBuf;

use attractor::Result;
use attractor::couplings::Couplings;
use attractor::datasets::{Alignment, DataSet};
use attractor::execution::Execution;
use attractor::potts::{PottsCouplings, PottsRecall};
use attractor::storage::Container;
use clap::Args;
use serde_json::{Value, json};

use super::inputs::open_couplings;
use super::options::Common;
use super::text::{listing, short};

#[derive(Args)]
pub struct Inspect {
    /// A file of this program: data set, alignment, couplings, states or attractors
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// What was measured, by name, in the order in which it is printed.
type Facts = Vec<(&'static str, Value)>;

fn couplings_facts(couplings: &Couplings, execution: &Execution) -> Result<Facts> {
    let norms = couplings.row_norms(execution)?;
    let asymmetry = couplings.asymmetry(execution)?;
    Ok(vec![
        ("N", json!(couplings.n_spins())),
        ("row_norm", json!(norms.iter().sum::<f64>() / norms.len() as f64)),
        ("asymmetry", json!(asymmetry.ratio)),
        ("asymmetry_msd", json!(asymmetry.mean_square)),
    ])
}

impl Inspect {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let container = Container::open_any(&self.file)?;
        let facts = match container.kind() {
            "couplings" => {
                couplings_facts(&open_couplings(&self.file, &self.common, &execution)?, &execution)?
            }
            PottsCouplings::KIND => potts::facts(&PottsCouplings::open(&self.file, &execution)?, &execution)?,
            "data set" => data::facts(&DataSet::open(&self.file)?)?,
            "attractors" => attractors::facts(&self.file)?,
            "alignment" => alignment::facts(&Alignment::open(&self.file)?)?,
            PottsRecall::KIND => potts_states::facts(&self.file)?,
            "states" => {
                let temperature = container.description().get("temperature");
                let is_thermal = temperature.is_some_and(|temperature| temperature != "0");
                states::facts(&self.file, is_thermal, &execution)?
            }
            _ => Facts::new(),
        };
        let tensors =
            container.tensors().map(|(name, dtype, shape)| (name.to_owned(), json!([dtype, shape])));
        let tensors: Vec<_> = tensors.collect();
        let document = json!({
            "kind": container.kind(),
            "tensors": tensors.iter().cloned().collect::<serde_json::Map<_, _>>(),
            "measured": facts
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect::<serde_json::Map<_, _>>(),
            "metadata": container.description(),
            "blake3": container.hash(),
        });
        let show = |value: &Value| match value {
            Value::Number(number) if number.is_f64() => number.as_f64().map_or("-".into(), short),
            Value::Null => "-".into(),
            Value::Object(counts) if counts.values().all(Value::is_u64) => {
                let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
                counts.join(", ")
            }
            other => other.to_string().replace('"', ""),
        };
        let mut text = format!("{}: {}\n", self.file.display(), container.kind());
        text += &listing(facts.iter().map(|(name, value)| (*name, show(value))));
        text += "tensors\n";
        text += &listing(tensors.iter().map(|(name, value)| (name.as_str(), show(value))));
        text += "metadata\n";
        text += &listing(container.description().iter().map(|(name, value)| (name.as_str(), value.clone())));
        self.common.print(&document, &text)
    }
}
