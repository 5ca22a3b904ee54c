//! Progress on stderr: a bar with the time left on a terminal, one line every 30 s elsewhere.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use attractor::execution::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// How often a log without a terminal gets a line.
const LOG_INTERVAL: Duration = Duration::from_secs(30);
/// How often the bar says how far a stage within its own is.
const BAR_INTERVAL: Duration = Duration::from_secs(2);

/// Writes a line to stderr. Where that cannot be written, on a full disk or to a reader that went away, the line is lost and
/// the work goes on.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[derive(Default)]
pub struct Terminal {
    stages: Mutex<Vec<Stage>>, // innermost last
}

enum Stage {
    Bar(ProgressBar, String),
    Log { what: String, total: u64, done: u64, begun: Instant, logged: Instant },
}

impl Terminal {
    fn with_stages<T>(&self, act: impl FnOnce(&mut Vec<Stage>) -> T) -> T {
        act(&mut self.stages.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Terminal {
    fn begin(&self, what: &str, total: u64) {
        self.with_stages(|stages| {
            // A stage within a stage, such as a recall within a training run, has no bar of its own.
            let stage = if std::io::stderr().is_terminal() && stages.is_empty() {
                let bar = ProgressBar::new(total);
                let template = "{msg} [{bar:30}] {pos}/{len}, {eta} left";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.set_message(what.to_owned());
                bar.enable_steady_tick(Duration::from_millis(500));
                Stage::Bar(bar, what.to_owned())
            } else {
                let now = Instant::now();
                Stage::Log { what: what.to_owned(), total, done: 0, begun: now, logged: now }
            };
            stages.push(stage);
        });
    }

    fn advance(&self, units: u64) {
        self.with_stages(|stages| {
            let outer = match stages.first() {
                Some(Stage::Bar(bar, name)) if stages.len() > 1 => Some((bar.clone(), name.clone())),
                _ => None,
            };
            match stages.last_mut() {
                Some(Stage::Bar(bar, _)) => bar.inc(units),
                Some(Stage::Log { what, total, done, begun, logged }) => {
                    *done += units;
                    if let Some((bar, name)) = outer {
                        if logged.elapsed() >= BAR_INTERVAL {
                            *logged = Instant::now();
                            bar.set_message(format!("{name}: {what} {done}/{total}"));
                        }
                    } else if !std::io::stderr().is_terminal() && logged.elapsed() >= LOG_INTERVAL {
                        *logged = Instant::now();
                        // Totals that are estimates may be passed.
                        let to_go = (*total as f64 / (*done).max(1) as f64 - 1.0).max(0.0);
                        let left = begun.elapsed().as_secs_f64() * to_go;
                        say(format_args!("{what}: {done}/{total}, about {left:.0} s left"));
                    }
                }
                None => {}
            }
        });
    }

    fn end(&self) {
        self.with_stages(|stages| match (stages.pop(), stages.first()) {
            (Some(Stage::Bar(bar, _)), _) => bar.finish_and_clear(),
            (Some(Stage::Log { .. }), Some(Stage::Bar(bar, name))) => bar.set_message(name.clone()),
            _ => {}
        });
    }

    fn note(&self, message: &str) {
        self.with_stages(|stages| match stages.first() {
            Some(Stage::Bar(bar, _)) => bar.suspend(|| say(message)),
            _ => say(message),
        });
    }
}
