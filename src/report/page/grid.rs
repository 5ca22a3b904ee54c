//! [`Grid`]: a table on the page, folded if long, with numbers set as numbers.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::storage::Table;

/// Longer tables are folded, and printed up to here (as the style has it too).
const SHORT: usize = 30;
/// Tables of more columns are printed smaller.
const WIDE: usize = 12;
/// Digits of a number that are shown.
const DIGITS: usize = 6;

/// A table and how it is shown.
pub(super) struct Grid<'a> {
    name: &'a str,
    table: &'a Table,
    open: bool,
}

impl<'a> Grid<'a> {
    /// A table of this name.
    pub(super) fn new(name: &'a str, table: &'a Table) -> Self {
        Self { name, table, open: table.rows().len() <= SHORT }
    }

    /// The same, folded whatever its length.
    pub(super) fn folded(self) -> Self {
        Self { open: false, ..self }
    }

    pub(super) fn markup(&self) -> Markup {
        let (columns, rows) = (self.table.columns(), self.table.rows());
        let numeric: Vec<bool> = (0..columns.len()).map(|column| is_numeric(rows, column)).collect();
        let class = |column: usize| numeric.get(column).is_some_and(|&is| is).then_some("n");
        let size = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        html! {
            details open[self.open] {
                summary { (self.name) ": " (size(rows.len(), "row")) ", " (size(columns.len(), "column")) }
                @if rows.len() > SHORT { p.printed { "The first " (SHORT) " of " (rows.len()) " rows." } }
                div.scroll tabindex="0" role="group" aria-label=(self.name) {
                    table.sortable.wide[columns.len() > WIDE] {
                        thead {
                            tr {
                                @for (column, name) in columns.iter().enumerate() { th scope="col" class=[class(column)] { (name) } }
                            }
                        }
                        tbody {
                            @for row in rows {
                                tr {
                                    @for (column, cell) in row.iter().enumerate() {
                                        td class=[class(column)] { (shown(cell, class(column).is_some())) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether all cells of a column that are not empty are numbers, and one is.
fn is_numeric(rows: &[Vec<String>], column: usize) -> bool {
    let mut cells = rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
    cells.peek().is_some() && cells.all(|cell| cell.parse::<f64>().is_ok())
}

/// A cell; of a number with a fraction six significant digits. Whole numbers, such as seeds and counts, keep all of theirs.
fn shown(cell: &str, is_number: bool) -> Cow<'_, str> {
    if !is_number || !cell.contains(['.', 'e', 'E']) {
        return Cow::Borrowed(cell);
    }
    let Ok(value) = cell.parse::<f64>() else { return Cow::Borrowed(cell) };
    let rounded = format!("{value:.*e}", DIGITS - 1);
    let Ok(short) = rounded.parse::<f64>() else { return Cow::Borrowed(cell) };
    let is_plain = short == 0.0 || (1e-4..1e7).contains(&short.abs());
    Cow::Owned(if is_plain { short.to_string() } else { format!("{short:e}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_whole_numbers_whole() {
        for (cell, expected) in [
            ("0.3333333333333333", "0.333333"),
            ("-1234567.891", "-1234570"),
            ("0.000000000012345678", "1.23457e-11"),
            ("12345678901234567890", "12345678901234567890"),
            ("0.0", "0"),
            ("2.5", "2.5"),
            ("NaN", "NaN"),
            ("1e400", "inf"),
            ("", ""),
        ] {
            assert_eq!(shown(cell, true), expected, "{cell}");
        }
        assert_eq!(shown("0.1234567890 of all", false), "0.1234567890 of all");
    }

    #[test]
    fn a_column_is_numeric_if_all_that_is_there_is_a_number() {
        let rows = [["1", "a", "", "1"], ["", "2", "", "x"], ["-inf", "3", "", "2"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(
            [0, 1, 2, 3, 4].map(|column| is_numeric(&rows, column)),
            [true, false, false, false, false]
        );
    }
}
