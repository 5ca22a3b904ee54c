//! Published curves that come with the program: tables of curve, x and y.

use std::path::Path;

use crate::error::{Error, Result};
use crate::storage::Table;

/// A published point: its curve, x and y.
pub(super) type PublishedPoint = (String, f64, f64);

/// The points of a table that was compiled in from `path`.
pub(super) fn published(path: &str, content: &[u8]) -> Result<Vec<PublishedPoint>> {
    let bad = |found: &str| Error::format(Path::new(path), "curve, x and y", found);
    let table = Table::parse(content).map_err(|error| bad(&error.to_string()))?;
    let point = |row: &Vec<String>| match &row[..] {
        [curve, x, y] => {
            let number = |text: &str| text.parse::<f64>().map_err(|_| bad(text));
            Ok((curve.clone(), number(x)?, number(y)?))
        }
        _ => Err(bad(&row.join(","))),
    };
    table.rows().iter().map(point).collect()
}
