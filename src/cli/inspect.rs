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
use attractor::storage::{Container, Description};
use clap::Args;
use serde_json::{Value, json};

use super::inputs::open_couplings;
use super::options::Common;
use super::text::{listing, short};

#[derive(Args)]
pub struct Inspect {
    /// A file of this program: data set, alignment, couplings, states or attractors; or a folder of shards of couplings
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// What was measured, by name, in the order in which it is printed.
type Facts = Vec<(&'static str, Value)>;

fn couplings_facts(couplings: &Couplings, execution: &Execution) -> Result<Facts> {
    let mut facts = shard_facts(couplings, execution)?;
    let asymmetry = couplings.asymmetry(execution)?;
    facts.push(("asymmetry", json!(asymmetry.ratio)));
    facts.push(("asymmetry_msd", json!(asymmetry.mean_square)));
    Ok(facts)
}

/// Those of rows alone.
fn shard_facts(couplings: &Couplings, execution: &Execution) -> Result<Facts> {
    let norms = couplings.row_norms(execution)?;
    let row_norm = norms.iter().sum::<f64>() / norms.len() as f64;
    Ok(vec![("N", json!(couplings.n_spins())), ("row_norm", json!(row_norm))])
}

/// A name and [element type, shape].
type TensorShape = (String, Value);

impl Inspect {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        if self.file.is_dir() {
            let couplings = open_couplings(&self.file, &self.common, &execution)?;
            let n = couplings.n_spins();
            let theta = couplings.theta().map(|theta| ("theta".to_owned(), json!(["F32", [theta.len()]])));
            let tensors: Vec<_> =
                [("J".to_owned(), json!(["F32", [n, n]]))].into_iter().chain(theta).collect();
            let facts = couplings_facts(&couplings, &execution)?;
            return self.show("couplings in shards", &tensors, &facts, couplings.description(), None);
        }
        let container = Container::open_any(&self.file)?;
        let facts = match container.kind() {
            "couplings" => {
                couplings_facts(&open_couplings(&self.file, &self.common, &execution)?, &execution)?
            }
            Couplings::KIND_OF_SHARDS => {
                shard_facts(&Couplings::open_shard(&self.file, &execution)?, &execution)?
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
        self.show(container.kind(), &tensors, &facts, container.description(), container.hash())
    }

    /// Prints what is known of a file.
    fn show(
        &self,
        kind: &str,
        tensors: &[TensorShape],
        facts: &Facts,
        metadata: &Description,
        hash: Option<&str>,
    ) -> anyhow::Result<()> {
        let document = json!({
            "kind": kind,
            "tensors": tensors.iter().cloned().collect::<serde_json::Map<_, _>>(),
            "measured": facts
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect::<serde_json::Map<_, _>>(),
            "metadata": metadata,
            "blake3": hash,
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
        let mut text = format!("{}: {kind}\n", self.file.display());
        text += &listing(facts.iter().map(|(name, value)| (*name, show(value))));
        text += "tensors\n";
        text += &listing(tensors.iter().map(|(name, value)| (name.as_str(), show(value))));
        text += "metadata\n";
        text += &listing(metadata.iter().map(|(name, value)| (name.as_str(), value.clone())));
        self.common.print(&document, &text)
    }
}
