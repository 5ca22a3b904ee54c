//! [`Chapter`]: one run on the page: figures, what was measured, tables, parameters, and how it came about.

use maud::{Markup, html};

use super::embedded::Embedded;
use super::grid::Grid;
use crate::storage::Table;

/// Parameters of more lines are folded.
const SHORT_PARAMETERS: usize = 16;

/// A figure with what is said of it.
#[derive(Clone, Debug)]
pub struct Plate {
    /// Its name without an ending.
    pub name: String,
    /// What is seen.
    pub caption: String,
    /// For who does not see it.
    pub description: String,
    pub picture: Embedded,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Chapter {
    pub name: String,
    /// What it is about, in a line.
    pub about: String,
    pub plates: Vec<Plate>,
    /// A few lines for people, set as they are.
    pub summary: String,
    /// Key figures.
    pub results: Table,
    /// Tables by the names of their files.
    pub tables: Vec<(String, Table)>,
    /// Parameters as TOML.
    pub parameters: String,
    /// How it came about, names and values.
    pub provenance: Vec<(String, String)>,
    /// Hashes of its files.
    pub hashes: Table,
}

impl Chapter {
    /// The section of this number; among `several` the number stands before that of a figure.
    pub(super) fn markup(&self, number: usize, several: bool) -> Markup {
        let figure = |index: usize| if several { format!("{number}.{index}") } else { index.to_string() };
        html! {
            section id={ "run-" (number) } aria-labelledby={ "run-" (number) "-name" } {
                h2 id={ "run-" (number) "-name" } { (self.name) }
                p.about { (self.about) }
                @for (plate, index) in self.plates.iter().zip(1..) {
                    figure id={ "run-" (number) "-figure-" (index) } {
                        div.plate tabindex="0" role="group" aria-label={ "Figure " (figure(index)) } {
                            img src=(plate.picture.uri()) alt=(plate.description) width=(plate.picture.width())
                                height=(plate.picture.height()) style={ "--width:" (plate.picture.width()) };
                        }
                        figcaption { b { "Figure " (figure(index)) } " (" (plate.name) "). " (plate.caption) }
                    }
                }
                @if !self.summary.is_empty() {
                    h3 { "In numbers" }
                    div.scroll tabindex="0" role="group" aria-label="Summary" { pre { (self.summary.trim_end()) } }
                }
                @if !self.results.rows().is_empty() || !self.tables.is_empty() {
                    h3 { "Tables" }
                    p.note { "Numbers are shown to six digits; the files of the run have all." }
                    @if !self.results.rows().is_empty() { (Grid::new("key figures", &self.results).markup()) }
                    @for (name, table) in &self.tables { (Grid::new(name, table).markup()) }
                }
                h3 { "Parameters" }
                details open[self.parameters.lines().count() <= SHORT_PARAMETERS] {
                    summary { "config.toml, for " code { "--config" } }
                    div.scroll tabindex="0" role="group" aria-label="Parameters" { pre { (self.parameters.trim_end()) } }
                }
                h3 { "How it came about" }
                table.facts {
                    tbody {
                        @for (name, value) in &self.provenance { tr { th scope="row" { (name) } td { (value) } } }
                    }
                }
                (Grid::new("hashes of the files", &self.hashes).folded().markup())
            }
        }
    }
}
