//! `attractor theory`: the curves of the theory of random patterns, as CSV.

mod curves;
pub mod numbers;

use attractor::storage::Table;
use clap::Args;
use serde_json::{Map, Value, json};

use super::options::Common;
use curves::{Curve, Request};
use numbers::{Numbers, Range};

#[derive(Args)]
pub struct Theory {
    /// Name of the curve; --list says which there are
    name: Option<String>,
    /// List the curves: what each is, and its source
    #[arg(long)]
    list: bool,
    /// Loads P / N: numbers such as 0.1,0.5, or from..to:count, as 0.1..1:10
    /// [default: some that suit the curve]
    #[arg(long, value_name = "LOADS", allow_hyphen_values = true)]
    load: Option<Numbers>,
    /// lambda' |J_i| of pseudo-likelihood, in the same form
    /// [default: 0.2,0.8,1.6]
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    lambda_eff: Option<Numbers>,
    /// Stabilities of a density, as -1..4:101
    /// [default: 201 over all but 6e-5 of the patterns]
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    stabilities: Option<Range>,
    #[command(flatten)]
    common: Common,
}

impl Theory {
    pub fn run(self) -> anyhow::Result<()> {
        if self.list {
            return list(&self.common);
        }
        let curve = Curve::named(self.name.as_deref())?;
        let request = Request {
            loads: self.load.map(|numbers| numbers.0),
            lambda_effs: self.lambda_eff.map(|numbers| numbers.0),
            stabilities: self.stabilities,
        };
        let rows = curve.rows(&request)?;
        if self.common.dry_run {
            let document = json!({ "name": curve.name, "rows": rows.len() });
            return self.common.print(&document, &format!("would print {} rows", rows.len()));
        }
        let mut table = Table::new(curve.columns.iter().copied());
        rows.iter().for_each(|row| table.push(row.iter().map(|&value| exact(value)).collect()));
        let mut csv = Vec::new();
        table.write_to(&mut csv)?;
        let named = |row: &Vec<f64>| {
            let entries = curve.columns.iter().zip(row);
            entries.map(|(&column, value)| (column.to_owned(), json!(value))).collect::<Map<_, _>>()
        };
        let document = json!({
            "name": curve.name,
            "about": curve.about,
            "source": curve.source,
            "rows": rows.iter().map(named).map(Value::Object).collect::<Vec<_>>(),
        });
        self.common.print(&document, &String::from_utf8_lossy(&csv))
    }
}

fn list(common: &Common) -> anyhow::Result<()> {
    let entry = |curve: &Curve| {
        json!({
            "name": curve.name,
            "about": curve.about,
            "source": curve.source,
            "columns": curve.columns,
        })
    };
    let text = |curve: &Curve| {
        let columns = curve.columns.join(",");
        format!("{}\n  {}\n  {}\n  columns {columns}\n", curve.name, curve.about, curve.source)
    };
    let all: Vec<Value> = Curve::ALL.iter().map(entry).collect();
    common.print(&all, &Curve::ALL.iter().map(text).collect::<String>())
}

/// A number as text that reads back exactly, short where it is small.
fn exact(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-4 { format!("{value:e}") } else { value.to_string() }
}
