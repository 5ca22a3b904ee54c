//! Progress on stderr: a bar with the time left on a terminal, one line every 30 s elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use attractor::execution::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// How often a log without a terminal gets a line.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

#[derive(Default)]
pub struct Terminal {
    stages: Mutex<Vec<Stage>>, // innermost last
}

enum Stage {
    Bar(ProgressBar),
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
            // A stage within a stage, such as a recall within a training run, leaves the outer bar alone.
            let stage = if std::io::stderr().is_terminal() && stages.is_empty() {
                let bar = ProgressBar::new(total);
                let template = "{msg} [{bar:30}] {pos}/{len}, {eta} left";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.set_message(what.to_owned());
                bar.enable_steady_tick(Duration::from_millis(500));
                Stage::Bar(bar)
            } else {
                let now = Instant::now();
                Stage::Log { what: what.to_owned(), total, done: 0, begun: now, logged: now }
            };
            stages.push(stage);
        });
    }

    fn advance(&self, units: u64) {
        self.with_stages(|stages| {
            let outermost = stages.len() == 1;
            match stages.last_mut() {
                Some(Stage::Bar(bar)) => bar.inc(units),
                Some(Stage::Log { what, total, done, begun, logged }) => {
                    *done += units;
                    if outermost && !std::io::stderr().is_terminal() && logged.elapsed() >= LOG_INTERVAL {
                        *logged = Instant::now();
                        // Totals that are estimates may be passed.
                        let to_go = (*total as f64 / (*done).max(1) as f64 - 1.0).max(0.0);
                        let left = begun.elapsed().as_secs_f64() * to_go;
                        eprintln!("{what}: {done}/{total}, about {left:.0} s left");
                    }
                }
                None => {}
            }
        });
    }

    fn end(&self) {
        self.with_stages(|stages| {
            if let Some(Stage::Bar(bar)) = stages.pop() {
                bar.finish_and_clear();
            }
        });
    }

    fn note(&self, message: &str) {
        self.with_stages(|stages| match stages.first() {
            Some(Stage::Bar(bar)) => bar.suspend(|| eprintln!("{message}")),
            _ => eprintln!("{message}"),
        });
    }
}
