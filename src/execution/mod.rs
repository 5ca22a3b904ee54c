//! What a computation runs on: the caller's threads, instruction set, memory, progress sink and cancel handle, and the folder
//! where it keeps what it has finished.

mod keep;
mod memory;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rayon::ThreadPool;

use crate::error::{Error, Result};
use crate::kernels::Isa;

pub use keep::Keep;
pub use memory::Memory;
pub(crate) use memory::{Array, Grant, reserve};

/// Receives progress. Calls come from any thread of the pool.
pub trait Progress: Send + Sync {
    /// A stage of `total` units begins; `what` names it for the user.
    fn begin(&self, what: &str, total: u64);
    /// `units` more are done.
    fn advance(&self, units: u64);
    /// The stage is over.
    fn end(&self);
    /// A sentence worth showing, such as a loss that rises.
    fn note(&self, message: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn note(&self, _: &str) {}
}

/// Shows only notes, and of what they are, for what runs beside others: stages of several would mix.
struct NotesAlone {
    shown: Arc<dyn Progress>,
    of: String,
}

impl Progress for NotesAlone {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn note(&self, message: &str) {
        self.shown.note(&format!("{}: {message}", self.of));
    }
}

/// Asks a running computation to stop at its next safe point. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    /// The handle of the computation that this one is a part of.
    whole: Option<Arc<Cancel>>,
}

impl Cancel {
    /// Asks to stop.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// The flag itself, for a signal handler that can only set a flag.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Whether someone asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed) || self.whole.as_ref().is_some_and(|whole| whole.is_cancelled())
    }

    /// One for parts of the computation: they stop when it does, or alone.
    fn of_parts(&self) -> Self {
        Self { flag: Arc::default(), whole: Some(Arc::new(self.clone())) }
    }
}

/// Threads, instruction set, memory, progress sink and cancel handle of a computation, and where it keeps what it has finished.
/// Results depend on none of them.
pub struct Execution {
    pool: Arc<ThreadPool>,
    isa: Isa,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
    memory: Memory,
    keep: Option<Keep>,
}

impl Execution {
    /// Runs on `pool` with the instruction set `isa`, showing nothing.
    ///
    /// # Errors
    /// If this processor cannot run `isa`.
    pub fn new(pool: Arc<ThreadPool>, isa: Isa) -> Result<Self> {
        if !isa.is_available() {
            let available: Vec<_> = Isa::available().map(Isa::name).collect();
            return Err(Error::parameter(
                "instruction set",
                format!("one of {}", available.join(", ")),
                isa.name(),
            ));
        }
        Ok(Self {
            pool,
            isa,
            progress: Arc::new(Silent),
            cancel: Cancel::default(),
            memory: Memory::unlimited(),
            keep: None,
        })
    }

    /// A pool of `n_threads` of its own and the fastest instruction set.
    ///
    /// # Errors
    /// If `n_threads` is 0 or the threads cannot be started.
    pub fn with_threads(n_threads: usize) -> Result<Self> {
        Self::new(thread_pool(n_threads)?, Isa::detect())
    }

    /// Sends progress to `progress`.
    #[must_use]
    pub fn progress_to(mut self, progress: Box<dyn Progress>) -> Self {
        self.progress = Arc::from(progress);
        self
    }

    /// Takes large arrays from `memory`.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// Keeps what training has finished, and goes on from what is found there.
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = Some(keep);
        self
    }

    /// `n_parts` executions for work that goes on side by side, each with its share of as many threads, at least one. They stop when
    /// this one is cancelled, and have a cancel handle of their own that stops them all. They share its memory, keep nothing, and
    /// show nothing: see [`Execution::noting`].
    ///
    /// # Errors
    /// If threads cannot be started.
    pub(crate) fn split(&self, n_parts: usize) -> Result<Vec<Self>> {
        let (n_threads, cancel) = (self.n_threads(), self.cancel.of_parts());
        let part = |index| {
            let share = n_threads / n_parts + usize::from(index < n_threads % n_parts);
            let part = Self::new(thread_pool(share.max(1))?, self.isa)?;
            Ok(Self { cancel: cancel.clone(), memory: self.memory.clone(), ..part })
        };
        (0..n_parts).map(part).collect()
    }

    /// The same execution, which shows of its work, `of` what, no stages, but notes where `whole` shows its own.
    pub(crate) fn noting(&self, of: String, whole: &Self) -> Self {
        let shown = Arc::clone(&whole.progress);
        Self {
            pool: Arc::clone(&self.pool),
            progress: Arc::new(NotesAlone { shown, of }),
            cancel: self.cancel.clone(),
            memory: self.memory.clone(),
            keep: None,
            isa: self.isa,
        }
    }

    /// The memory of large arrays.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Where training keeps what it has finished, if it does.
    pub fn keep(&self) -> Option<&Keep> {
        self.keep.as_ref()
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The thread pool.
    pub fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// The progress sink.
    pub fn progress(&self) -> &dyn Progress {
        &*self.progress
    }

    /// The cancel handle; clone it to keep a way to stop the computation.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// For tasks that take long: asks between their parts whether to go on.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Number of threads.
    pub fn n_threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Hands `tasks` out to the threads, each with scratch space of its own. Tasks own what they write, so the
    /// result depends neither on the number of threads nor on who takes which task.
    ///
    /// # Errors
    /// The first error of a task in time; [`Error::Interrupted`] if cancelled. The remaining tasks are then dropped.
    pub(crate) fn for_each<T, S>(
        &self,
        tasks: impl Iterator<Item = T> + Send,
        scratch: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, T) -> Result<()> + Sync,
    ) -> Result<()> {
        let queue = Mutex::new(tasks);
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        self.pool.broadcast(|_| {
            let mut scratch = scratch();
            loop {
                if self.cancel.is_cancelled() {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(Error::Interrupted);
                }
                if failure.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                    break;
                }
                let Some(task) = queue.lock().unwrap_or_else(PoisonError::into_inner).next() else { break };
                if let Err(error) = work(&mut scratch, task) {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// As many as large machines run at once; a pool of far more than there are processors hardly gets anything done.
const MAX_THREADS: usize = 1024;

/// A rayon pool of `n_threads`.
///
/// # Errors
/// If `n_threads` is 0 or above 1024, or the threads cannot be started.
pub fn thread_pool(n_threads: usize) -> Result<Arc<ThreadPool>> {
    if !(1..=MAX_THREADS).contains(&n_threads) {
        return Err(Error::parameter("threads", format!("at least 1, at most {MAX_THREADS}"), n_threads));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
    pool.map(Arc::new).map_err(|error| Error::parameter("threads", "a number the system can start", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_at_any_thread_count() {
        for n_threads in [1, 2, 5] {
            let execution = Execution::with_threads(n_threads).unwrap();
            let mut results = vec![0; 100];
            execution
                .for_each(
                    results.iter_mut().enumerate(),
                    || (),
                    |(), (index, result)| {
                        *result += index + 1;
                        Ok(())
                    },
                )
                .unwrap();
            assert!(results.into_iter().eq(1..=100));
        }
    }

    #[test]
    fn parts_share_all_threads_and_stop_with_the_whole_or_alone() {
        let execution = Execution::with_threads(5).unwrap().with_memory(Memory::limited(100, None));
        let threads = |n| execution.split(n).unwrap().iter().map(Execution::n_threads).collect::<Vec<_>>();
        assert_eq!([threads(1), threads(2), threads(5)], [vec![5], vec![3, 2], vec![1; 5]]);
        let parts = execution.split(2).unwrap();
        parts[0].memory().set_aside(60);
        assert_eq!(parts[1].memory().left(), 40);
        let are_cancelled = || [&execution, &parts[0], &parts[1]].map(|one| one.cancel().is_cancelled());
        parts[1].cancel().cancel();
        assert_eq!(are_cancelled(), [false, true, true]);
        let later = execution.split(2).unwrap();
        assert!(!later[0].cancel().is_cancelled());
        execution.cancel().cancel();
        assert!(later.iter().all(|part| part.check_cancelled().is_err()));
    }

    #[test]
    fn an_error_or_a_cancel_ends_the_loop() {
        let execution = Execution::with_threads(2).unwrap();
        let failed = execution.for_each(
            0..10,
            || (),
            |(), task| match task {
                3 => Err(Error::parameter("task", "another", task)),
                _ => Ok(()),
            },
        );
        assert!(matches!(failed, Err(Error::Parameter { .. })));
        execution.cancel().cancel();
        assert!(matches!(execution.for_each(0..10, || (), |(), _| Ok(())), Err(Error::Interrupted)));
    }
}
