//! `attractor report`: one HTML page of runs.

use std::path::{Path, PathBuf};

use attractor::experiments::report_of;
use attractor::storage::write_bytes;
use bytesize::ByteSize;
use clap::Args;
use serde_json::json;

use super::options::Common;

#[derive(Args)]
pub struct Report {
    /// Folders that `reproduce` or `cutoff` wrote, in the order of the page
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// File of the page
    #[arg(long, short, default_value = "report.html")]
    output: PathBuf,
    /// Title of the page [default: the names of the experiments]
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Report {
    pub fn run(self) -> anyhow::Result<()> {
        let inputs: Vec<&Path> = self.folders.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&[&self.output], &inputs)?;
        let page = report_of(&self.folders, self.title.as_deref())?;
        let html = page.html();
        let size = ByteSize(html.len() as u64);
        let mut text = String::new();
        for chapter in &page.chapters {
            let (n_figures, n_tables) = (chapter.plates.len(), chapter.tables.len());
            text += &format!("{}: {n_figures} figures, {n_tables} tables\n", chapter.name);
        }
        if self.common.dry_run {
            text += &format!("would write {} ({size})", self.output.display());
        } else {
            write_bytes(&self.output, self.common.overwrite(), html.as_bytes())?;
            text += &format!("{}: {size}", self.output.display());
        }
        let names: Vec<&str> = page.chapters.iter().map(|chapter| chapter.name.as_str()).collect();
        let document =
            json!({ "output": self.output, "title": page.title, "runs": names, "bytes": html.len() });
        self.common.print(&document, &text)
    }
}
