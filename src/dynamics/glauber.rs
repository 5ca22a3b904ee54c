//! Glauber dynamics at temperature T: a spin becomes +1 with probability 1 / (1 + exp(-2 h / T)).
//!
//! One after another (the heat bath), symmetric couplings sample exp(-E / T), E = -x.Jx / 2 - theta.x; all at once they sample
//! the distribution of Peretto (Biol. Cybern. 50, 51 (1984)). The random number of a spin enters as logistic noise on its
//! field, h + (T / 2) log(u / (1 - u)) > 0, one stream for each state and step: the same states at any number of threads.

use rand_core::Rng;

use super::batch::{Clamped, Course, Mover, Recurrence};
use super::field::{Noise, PANELS_PER_BLOCK, Ties, noisy_update};
use super::recall::{Dynamics, Recall, Stop};
use super::sweep::{Heat, SweepOrder, Sweeps};
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::LANES;
use crate::random::stream;
use crate::spins::{BlockMajor, SpinMatrix};

/// Which spins a step updates at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// All of them.
    Parallel,
    /// One after another.
    Sequential(SweepOrder),
}

/// Dynamics at a temperature above 0, for a number of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlauberDynamics {
    /// T, in units of the local fields.
    pub temperature: f64,
    /// Steps to make.
    pub steps: u64,
    /// Which spins a step updates at a time.
    pub update: Update,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Dynamics for GlauberDynamics {
    fn run_clamped(
        &self,
        couplings: &Couplings,
        starts: &SpinMatrix,
        reference: &SpinMatrix,
        clamped: Option<&SpinMatrix>,
        execution: &Execution,
    ) -> Result<Recall> {
        // Stored couplings are in units of their scale.
        let amplitude = (self.temperature / 2.0 / couplings.scale()) as f32;
        if !(self.temperature > 0.0 && amplitude.is_normal()) {
            let expected = "a positive number, not too large for 32-bit fields";
            return Err(Error::parameter("temperature", expected, self.temperature));
        }
        let heat = Heat { amplitude, seed: self.seed };
        let (stop, recurrence) = (Stop::After(self.steps), Recurrence::Nothing);
        let course = Course { starts, reference, clamped, stop, recurrence };
        course.check(couplings)?;
        match self.update {
            Update::Parallel => {
                let updates = |clamped| Ok(NoisyUpdates { couplings, heat, clamped, execution });
                course.follow(updates, couplings, execution)
            }
            Update::Sequential(order) => {
                let rule = (order, Ties::Keep, Some(heat));
                let sweeps = |clamped| Sweeps::new(couplings, rule, clamped, execution);
                course.follow(sweeps, couplings, execution)
            }
        }
    }
}

/// All spins at once.
struct NoisyUpdates<'a> {
    couplings: &'a Couplings,
    heat: Heat,
    clamped: Clamped,
    execution: &'a Execution,
}

impl Mover for NoisyUpdates<'_> {
    fn step(&mut self, step: u64, states: &BlockMajor, members: &[usize]) -> Result<BlockMajor> {
        let draw = |block: usize, row: usize| {
            let mut generator =
                stream(self.heat.seed, "parallel heat bath", &[step, members[row] as u64, block as u64]);
            let mut bits = [[0; LANES]; PANELS_PER_BLOCK];
            for pair in bits.as_flattened_mut().as_chunks_mut::<2>().0 {
                let drawn = generator.next_u64();
                *pair = [drawn as u32, (drawn >> 32) as u32];
            }
            bits
        };
        let noise = Noise { amplitude: self.heat.amplitude, draw };
        let next = noisy_update(self.couplings, states, &noise, self.execution)?;
        Ok(self.clamped.restored(next))
    }

    fn retain(&mut self, keep: &[bool]) {
        self.clamped.retain(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::kernels::{Isa, Lanes, fields_of_one_state, logit_noise};
    use crate::random::{gaussian, permutation};

    fn symmetric_couplings(n: usize) -> Couplings {
        let mut rng = stream(1, "glauber test", &[n as u64]);
        let mut rows = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                rows[i * n + j] = (gaussian(&mut rng) / (n as f64).sqrt()) as f32;
                rows[j * n + i] = rows[i * n + j];
            }
        }
        let theta = (0..n).map(|_| 0.3 * gaussian(&mut rng) as f32).collect();
        Couplings::from_rows(n, rows).unwrap().with_theta(theta).unwrap()
    }

    /// Frequencies of 20000 independent chains against the enumerated distributions: sequential updates exp(-E / T), parallel
    /// ones exp(sum theta x / T) prod 2 cosh(h(x) / T) (Peretto). Five standard errors, 32 states, three settings: one false
    /// alarm in 10^4 seeds.
    #[test]
    fn chains_sample_their_stationary_distributions() {
        let (n, m, temperature) = (5, 20_000, 0.8);
        let couplings = symmetric_couplings(n).with_scale(0.5).unwrap();
        let execution = Execution::with_threads(2).unwrap();
        let starts = random_states(m, n, 3).unwrap();
        let spin = |state: usize, i: usize| if state >> i & 1 == 1 { 1.0 } else { -1.0 };
        let theta = |i: usize| f64::from(couplings.theta().unwrap()[i]) * couplings.scale();
        let field = |state: usize, i: usize| -> f64 {
            let term =
                |j: usize| f64::from(couplings.values()[i * n + j]) * couplings.scale() * spin(state, j);
            (0..n).map(term).sum::<f64>() + theta(i)
        };
        let boltzmann = |state: usize| {
            (0..n)
                .map(|i| spin(state, i) * (field(state, i) + theta(i)) / 2.0 / temperature)
                .sum::<f64>()
                .exp()
        };
        let peretto = |state: usize| {
            let bias: f64 = (0..n).map(|i| spin(state, i) * theta(i) / temperature).sum();
            bias.exp() * (0..n).map(|i| (field(state, i) / temperature).cosh()).product::<f64>()
        };
        type Weight<'a> = &'a dyn Fn(usize) -> f64;
        for (update, weight) in [
            (Update::Sequential(SweepOrder::Ascending), &boltzmann as Weight),
            (Update::Sequential(SweepOrder::Random { seed: 1 }), &boltzmann),
            (Update::Parallel, &peretto),
        ] {
            let dynamics = GlauberDynamics { temperature, steps: 40, update, seed: 9 };
            let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
            let total: f64 = (0..1 << n).map(weight).sum();
            for state in 0..1 << n {
                let p = weight(state) / total;
                let found = (0..m).filter(|&row| recall.states.row(row)[0] == state as u64).count();
                let error = (p * (1.0 - p) / m as f64).sqrt();
                let frequency = found as f64 / m as f64;
                assert!((frequency - p).abs() < 5.0 * error, "{update:?}, state {state}: {frequency}, {p}");
            }
        }
    }

    /// The random bits of a state, step and neuron, as the module says, and the canonical field: spin by spin.
    #[test]
    fn states_are_those_of_the_plain_loop() {
        let (n, m, steps, seed) = (83, 40, 3, 6);
        let couplings = symmetric_couplings(n);
        let starts = random_states(m, n, 4).unwrap();
        let amplitude = 0.35;
        for update in [
            Update::Parallel,
            Update::Sequential(SweepOrder::Ascending),
            Update::Sequential(SweepOrder::Random { seed: 2 }),
        ] {
            let mut expected = starts.clone();
            for step in 1..=steps {
                let order = match update {
                    Update::Sequential(SweepOrder::Random { seed }) => {
                        permutation(&mut stream(seed, "sweep order", &[step]), n)
                    }
                    _ => (0..n).collect(),
                };
                for row in 0..m {
                    let mut noise = Vec::new();
                    let mut draw = |generator: &mut rand_pcg::Pcg64| {
                        let mut bits = [[0; LANES]];
                        for pair in bits[0].as_chunks_mut::<2>().0 {
                            let drawn = generator.next_u64();
                            *pair = [drawn as u32, (drawn >> 32) as u32];
                        }
                        let mut lanes = [Lanes::ZERO];
                        logit_noise(Isa::Scalar, &bits, amplitude, &mut lanes);
                        noise.extend(lanes[0].0);
                    };
                    match update {
                        Update::Parallel => (0..n.div_ceil(64)).for_each(|block| {
                            let index = [step, row as u64, block as u64];
                            let mut generator = stream(seed, "parallel heat bath", &index);
                            (0..4).for_each(|_| draw(&mut generator));
                        }),
                        Update::Sequential(_) => {
                            let mut generator = stream(seed, "heat bath", &[step, row as u64]);
                            (0..n.div_ceil(16)).for_each(|_| draw(&mut generator));
                        }
                    }
                    let before = expected.row(row).to_vec();
                    for (position, &i) in order.iter().enumerate() {
                        let state = if update == Update::Parallel { &before } else { expected.row(row) };
                        let mut field = [0.0];
                        fields_of_one_state(Isa::Scalar, state, couplings.rows(i..i + 1), n, &mut field);
                        let felt = field[0] + couplings.theta().unwrap()[i] + noise[position];
                        if (felt > 0.0) != (expected.spin(row, i) == 1) {
                            expected.flip(row, i);
                        }
                    }
                }
            }
            for n_threads in [1, 2] {
                let execution = Execution::with_threads(n_threads).unwrap();
                let temperature = 2.0 * f64::from(amplitude);
                let dynamics = GlauberDynamics { temperature, steps, update, seed };
                let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
                assert!(recall.states == expected, "{update:?}, {n_threads} threads");
            }
        }
    }

    #[test]
    fn temperatures_are_positive_numbers() {
        let execution = Execution::with_threads(1).unwrap();
        let (couplings, states) = (symmetric_couplings(5), random_states(2, 5, 1).unwrap());
        for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e60] {
            let dynamics = GlauberDynamics { temperature, steps: 1, update: Update::Parallel, seed: 1 };
            assert!(dynamics.run(&couplings, &states, &states, &execution).is_err());
        }
    }
}
