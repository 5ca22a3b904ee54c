//! Pictures of results: curves ([`Figure`]) and spin states ([`Montage`], [`half_blocks`]).
//!
//! A figure is described in the field's terms - panels, axes, named series - and drawn by `kuva`, which no other module
//! knows. The module knows [`spins`](crate::spins) and errors, and nothing of where numbers come from. Same input, same
//! bytes: no clock, no random layout, no fonts of the machine (PNG text is set in an embedded DejaVu Sans).
//!
//! Labels are Unicode (`α`, `λ′`, `⟨m⟩`); between dollar signs LaTeX-like names are translated (`$\alpha$`).

mod axes;
mod canvas;
mod cells;
mod compose;
mod figure;
mod legend;
mod marks;
mod montage;
mod page;
mod palette;
mod panel;
mod scale;

pub use cells::log_edges;
pub use figure::Figure;
pub use montage::{Montage, half_blocks};
pub use page::{Chapter, Embedded, Page, Plate};
pub use palette::Color;
pub use panel::{Axis, Cell, Panel, Position, ReferenceLine, Scale, Series, Spread, Style};
