//! Options that every subcommand has, and what they turn into.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use attractor::execution::{Execution, Memory, thread_pool};
use attractor::kernels::Isa;
use attractor::storage::{Overwrite, check_output, folder_of};
use attractor::{Error, Result};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::budget::{Bytes, default_budget};
use super::estimate::Estimate;
use super::inputs::shards_in;
use super::progress::Terminal;

#[derive(Args)]
#[command(next_help_heading = "Options of every subcommand")]
pub struct Common {
    /// Seed of everything random
    #[arg(long, default_value_t = 0, global = true)]
    pub seed: u64,
    /// Threads [default: all]; results do not depend on it
    #[arg(long, global = true)]
    pub threads: Option<usize>,
    /// Memory that it may take, such as 3GiB [default: 70 % of what is available]
    #[arg(long, global = true)]
    pub memory: Option<Bytes>,
    /// Read couplings whole in place of mapping them: for files that others may shorten, as on shared file systems. What
    /// the memory does not hold goes into a file in the folder of temporary files (TMPDIR)
    #[arg(long, global = true)]
    pub no_mmap: bool,
    /// Print exactly one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors (and the JSON document, with --json)
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Overwrite existing output
    #[arg(long, global = true)]
    pub force: bool,
    /// Check inputs and outputs, print estimates of memory, disk and time, and stop
    #[arg(long, global = true)]
    pub dry_run: bool,
}

impl Common {
    /// Threads, instruction set (ATTRACTOR_ISA), memory, progress on stderr, and signals that cancel.
    pub fn execution(&self) -> anyhow::Result<Execution> {
        self.execution_with(&std::env::temp_dir())
    }

    /// The same; arrays for which there is no memory become files of `folder`.
    pub fn execution_with(&self, folder: &Path) -> anyhow::Result<Execution> {
        let n_threads = match self.threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let isa = match std::env::var_os("ATTRACTOR_ISA").map(|name| name.to_string_lossy().into_owned()) {
            None => Isa::detect(),
            Some(name) => Isa::from_name(&name).ok_or_else(|| {
                let names: Vec<_> = Isa::ALL.iter().map(|isa| isa.name()).collect();
                Error::parameter("ATTRACTOR_ISA", names.join(", "), name)
            })?,
        };
        let budget = self.memory.map_or_else(default_budget, |Bytes(bytes)| bytes);
        let memory = Memory::limited(budget, Some(folder));
        let execution = Execution::new(thread_pool(n_threads)?, isa)?.with_memory(memory);
        let execution =
            if self.quiet { execution } else { execution.progress_to(Box::new(Terminal::default())) };
        say_when_files_shrink()?;
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            let flag = execution.cancel().flag();
            // The first signal asks to stop at the next safe point; a second one stops at once.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                super::INTERRUPTED.into(),
                flag.clone(),
            )?;
            signal_hook::flag::register(signal, flag)?;
        }
        Ok(execution)
    }

    /// Answers SIGUSR1, which asks for a checkpoint, with a note in a run that keeps none. Without an answer it ends the program.
    pub fn say_that_nothing_is_kept(&self) -> std::io::Result<()> {
        let is_quiet = self.quiet;
        let say = move || {
            const MESSAGE: &[u8] = b"note: this run keeps no checkpoints\n";
            if !is_quiet {
                let _ = rustix::io::write(rustix::stdio::stderr(), MESSAGE);
            }
        };
        // SAFETY: at most a system call, allowed in a handler.
        unsafe { signal_hook::low_level::register(signal_hook::consts::SIGUSR1, say) }.map(drop)
    }

    /// Bytes that couplings of N spins take where they are not mapped.
    pub fn loaded_bytes(&self, n_spins: f64) -> f64 {
        if self.no_mmap { 4.0 * n_spins * n_spins } else { 0.0 }
    }

    /// Whether to go on: with `--dry-run`, prints the estimate and whether the run would be refused, after which there is nothing
    /// more to do.
    ///
    /// # Errors
    /// If the run does not fit: see [`Estimate::admit`].
    pub fn admits(
        &self,
        estimate: &Estimate,
        output: Option<&Path>,
        execution: &Execution,
    ) -> anyhow::Result<bool> {
        self.admits_as(estimate, &estimate.text(execution), estimate, output, execution)
    }

    /// The same where `--dry-run` prints this `document` or `text`.
    ///
    /// # Errors
    /// As [`admits`](Self::admits).
    pub fn admits_as(
        &self,
        document: &impl Serialize,
        text: &str,
        estimate: &Estimate,
        output: Option<&Path>,
        execution: &Execution,
    ) -> anyhow::Result<bool> {
        if self.dry_run {
            self.print(document, text)?;
            if let Err(error) = estimate.check(output, execution) {
                execution.progress().note(&format!("note: it would be refused: {error}"));
            }
        } else {
            estimate.admit(output, execution)?;
        }
        Ok(!self.dry_run)
    }

    /// What to do with existing output.
    pub fn overwrite(&self) -> Overwrite {
        if self.force { Overwrite::Replace } else { Overwrite::Refuse }
    }

    /// Refuses outputs that cannot be written, that would replace an input or one another, or that would come among the
    /// shards of an input, before any work.
    pub fn check_outputs(&self, outputs: &[&Path], inputs: &[&Path]) -> Result<()> {
        for (index, output) in outputs.iter().enumerate() {
            check_output(output, self.overwrite())?;
            for (what, others) in [("an input", inputs), ("another output", &outputs[..index])] {
                if others.iter().any(|other| identity(other) == identity(output)) {
                    let expected = "an output with a file of its own";
                    return Err(Error::format(output, expected, format!("{what} of that name")));
                }
            }
            if let Some(folder) = inputs.iter().find(|input| is_among_shards(output, input)) {
                let expected = format!("an output outside of {}, an input", folder.display());
                return Err(Error::format(output, expected, "a file of this folder of shards"));
            }
        }
        Ok(())
    }

    /// Prints what a run would write that has checked its inputs.
    pub fn print_dry_run(&self, output: &Path) -> anyhow::Result<()> {
        self.print(&json!({ "output": output }), &format!("would write {}", output.display()))
    }

    /// Prints the result: `document` as JSON, or `text` for people. That its reader has gone away, as in `attractor ... | head`,
    /// is no failure.
    ///
    /// # Errors
    /// If stdout cannot be written, as on a full disk.
    pub fn print(&self, document: &impl Serialize, text: &str) -> anyhow::Result<()> {
        let result = match (self.json, self.quiet) {
            (true, _) => serde_json::to_string_pretty(document)?,
            (false, true) => return Ok(()),
            (false, false) => text.trim_end().to_owned(),
        };
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{result}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::io(Path::new("stdout"), "write the result")(error).into())
            }
            _ => Ok(()),
        }
    }
}

/// Ends the program with a message where a mapped file has lost the bytes that are read: the system knows no other way.
fn say_when_files_shrink() -> std::io::Result<()> {
    let say = || {
        const MESSAGE: &[u8] = b"error: a file that is read has been shortened, or its disk failed (--no-mmap reads files whole)\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), MESSAGE);
        signal_hook::low_level::exit(1);
    };
    // SAFETY: a system call and the end of the process, both allowed in a handler.
    unsafe { signal_hook::low_level::register(signal_hook::consts::SIGBUS, say) }.map(drop)
}

/// Whether `folder` is one of shards, and the file would be in it, or be one of those that its links lead to.
fn is_among_shards(file: &Path, folder: &Path) -> bool {
    let file = identity(file);
    let is_among = |shards: Vec<PathBuf>| {
        file.starts_with(identity(folder)) || shards.iter().any(|shard| identity(shard) == file)
    };
    folder.is_dir() && shards_in(folder).is_ok_and(is_among)
}

/// The file a path leads to, whether it is there or will be.
fn identity(path: &Path) -> PathBuf {
    let whole = path.canonicalize().or_else(|_| {
        let folder = folder_of(path).canonicalize()?;
        Ok::<_, std::io::Error>(folder.join(path.file_name().unwrap_or_default()))
    });
    whole.unwrap_or_else(|_| path.to_owned())
}
