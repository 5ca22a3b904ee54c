//! Parameters of experiments: TOML files that come with the program, and what a caller varies of them.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Options;
use crate::error::{Error, Result};

/// What a caller varies of an experiment's parameters.
#[derive(Clone, Debug, Default)]
pub struct Variation {
    /// TOML file with some of them, such as the `config.toml` of an earlier run.
    pub config: Option<PathBuf>,
    /// Single ones, "key = value" as in TOML, after those of the file; the last of a key counts.
    pub set: Vec<String>,
    /// Number of samples of every point, after all others.
    pub n_samples: Option<u32>,
}

/// The parameters that come with the program, but for the seed.
#[derive(Clone, Copy)]
pub(super) struct Shipped {
    /// All of them.
    pub(super) full: &'static str,
    /// Those in which the small version differs.
    pub(super) quick: &'static str,
    /// Keys that may be left out, beside those that are there.
    pub(super) optional: &'static [&'static str],
}

/// Parameters of an experiment.
pub(super) trait Parameters: Serialize + DeserializeOwned {
    /// Those that come with the program.
    const SHIPPED: Shipped;

    /// Refuses what is out of range and no part of the run refuses.
    ///
    /// # Errors
    /// Says what was expected.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Makes it so many samples of every point.
    fn set_samples(parameters: &mut Table, n_samples: u32) {
        parameters.insert("n_samples".to_owned(), Value::Integer(n_samples.into()));
    }

    /// Those that come with the program.
    ///
    /// # Panics
    /// If they are no such parameters: a test reads them all.
    #[allow(clippy::expect_used, reason = "they are part of the program")]
    fn shipped(quick: bool, seed: u64) -> Self {
        let table = shipped_table(Self::SHIPPED, quick, seed).expect("parameters in TOML");
        Value::Table(table).try_into().expect("parameters of the experiment")
    }

    /// Those that come with the program, varied by `options`.
    ///
    /// # Errors
    /// If the file cannot be read, a key is not one of the experiment's, or a value is of another type or out of range.
    fn varied(options: &Options) -> Result<Self> {
        let Shipped { optional, .. } = Self::SHIPPED;
        let mut table = shipped_table(Self::SHIPPED, options.quick, options.seed)?;
        if let Some(path) = &options.variation.config {
            let text = std::fs::read_to_string(path).map_err(Error::io(path, "read"))?;
            let overlay = parse(&text).map_err(|found| Error::format(path, "TOML", found))?;
            let wrong = |Wrong { expected, found }| Error::format(path, expected, found);
            merge(&mut table, overlay, optional).map_err(wrong)?;
        }
        for text in &options.variation.set {
            let overlay = assignment(text)?;
            let wrong = |Wrong { expected, found }| Error::parameter("set", expected, found);
            merge(&mut table, overlay, optional).map_err(wrong)?;
        }
        if let Some(n_samples) = options.variation.n_samples {
            if n_samples == 0 {
                return Err(Error::parameter("samples", "at least 1", 0));
            }
            Self::set_samples(&mut table, n_samples);
        }
        let parameters: Self = Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            let found = error.message().trim().to_owned();
            match &options.variation.config {
                Some(path) if options.variation.set.is_empty() => {
                    Error::format(path, "parameters of this experiment", found)
                }
                _ => Error::parameter("set", "parameters of this experiment", found),
            }
        })?;
        parameters.check()?;
        Ok(parameters)
    }
}

/// The parameters of `options` as TOML.
pub(super) fn resolved<T: Parameters>(options: &Options) -> Result<String> {
    to_toml(&T::varied(options)?)
}

/// As the content of `config.toml`.
pub(super) fn to_toml(parameters: &impl Serialize) -> Result<String> {
    toml::to_string_pretty(parameters).map_err(|error| {
        Error::format(Path::new("config.toml"), "parameters TOML can hold", error.to_string())
    })
}

/// What a parameter should be, and what it is.
struct Wrong {
    expected: String,
    found: String,
}

fn parse(text: &str) -> std::result::Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| error.to_string().trim().to_owned())
}

fn shipped_table(shipped: Shipped, quick: bool, seed: u64) -> Result<Table> {
    let own = |found: String| Error::format(Path::new("parameters"), "TOML", found);
    let mut table = parse(shipped.full).map_err(own)?;
    if quick {
        table.extend(parse(shipped.quick).map_err(own)?);
    }
    let seed = i64::try_from(seed).map_err(|_| {
        Error::parameter("seed", format!("at most {} where it is written as TOML", i64::MAX), seed)
    })?;
    table.insert("seed".to_owned(), Value::Integer(seed));
    Ok(table)
}

/// "key = value"; a value that is no TOML is a text.
fn assignment(text: &str) -> Result<Table> {
    let wrong = || Error::parameter("set", "KEY=VALUE, such as n_samples=3 or loads=[0.1,0.4]", text);
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || value.is_empty() {
        return Err(wrong());
    }
    let quoted = || format!("{key} = {}", Value::String(value.to_owned()));
    parse(&format!("{key} = {value}")).or_else(|_| parse(&quoted())).map_err(|_| wrong())
}

/// Puts `overlay` over `table`.
fn merge(table: &mut Table, overlay: Table, optional: &[&str]) -> std::result::Result<(), Wrong> {
    for (key, value) in overlay {
        let before = table.get(&key);
        if before.is_none() && !optional.contains(&&*key) {
            let mut keys: Vec<&str> =
                table.keys().map(String::as_str).chain(optional.iter().copied()).collect();
            keys.sort_unstable();
            keys.dedup();
            return Err(Wrong { expected: format!("a key among {}", keys.join(", ")), found: key });
        }
        if let Some(before) = before
            && !is_like(&value, before)
        {
            let expected = format!("{key} of type {}, such as {before}", type_of(before));
            return Err(Wrong { expected, found: format!("{value}") });
        }
        table.insert(key, value);
    }
    Ok(())
}

/// Whether a value may stand where `model` stood: of its type, an integer also for a float.
fn is_like(value: &Value, model: &Value) -> bool {
    match (value, model) {
        (Value::Integer(_), Value::Float(_)) => true,
        (Value::Array(values), Value::Array(models)) => match models.first() {
            Some(model) => values.iter().all(|value| is_like(value, model)),
            None => true,
        },
        _ => value.same_type(model),
    }
}

fn type_of(value: &Value) -> String {
    match value {
        Value::Array(values) => match values.first() {
            Some(first) => format!("array of {}", type_of(first)),
            None => "array".to_owned(),
        },
        value => value.type_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Overwrite;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Few {
        n_spins: usize,
        loads: Vec<f64>,
        n_samples: u64,
        law: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        ranks: Option<usize>,
        seed: u64,
    }

    impl Parameters for Few {
        const SHIPPED: Shipped = Shipped {
            full: "n_spins = 1000\nloads = [0.1, 0.4]\nn_samples = 2\nlaw = 'gaussian'",
            quick: "n_spins = 300",
            optional: &["ranks"],
        };

        fn check(&self) -> Result<()> {
            match self.n_spins {
                0 => Err(Error::parameter("n_spins", "at least 1", 0)),
                _ => Ok(()),
            }
        }
    }

    fn options(quick: bool, config: Option<PathBuf>, set: &[&str]) -> Options {
        let set = set.iter().map(|&text| text.to_owned()).collect();
        Options {
            quick,
            seed: 7,
            variation: Variation { config, set, n_samples: None },
            ..Options::new("none", Overwrite::Refuse)
        }
    }

    fn message(options: &Options) -> String {
        Few::varied(options).unwrap_err().to_string()
    }

    #[test]
    fn files_and_single_keys_vary_what_comes_with_the_program() {
        let plain = Few::varied(&options(true, None, &[])).unwrap();
        assert_eq!(plain, Few::shipped(true, 7));
        assert_eq!(
            (plain.n_spins, &*plain.loads, &*plain.law, plain.seed),
            (300, &[0.1, 0.4][..], "gaussian", 7)
        );
        assert_eq!(Few::shipped(false, 7).n_spins, 1000);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.toml");
        std::fs::write(&path, "loads = [1, 2.5]\nn_spins = 50\n").unwrap();
        let set = ["n_spins=60", " n_spins = 70", "law=plus-minus", "ranks=3"];
        let varied = Few::varied(&options(false, Some(path.clone()), &set)).unwrap();
        let expected = Few {
            n_spins: 70,
            loads: vec![1.0, 2.5],
            n_samples: 2,
            law: "plus-minus".into(),
            ranks: Some(3),
            seed: 7,
        };
        assert_eq!(varied, expected);
        // What a run writes is a variation that gives the same run.
        std::fs::write(&path, to_toml(&varied).unwrap()).unwrap();
        assert_eq!(Few::varied(&options(true, Some(path), &[])).unwrap(), varied);
    }

    #[test]
    fn a_number_of_samples_counts_before_all_else() {
        let varied = |n_samples| {
            let mut options = options(false, None, &["n_samples=5"]);
            options.variation.n_samples = n_samples;
            Few::varied(&options)
        };
        assert_eq!(varied(None).unwrap().n_samples, 5);
        assert_eq!(varied(Some(3)).unwrap().n_samples, 3);
        assert!(varied(Some(0)).unwrap_err().to_string().contains("samples: expected at least 1"));
    }

    #[test]
    fn what_is_no_parameter_is_refused_with_what_there_is() {
        let unknown = message(&options(false, None, &["n_spin=3"]));
        assert!(
            unknown.contains("a key among law, loads, n_samples, n_spins, ranks, seed")
                && unknown.contains("found n_spin")
        );
        for (set, expected) in [
            ("n_spins", "KEY=VALUE"),
            ("=3", "KEY=VALUE"),
            ("n_spins=many", "n_spins of type integer, such as 1000"),
            ("n_spins=1.5", "n_spins of type integer"),
            ("loads=0.1", "loads of type array of float"),
            ("loads=['a']", "loads of type array of float"),
            ("n_spins=0", "n_spins: expected at least 1"),
            ("n_spins=-1", "parameters of this experiment"),
        ] {
            let found = message(&options(false, None, &[set]));
            assert!(found.contains(expected), "{set}: {found}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.toml");
        for (content, expected) in [
            ("n_spins = ", "expected TOML"),
            ("nspins = 3", "a key among"),
            ("law = 3", "law of type string"),
        ] {
            std::fs::write(&path, content).unwrap();
            let found = message(&options(false, Some(path.clone()), &[]));
            assert!(found.contains(expected) && found.contains("bad.toml"), "{content}: {found}");
        }
        assert!(message(&options(false, Some("nowhere.toml".into()), &[])).contains("nowhere.toml"));
    }
}
