//! How states are updated: the options that `basins` and `census` share.

use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use clap::{Args, ValueEnum};

#[derive(Args)]
pub struct Updates {
    /// Update order
    #[arg(long, value_enum, default_value_t = Order::Parallel)]
    pub dynamics: Order,
    /// Give up on states that have not settled after this many steps
    #[arg(long, default_value_t = 1000)]
    pub max_steps: u64,
    /// What a spin with zero field does
    #[arg(long, value_enum, default_value_t = TiesOption::Keep)]
    pub ties: TiesOption,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Order {
    /// All spins at once
    Parallel,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TiesOption {
    Keep,
    Up,
}

impl Updates {
    /// So many steps, or until each state is fixed or in a cycle.
    pub fn run(&self, steps: Option<u64>) -> Box<dyn Dynamics> {
        let stop = steps.map_or(Stop::Settled { limit: self.max_steps }, Stop::After);
        let ties = match self.ties {
            TiesOption::Keep => Ties::Keep,
            TiesOption::Up => Ties::Up,
        };
        let Order::Parallel = self.dynamics;
        Box::new(ParallelDynamics { stop, ties })
    }
}
