//! A generation: couplings of one epoch, and what the next step needs beside them; in memory, or in two files of a run's folder.
//!
//! `generation-X.safetensors` is a file of couplings like any other; `state-X.safetensors` holds J before the last step and
//! coefficients, where there are any. A file counts for nothing before the run says that it is complete.

use std::path::Path;

use super::super::pseudo_likelihood::Rows;
use crate::couplings::{Couplings, PanelRows, RowRange};
use crate::error::Result;
use crate::execution::{Array, Memory};
use crate::kernels::{LANES, Lanes};
use crate::storage::{DType, InPlace, Layout, Synced, remove_file};

/// What there is of a generation.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) n_spins: usize,
    pub(super) rows: RowRange,
    pub(super) has_theta: bool,
    /// J before the last step.
    pub(super) has_before: bool,
    /// Coefficients of this number of patterns.
    pub(super) n_coefficients: Option<usize>,
}

/// Which of the two generations a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Slot {
    A,
    B,
}

impl Slot {
    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The name of the file of its couplings.
    pub(super) fn couplings(self) -> String {
        self.file("generation")
    }

    fn file(self, what: &str) -> String {
        let slot = match self {
            Self::A => "a",
            Self::B => "b",
        };
        format!("{what}-{slot}.safetensors")
    }
}

/// J, with momentum J before the last step, and on the Gram route the coefficients that J is made from.
pub(super) struct Generation {
    pub(super) couplings: Couplings,
    pub(super) before: Option<Couplings>,
    pub(super) coefficients: Option<Array<Lanes<f32>>>, // [panel][mu][16]
    state: Option<InPlace>,
}

impl Shape {
    /// Bytes of one generation.
    pub(super) fn bytes(&self) -> u64 {
        let values = self.rows.len() as u64 * self.n_spins as u64;
        let matrices = if self.has_before { 2 } else { 1 };
        let coefficients =
            self.n_coefficients.unwrap_or(0) * self.rows.panels().len() * size_of::<Lanes<f32>>();
        4 * values * matrices + coefficients as u64
    }

    fn n_lanes(&self) -> Option<usize> {
        self.n_coefficients.map(|n_patterns| self.rows.panels().len().saturating_mul(n_patterns))
    }

    /// The tensors of the second file.
    fn state(&self) -> Vec<Layout<'static>> {
        let tensor = |name, shape: &[usize]| Layout { name, dtype: DType::F32, shape: shape.to_vec() };
        let (n, n_rows, panels) = (self.n_spins, self.rows.len(), self.rows.panels().len());
        let coefficients = self.n_coefficients.map(|p| tensor("coefficients", &[panels, p, LANES]));
        let before = self.has_before.then(|| tensor("J_before", &[n_rows, n]));
        let theta = (self.has_before && self.has_theta).then(|| tensor("theta_before", &[n_rows]));
        coefficients.into_iter().chain(before).chain(theta).collect()
    }
}

impl Generation {
    /// Zeros in memory, as far as its budget goes.
    pub(super) fn new(shape: Shape, memory: &Memory) -> Result<Self> {
        let matrix = || {
            let zeros = Couplings::zero_rows(shape.n_spins, shape.rows, memory)?;
            if shape.has_theta { zeros.with_theta(vec![0.0; shape.rows.len()]) } else { Ok(zeros) }
        };
        let coefficients = shape.n_lanes().map(|len| memory.zeros(len, "coefficients of the patterns"));
        Ok(Self {
            couplings: matrix()?,
            before: shape.has_before.then(matrix).transpose()?,
            coefficients: coefficients.transpose()?,
            state: None,
        })
    }

    /// Zeros in new files of `folder`.
    pub(super) fn create(shape: Shape, folder: &Path, slot: Slot) -> Result<Self> {
        let couplings =
            Couplings::create(&folder.join(slot.couplings()), shape.n_spins, shape.rows, shape.has_theta)?;
        let state = |tensors: &[_]| InPlace::create(&folder.join(slot.file("state")), STATE, tensors, ROOM);
        Self::in_files(shape, couplings, state)
    }

    /// Those that files of `folder` hold.
    pub(super) fn open(shape: Shape, folder: &Path, slot: Slot) -> Result<Self> {
        let couplings =
            Couplings::resume(&folder.join(slot.couplings()), shape.n_spins, shape.rows, shape.has_theta)?;
        let state = |tensors: &[_]| InPlace::open(&folder.join(slot.file("state")), STATE, tensors, ROOM);
        Self::in_files(shape, couplings, state)
    }

    /// Couplings in their file, and what `state` makes of the tensors of the second file, if there are any.
    fn in_files(
        shape: Shape,
        couplings: Couplings,
        state: impl FnOnce(&[Layout<'static>]) -> Result<InPlace>,
    ) -> Result<Self> {
        let tensors = shape.state();
        let state = (!tensors.is_empty()).then(|| state(&tensors)).transpose()?;
        let (mut before, mut coefficients) = (None, None);
        if let Some(state) = &state {
            if shape.has_before {
                let rows = Couplings::from_array(shape.n_spins, shape.rows, state.array("J_before")?);
                before = Some(match shape.has_theta {
                    true => {
                        let theta = state.array::<f32>("theta_before")?.to_vec();
                        rows.with_theta(theta).map_err(|error| error.in_file(state.path()))?
                    }
                    false => rows,
                });
            }
            if shape.n_coefficients.is_some() {
                coefficients = Some(state.array("coefficients")?);
            }
        }
        Ok(Self { couplings, before, coefficients, state })
    }

    /// Whether it is in files of the run.
    pub(super) fn is_on_disk(&self) -> bool {
        self.couplings.are_at_home()
    }

    /// Puts its files on disk, complete; nothing where there are none.
    pub(super) fn flush(&self) -> Result<()> {
        if let Some(state) = &self.state {
            if let Some(theta) = self.before.as_ref().and_then(Couplings::theta) {
                state.write("theta_before", theta)?;
            }
            state.complete(&Default::default(), false)?;
        }
        self.couplings.flush()
    }

    /// Makes its files no containers until they are [flushed](Self::flush): what is half written is not to be read.
    pub(super) fn take_headers(&self) -> Result<()> {
        self.state.as_ref().map_or(Ok(()), InPlace::take_header)?;
        self.couplings.take_header()
    }

    /// The files that panels are written into.
    pub(super) fn synced(&self) -> Result<Synced> {
        let state = self.state.as_ref().map(InPlace::synced).transpose()?;
        let files = self.couplings.synced()?.into_iter().chain(state);
        Ok(Synced(files.collect()))
    }

    /// A hash that holds all its values together with what they are the `state` of. The headers of its files are not in it: they
    /// are written anew where a generation becomes the output.
    pub(super) fn hash(&self, state: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(state.as_bytes());
        for couplings in std::iter::once(&self.couplings).chain(&self.before) {
            hasher.update(bytemuck::cast_slice(couplings.values()));
            hasher.update(bytemuck::cast_slice(couplings.theta().unwrap_or_default()));
        }
        hasher.update(bytemuck::cast_slice(self.coefficients.as_deref().unwrap_or_default()));
        hasher.finalize().to_hex().to_string()
    }

    /// Takes over one of the same shape.
    pub(super) fn copy_from(&mut self, other: &Generation) {
        self.couplings.copy_from(&other.couplings);
        if let (Some(target), Some(source)) = (&mut self.before, &other.before) {
            target.copy_from(source);
        }
        if let (Some(target), Some(source)) = (&mut self.coefficients, &other.coefficients) {
            target.copy_from_slice(source);
        }
    }

    /// A panel's rows and theta.
    pub(super) fn rows(&self, index: usize) -> Rows<'_> {
        (self.couplings.panel(index), self.couplings.panel_theta(index))
    }

    /// Those before the last step, with momentum.
    pub(super) fn rows_before(&self, index: usize) -> Option<Rows<'_>> {
        self.before.as_ref().map(|before| (before.panel(index), before.panel_theta(index)))
    }

    /// The panels of J with their numbers, each with that before the last step, for writers.
    pub(super) fn panels_mut(
        &mut self,
    ) -> impl Iterator<Item = (usize, PanelRows<'_>, Option<PanelRows<'_>>)> + Send {
        let mut before = self.before.as_mut().map(Couplings::panels_mut);
        self.couplings.panels_mut().map(move |(panel, rows)| {
            let before = before.as_mut().and_then(Iterator::next);
            (panel, rows, before.map(|(_, before)| before))
        })
    }

    /// The panels of J with their numbers and coefficients, where there are any, for writers.
    pub(super) fn spans_mut(
        &mut self,
    ) -> impl Iterator<Item = ((usize, PanelRows<'_>), &mut [Lanes<f32>])> + Send {
        let n_panels = self.couplings.row_range().panels().len();
        let coefficients = self.coefficients.as_deref_mut().unwrap_or_default();
        let n_patterns = (coefficients.len() / n_panels).max(1);
        self.couplings.panels_mut().zip(coefficients.chunks_exact_mut(n_patterns))
    }

    /// Removes the files of a generation that nobody needs.
    pub(super) fn remove(folder: &Path, slot: Slot) -> Result<()> {
        remove_file(&folder.join(slot.couplings()))?;
        remove_file(&folder.join(slot.file("state")))
    }
}

/// What the second file says it is.
const STATE: &str = "training state";
/// Bytes of its header.
const ROOM: usize = 4096;
