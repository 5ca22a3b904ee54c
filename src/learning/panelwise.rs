//! Couplings whose panels are learned once each: where a run keeps what it has finished, they are written into a file of its
//! folder, and a run that was killed goes on with the panels that are missing.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::panel_log::PanelLog;
use crate::couplings::{Couplings, PanelRows, RowRange};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::{Synced, TaskLog};

/// The couplings under way.
const FILE: &str = "couplings.safetensors";
/// Their panels that are finished.
const LOG: &str = "panels.jsonl";

/// Takes `couplings`, panel by panel, from what they are to what `work` makes of them, and returns what else it finds of each
/// panel. `run` is a hash of all that the result depends on. Progress advances by 1 a panel, of a stage begun by the caller.
///
/// # Errors
/// The first of `work`; if interrupted; if the disk refuses. Finished panels are kept all the same.
pub(super) fn learn_panels<S, R: Serialize + DeserializeOwned + Send>(
    mut couplings: Couplings,
    run: &str,
    execution: &Execution,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, &mut PanelRows<'_>) -> Result<R> + Sync,
) -> Result<(Couplings, Vec<R>)> {
    let (mut kept, log) = match execution.keep() {
        None => (None, PanelLog::new(None)),
        Some(keep) => {
            let path = keep.folder().join(FILE);
            let kept = file(&path, &couplings)?;
            let log = TaskLog::open(keep, LOG, &json!({ "run": run }))?;
            let synced = Synced(kept.synced()?.into_iter().collect());
            (Some(kept), PanelLog::new(Some((log, synced))))
        }
    };
    let n_panels = couplings.row_range().panels().len();
    let mut results: Vec<Option<R>> = std::iter::repeat_with(|| None).take(n_panels).collect();
    let learned = match &mut kept {
        None => {
            let tasks = couplings.panels_mut().zip(&mut results);
            execution.for_each(tasks, scratch, |scratch, ((panel, mut rows), result)| {
                *result = Some(work(scratch, panel, &mut rows)?);
                execution.progress().advance(1);
                Ok(())
            })
        }
        Some(kept) => {
            let first = &couplings;
            let tasks = kept.panels_mut().zip(&mut results);
            execution.for_each(tasks, scratch, |scratch, ((panel, mut rows), result)| {
                let found = log.restore(panel, &mut rows, None, &[]);
                *result = found.and_then(|found| serde_json::from_value(found).ok());
                if result.is_none() {
                    rows.values.copy_from_slice(first.panel(panel));
                    rows.set_theta(first.panel_theta(panel).as_ref());
                    let learned = work(scratch, panel, &mut rows)?;
                    log.finished(panel, &rows, None, &[], json!(learned))?;
                    *result = Some(learned);
                }
                execution.progress().advance(1);
                Ok(())
            })
        }
    };
    log.commit().and(learned)?;
    let scale = couplings.scale();
    let mut learned = kept.unwrap_or(couplings);
    learned.set_scale(scale);
    Ok((learned, results.into_iter().flatten().collect()))
}

/// Whether `folder` holds panels of a rule that learns in one go.
pub(super) fn has_log(folder: &Path) -> bool {
    folder.join(LOG).exists()
}

/// Zeros for couplings that a rule learns in one go: in memory, or, where they do not fit, in a file of the run's folder, which needs
/// no copy to become the output.
pub(super) fn room_for_couplings(n_spins: usize, rows: RowRange, execution: &Execution) -> Result<Couplings> {
    let n_bytes = (rows.len() as u64).saturating_mul(n_spins as u64).saturating_mul(4);
    match execution.keep() {
        Some(keep) if n_spins > 0 && !execution.memory().holds(n_bytes) => {
            Couplings::create(&keep.folder().join(FILE), n_spins, rows, false)
        }
        _ => Couplings::zero_rows(n_spins, rows, execution.memory()),
    }
}

/// The file under way for couplings like these: what a run left, or a new one.
fn file(path: &Path, couplings: &Couplings) -> Result<Couplings> {
    let (n_spins, rows) = (couplings.n_spins(), couplings.row_range());
    let has_theta = couplings.theta().is_some();
    match Couplings::resume(path, n_spins, rows, has_theta) {
        Err(Error::Io { .. } | Error::Format { .. }) => Couplings::create(path, n_spins, rows, has_theta),
        resumed => resumed,
    }
}
