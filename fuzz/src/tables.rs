//! Tables with a header.

use attractor::storage::{Overwrite, Table};

use super::{Folder, accepted};

pub(super) fn table(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input.csv", content);
    let Some(found) = accepted(&path, Table::read(&path)) else { return };
    assert!(found.rows().iter().all(|row| row.len() == found.columns().len()));
    let copy = folder.path("copy.csv");
    found.write(&copy, Overwrite::Refuse).unwrap();
    assert_eq!(Table::read(&copy).unwrap(), found);
}
