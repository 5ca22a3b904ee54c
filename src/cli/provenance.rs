//! How an output came about: what the program writes into every file beside the parameters.

use std::path::Path;

use attractor::Result;
use attractor::storage::{Description, hash_file};

use super::inputs::shards_in;

/// The entries that say how an output came about: the command line and the hash of each input.
pub fn provenance(inputs: &[(&str, &Path)]) -> Result<Description> {
    let mut description = Description::new();
    description.insert("command".into(), command_line());
    for (name, path) in inputs {
        description.insert((*name).into(), path.display().to_string());
        description.insert(format!("{name}_blake3"), hash_of(path)?);
    }
    Ok(description)
}

/// The hash of a file; of a folder of shards that of the hashes of its files.
pub fn hash_of(path: &Path) -> Result<String> {
    if !path.is_dir() {
        return hash_file(path);
    }
    let mut hasher = blake3::Hasher::new();
    for shard in shards_in(path)? {
        hasher.update(hash_file(&shard)?.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The command line as the user gave it.
pub fn command_line() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("attractor".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
