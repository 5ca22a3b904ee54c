//! The file of couplings: a container of kind "couplings" with `J` F32 [N, N] row-major, `theta` F32 [N] where neurons have
//! fields of their own, and in the metadata `scale` of both and `self_coupling` = "true" if the diagonal may differ from
//! zero.

use std::path::Path;
use std::sync::Mutex;

use super::matrix::{Couplings, fault_expected, first_fault};
use super::panel::{n_panels, panel_rows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::{Container, DType, Overwrite, Tensor, write_container};

/// What the container says it is.
const KIND: &str = "couplings";
/// The entry of couplings whose diagonal may differ from zero.
const SELF_COUPLING: &str = "self_coupling";

impl Couplings {
    /// Maps couplings from a file, after reading them once to check that they are finite, with a zero diagonal unless the
    /// file declares self-coupling.
    ///
    /// The file must not be shortened while the couplings are in use.
    ///
    /// # Errors
    /// If the file is no container of couplings, is truncated, or holds a faulty value.
    pub fn open(path: &Path, execution: &Execution) -> Result<Self> {
        let container = Container::open(path, KIND)?;
        let (shape, values) = container.values::<f32>("J", DType::F32, 2)?;
        let n_spins = shape[0];
        if shape[1] != n_spins || n_spins == 0 {
            return Err(Error::format(
                path,
                "J of shape [N, N] with N at least 1",
                format!("shape {shape:?}"),
            ));
        }
        let scale: f64 = container.entry("scale", "a finite positive number")?;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::format(path, "a finite positive scale", scale.to_string()));
        }
        let self_coupling = match container.description().get(SELF_COUPLING).map(String::as_str) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(Error::format(path, "self_coupling of true or false", other)),
        };
        let fault = Mutex::new(None);
        let check = |(): &mut (), panel: usize| {
            let rows = panel_rows(panel, n_spins);
            let rows_of_panel = &values[rows.start * n_spins..rows.end * n_spins];
            let found = first_fault(n_spins, rows.start, rows_of_panel, self_coupling);
            if let Some(found) = found {
                let mut first = fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                // The lowest index, whichever thread comes first.
                if first.is_none_or(|(i, j, _)| (found.0, found.1) < (i, j)) {
                    *first = Some(found);
                }
            }
            Ok(())
        };
        execution.for_each(0..n_panels(n_spins), || (), check)?;
        if let Some((i, j, value)) = fault.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err(Error::format(
                path,
                format!("{} at J[{i}, {j}]", fault_expected(i, j, self_coupling)),
                value.to_string(),
            ));
        }
        let theta = match container.has("theta") {
            true => Some(container.values::<f32>("theta", DType::F32, 1)?.1.to_vec()),
            false => None,
        };
        let description = container.description().clone();
        let Some((map, range)) = container.into_mapped("J") else {
            unreachable!("the tensor was read above");
        };
        let couplings = Self::mapped(n_spins, map, range, scale, self_coupling, description);
        match theta {
            Some(theta) => couplings.with_theta(theta).map_err(|error| error.in_file(path)),
            None => Ok(couplings),
        }
    }

    /// Writes the couplings atomically, with their description and scale.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written; if a coupling is not finite, or
    /// one on the diagonal is not 0 without self-coupling.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        // What could not be read again is not written.
        let self_coupling = self.has_self_coupling();
        if let Some((i, j, value)) = first_fault(self.n_spins(), 0, self.values(), self_coupling) {
            let expected = fault_expected(i, j, self_coupling);
            return Err(Error::shape(format!("coupling ({i}, {j})"), expected, value.to_string()));
        }
        let mut description = self.description().clone();
        description.insert("scale".into(), self.scale().to_string());
        description.insert("n".into(), self.n_spins().to_string());
        match self_coupling {
            true => description.insert(SELF_COUPLING.into(), "true".into()),
            false => description.remove(SELF_COUPLING),
        };
        let tensor = Tensor::f32("J", &[self.n_spins(), self.n_spins()], self.values());
        let theta = self.theta().map(|theta| Tensor::f32("theta", &[theta.len()], theta));
        let tensors: Vec<_> = std::iter::once(tensor).chain(theta).collect();
        write_container(path, KIND, &description, &tensors, overwrite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_couplings_equal_the_written_ones() {
        let execution = Execution::with_threads(2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("J.safetensors");
        let n = 37;
        let rows: Vec<f32> =
            (0..n * n).map(|x| if x % (n + 1) == 0 { 0.0 } else { x as f32 - 600.0 }).collect();
        let theta: Vec<f32> = (0..n).map(|i| i as f32 - 3.5).collect();
        let couplings = Couplings::from_rows(n, rows).unwrap().with_scale(1.0 / n as f64).unwrap();
        let couplings = couplings.with_theta(theta).unwrap();
        couplings.write(&path, Overwrite::Refuse).unwrap();
        let mapped = Couplings::open(&path, &execution).unwrap();
        assert_eq!(mapped.values(), couplings.values());
        assert_eq!(mapped.theta(), couplings.theta());
        assert_eq!(mapped.scale().to_bits(), couplings.scale().to_bits());

        let mut bytes = std::fs::read(&path).unwrap();
        // J comes first, theta after it.
        let last = bytes.len() - 4 * n - 8;
        bytes[last..last + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let error = Couplings::open(&path, &execution).unwrap_err().to_string();
        assert!(error.contains("J[36, 35]") && error.contains("NaN"), "{error}");
    }

    #[test]
    fn self_coupling_survives_the_file_and_is_refused_undeclared() {
        let execution = Execution::with_threads(1).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("J.safetensors");
        let plain = Couplings::from_rows(2, vec![0.0, 1.0, 2.0, 0.0]).unwrap();
        let own = plain.with_self_coupling(&[5.0, -6.0]).unwrap();
        own.write(&path, Overwrite::Refuse).unwrap();
        let mapped = Couplings::open(&path, &execution).unwrap();
        assert!(mapped.has_self_coupling() && mapped.clone().has_self_coupling());
        assert_eq!(mapped.values(), [5.0, 1.0, 2.0, -6.0]);
        assert_eq!(mapped.description()[SELF_COUPLING], "true");

        // The same length, so that only the declaration changes.
        for value in ["none", "null"] {
            let text = format!("\"{SELF_COUPLING}\":\"true\"");
            let bytes = std::fs::read(&path).unwrap();
            let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
            let mut changed = bytes.clone();
            changed[at + text.len() - 5..at + text.len() - 1].copy_from_slice(value.as_bytes());
            let other = folder.path().join(format!("{value}.safetensors"));
            std::fs::write(&other, &changed).unwrap();
            let error = Couplings::open(&other, &execution).unwrap_err().to_string();
            assert!(error.contains("true or false") && error.contains(value), "{error}");
            // An entry of another name declares nothing.
            changed = bytes;
            changed[at + 1] = b'S';
            std::fs::write(&other, &changed).unwrap();
            let error = Couplings::open(&other, &execution).unwrap_err().to_string();
            assert!(error.contains("0 on the diagonal at J[0, 0]"), "{error}");
        }
    }
}
