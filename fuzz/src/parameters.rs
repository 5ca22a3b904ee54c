//! Parameters of experiments.

use attractor::Error;
use attractor::experiments::{Experiment, Options, Variation};
use attractor::storage::Overwrite;

use super::Folder;

/// As the file of `--config`, for every experiment: what is accepted comes back as it is from what is written of it, and an error
/// names the file or the parameter.
pub(super) fn parameters(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input.toml", content);
    let read = |experiment: &Experiment, config| {
        let variation = Variation { config: Some(config), ..Variation::default() };
        experiment.parameters(&Options { variation, ..Options::new(folder.path("run"), Overwrite::Refuse) })
    };
    for experiment in &Experiment::ALL {
        match read(experiment, path.clone()) {
            Ok(text) => {
                let copy = folder.file("copy.toml", text.as_bytes());
                assert_eq!(read(experiment, copy).unwrap(), text, "{}", experiment.name);
            }
            Err(Error::Parameter { name, .. }) => assert!(!name.is_empty()),
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains(&*path.to_string_lossy()), "no file in the message: {message}");
            }
        }
    }
}
