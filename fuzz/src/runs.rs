//! Folders of finished runs, and the pictures in them.

use attractor::experiments::report_of;
use attractor::report::Embedded;

use super::{Folder, accepted};

/// The other files of the run, whose hashes the manifests of the corpus name.
const FILES: [(&str, &[u8]); 3] = [
    ("config.toml", b"seed = 1\n"),
    ("table.csv", b"load\n0.5\n"),
    ("figure.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='2' height='1'/>\n"),
];

/// `content` as the manifest of a run.
pub(super) fn manifest(content: &[u8]) {
    let folder = Folder::new();
    for (name, content) in FILES {
        folder.file(name, content);
    }
    folder.file("manifest.json", content);
    let path = folder.path("");
    let Some(page) = accepted(&path, report_of(std::slice::from_ref(&path), None)) else { return };
    // Whatever the texts are, what is run is the page's own.
    assert_eq!(page.html().matches("<script").count(), 1);
}

pub(super) fn picture(content: &[u8]) {
    for read in [Embedded::svg, Embedded::png] {
        assert!(read(content).is_ok() || read(content).is_err_and(|found| !found.is_empty()));
    }
}
