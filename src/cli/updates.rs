//! Options that say how states move, the same for every subcommand that runs the dynamics.

use attractor::dynamics::{
    Dynamics, GlauberDynamics, ParallelDynamics, SequentialDynamics, Stop, SweepOrder, Ties, Update,
};
use attractor::potts::PottsDynamics;
use attractor::storage::Description;
use attractor::{Error, Result};
use clap::{Args, ValueEnum};

use super::text::name_of;

/// How spins are updated until their states have settled.
#[derive(Args)]
#[command(next_help_heading = "Dynamics")]
pub struct Updates {
    /// Update order
    #[arg(long, value_enum, default_value_t = Scheme::Parallel)]
    dynamics: Scheme,
    /// Order of the spins in a sweep of sequential dynamics [default: ascending]
    #[arg(long, value_enum)]
    order: Option<OrderOption>,
    /// Give up on states that have not settled after this many steps
    #[arg(long, default_value_t = 1000)]
    max_steps: u64,
    /// What a spin with zero field does
    #[arg(long, value_enum, default_value_t = TiesOption::Keep)]
    ties: TiesOption,
}

/// The same, or a number of steps, perhaps at a temperature.
#[derive(Args)]
#[command(next_help_heading = "Dynamics")]
pub struct Moves {
    #[command(flatten)]
    updates: Updates,
    /// Make exactly this many steps or sweeps [default: until each state is fixed or in a cycle]
    #[arg(long, conflicts_with = "max_steps")]
    steps: Option<u64>,
    /// Temperature T of Glauber dynamics, P(+1) = 1 / (1 + exp(-2 h / T)); wants --steps [default: 0, the sign of h]
    #[arg(long)]
    temperature: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scheme {
    /// All spins at once
    Parallel,
    /// One spin after another
    Sequential,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderOption {
    /// 0..N-1
    Ascending,
    /// A random permutation each sweep
    Random,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TiesOption {
    Keep,
    Up,
}

impl Updates {
    /// Updates until each state has settled, at most `--max-steps`.
    pub fn settle(&self, seed: u64) -> Result<Box<dyn Dynamics>> {
        self.until(Stop::Settled { limit: self.max_steps }, seed)
    }

    /// Updates that end as `stop` says.
    pub fn until(&self, stop: Stop, seed: u64) -> Result<Box<dyn Dynamics>> {
        let ties = match self.ties {
            TiesOption::Keep => Ties::Keep,
            TiesOption::Up => Ties::Up,
        };
        let order = self.order(seed)?;
        Ok(match self.dynamics {
            Scheme::Parallel => Box::new(ParallelDynamics { stop, ties }),
            Scheme::Sequential => Box::new(SequentialDynamics { stop, ties, order }),
        })
    }

    /// Which spins a step updates at a time.
    fn update(&self, seed: u64) -> Result<Update> {
        let order = self.order(seed)?;
        Ok(match self.dynamics {
            Scheme::Parallel => Update::Parallel,
            Scheme::Sequential => Update::Sequential(order),
        })
    }

    fn order(&self, seed: u64) -> Result<SweepOrder> {
        match self.order {
            Some(_) if self.dynamics == Scheme::Parallel => {
                let expected = "--dynamics sequential with it: parallel updates have no order";
                Err(Error::parameter("order", expected, "--dynamics parallel"))
            }
            Some(OrderOption::Random) => Ok(SweepOrder::Random { seed }),
            _ => Ok(SweepOrder::Ascending),
        }
    }

    /// The options as metadata of an output.
    pub fn describe(&self, description: &mut Description) {
        description.insert("dynamics".into(), name_of(self.dynamics));
        if self.dynamics == Scheme::Sequential {
            description.insert("order".into(), name_of(self.order.unwrap_or(OrderOption::Ascending)));
        }
        description.insert("ties".into(), name_of(self.ties));
        description.insert("max_steps".into(), self.max_steps.to_string());
    }
}

impl Moves {
    /// The dynamics that the options describe.
    pub fn dynamics(&self, seed: u64) -> Result<Box<dyn Dynamics>> {
        let Some(temperature) = self.temperature.filter(|&temperature| temperature != 0.0) else {
            return self.updates.until(self.stop(), seed);
        };
        if !temperature.is_finite() || temperature < 0.0 {
            return Err(Error::parameter("temperature", "a finite number from 0", temperature));
        }
        let Some(steps) = self.steps else {
            let expected = "--steps with it: nothing settles at a temperature";
            return Err(Error::parameter("temperature", expected, temperature));
        };
        if self.updates.ties != TiesOption::Keep {
            let expected = "none with --temperature: with noise no field is 0";
            return Err(Error::parameter("ties", expected, name_of(self.updates.ties)));
        }
        let update = self.updates.update(seed)?;
        Ok(Box::new(GlauberDynamics { temperature, steps, update, seed }))
    }

    /// Those of Potts spins, which have no temperature and whose ties keep.
    pub fn potts_dynamics(&self, seed: u64) -> Result<PottsDynamics> {
        let update = self.updates.update(seed)?;
        if let Some(temperature) = self.temperature.filter(|&temperature| temperature != 0.0) {
            return Err(Error::parameter("temperature", "0, for Potts spins", temperature));
        }
        if self.updates.ties != TiesOption::Keep {
            return Err(Error::parameter("ties", "keep, for Potts spins", name_of(self.updates.ties)));
        }
        Ok(PottsDynamics { stop: self.stop(), update })
    }

    fn stop(&self) -> Stop {
        self.steps.map_or(Stop::Settled { limit: self.updates.max_steps }, Stop::After)
    }

    /// The options as metadata of an output.
    pub fn describe(&self, description: &mut Description) {
        self.updates.describe(description);
        description.insert("temperature".into(), self.temperature.unwrap_or(0.0).to_string());
        if let Some(steps) = self.steps {
            description.remove("max_steps");
            description.insert("steps".into(), steps.to_string());
        }
    }

    /// Whether states never settle, for their temperature.
    pub fn is_thermal(&self) -> bool {
        self.temperature.is_some_and(|temperature| temperature > 0.0)
    }

    /// Steps that are asked for.
    pub fn steps(&self) -> Option<u64> {
        self.steps
    }
}
