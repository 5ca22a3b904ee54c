//! The one error type of the library: what was expected, what was found, and in which file.

use std::path::{Path, PathBuf};

/// Result of every fallible library function.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong, in the user's words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("{}: cannot {action}", path.display())]
    Io {
        path: PathBuf,
        /// What was attempted, as a verb phrase: "open", "write the header".
        action: &'static str,
        source: std::io::Error,
    },

    /// A file is not what its reader expects.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Format { path: PathBuf, expected: String, found: String },

    /// A parameter is outside its range.
    #[error("{name}: expected {expected}, found {found}")]
    Parameter { name: &'static str, expected: String, found: String },

    /// Two inputs do not fit together.
    #[error("{what}: expected {expected}, found {found}")]
    Shape { what: String, expected: String, found: String },

    /// The output exists and overwriting was not asked for.
    #[error("{}: expected no file of that name, found one (overwrite it with --force)", path.display())]
    Exists { path: PathBuf },

    /// Training produced couplings that are not finite.
    #[error(
        "training diverged between epochs {last_good_epoch} and {epoch}: expected finite couplings and loss, \
         found {found} (a smaller lr, or lr * l2 below 2, keeps them finite)"
    )]
    Diverged {
        /// The last epoch whose couplings are finite; they are still held by the trainer.
        last_good_epoch: u64,
        epoch: u64,
        found: String,
    },

    /// The caller cancelled the run.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Wraps an I/O error with the file and what was attempted.
    pub fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }

    /// A file whose content is not what was expected.
    pub fn format(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), expected: expected.into(), found: found.into() }
    }

    /// A parameter outside its range.
    pub fn parameter(name: &'static str, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Parameter { name, expected: expected.into(), found: found.to_string() }
    }

    /// The same, of what was read from a file.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Shape { what, expected, found } => Self::format(path, format!("{what}: {expected}"), found),
            Self::Parameter { name, expected, found } => {
                Self::format(path, format!("{name}: {expected}"), found)
            }
            other => other,
        }
    }

    /// Inputs that do not fit together.
    pub fn shape(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Shape { what: what.into(), expected: expected.into(), found: found.into() }
    }
}
