//! Panels of J that are written into files and logged as they are finished; fields of their neurons go into the log.

use serde_json::Value;

use crate::couplings::PanelRows;
use crate::error::Result;
use crate::kernels::{LANES, Lanes};
use crate::storage::{Synced, TaskLog};

/// The log of the panels of a run, or none: then nothing is ever found or remembered.
pub(super) struct PanelLog(Option<(TaskLog, Synced)>);

/// Fields of a panel and those before the last step, to the bit, and what else is to be remembered of it.
type Record = (Option<[u32; LANES]>, Option<[u32; LANES]>, Value);

impl PanelLog {
    /// A log, and the files that it speaks of.
    pub(super) fn new(log: Option<(TaskLog, Synced)>) -> Self {
        Self(log)
    }

    /// Whether there is one.
    pub(super) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// What was remembered of a panel that is finished, whose fields are then restored.
    pub(super) fn restore(
        &self,
        panel: usize,
        rows: &mut PanelRows<'_>,
        before: Option<&mut PanelRows<'_>>,
        coefficients: &[Lanes<f32>],
    ) -> Option<Value> {
        let (log, _) = self.0.as_ref()?;
        let found = log.result(panel, &data(rows, before.as_deref(), coefficients))?;
        let (theta, theta_before, result): Record = serde_json::from_value(found.clone()).ok()?;
        let lanes = |bits: Option<[u32; LANES]>| bits.map(|bits| Lanes(bits.map(f32::from_bits)));
        rows.set_theta(lanes(theta).as_ref());
        if let Some(before) = before {
            before.set_theta(lanes(theta_before).as_ref());
        }
        Some(result)
    }

    /// Remembers a finished panel, and `result` of it.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn finished(
        &self,
        panel: usize,
        rows: &PanelRows<'_>,
        before: Option<&PanelRows<'_>>,
        coefficients: &[Lanes<f32>],
        result: Value,
    ) -> Result<()> {
        let Some((log, synced)) = &self.0 else { return Ok(()) };
        let bits = |rows: &PanelRows<'_>| rows.theta_lanes().map(|lanes| lanes.0.map(f32::to_bits));
        let record: Record = (bits(rows), before.and_then(bits), result);
        log.finished(panel, &data(rows, before, coefficients), serde_json::json!(record), synced)
    }

    /// Writes down what has been finished, after an interruption too.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn commit(&self) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |(log, synced)| log.commit(synced))
    }
}

/// What a panel leaves in files.
fn data<'d>(
    rows: &'d PanelRows<'_>,
    before: Option<&'d PanelRows<'_>>,
    coefficients: &'d [Lanes<f32>],
) -> [&'d [u8]; 3] {
    let before = before.map_or(&[][..], |before| bytemuck::cast_slice(before.values));
    [bytemuck::cast_slice(rows.values), before, bytemuck::cast_slice(coefficients)]
}
