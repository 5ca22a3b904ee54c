//! The local fields of many states, h_i(x) = sum_j J_ij x_j + theta_i, kept as they are computed: panel by panel.

use crate::couplings::{Couplings, PANEL, n_panels};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Finish, Lanes, Signs, Source, Tables, field_scratch, local_fields_with};
use crate::spins::BlockMajor;

/// Fields of M states at N neurons, `[panel][state][16]`; in units of the stored couplings, without their scale.
pub struct LocalFields {
    n_states: usize,
    n_spins: usize,
    fields: Vec<Lanes<f32>>,
}

impl LocalFields {
    /// Computes the fields of every row of `states`.
    ///
    /// # Errors
    /// If the sizes do not fit together, there are only the couplings of a shard, memory for M N fields is missing, or interrupted.
    pub fn new(couplings: &Couplings, states: &BlockMajor, execution: &Execution) -> Result<Self> {
        couplings.check_whole()?;
        let (n_states, n_spins) = (states.n_rows(), couplings.n_spins());
        if states.n_columns() != n_spins {
            let expected = format!("N = {n_spins} as in the couplings");
            return Err(Error::shape("states", expected, format!("N = {}", states.n_columns())));
        }
        let mut fields = Vec::new();
        let n_lanes = n_panels(n_spins).saturating_mul(n_states);
        if fields.try_reserve_exact(n_lanes).is_err() {
            return Err(Error::parameter("states", format!("memory for {n_lanes} x 16 fields"), n_states));
        }
        fields.resize(n_lanes, Lanes::ZERO);
        let mut local_fields = Self { n_states, n_spins, fields };
        local_fields.update(couplings, states, execution)?;
        Ok(local_fields)
    }

    /// Computes them again for states and couplings of the same shape.
    ///
    /// # Errors
    /// If interrupted.
    ///
    /// # Panics
    /// If the shape is another.
    pub fn update(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        execution: &Execution,
    ) -> Result<()> {
        let shape = (states.n_rows(), states.n_columns(), couplings.n_spins());
        assert_eq!(shape, (self.n_states, self.n_spins, self.n_spins));
        if self.n_states == 0 {
            return Ok(());
        }
        // All states of a panel share tables; where panels are fewer than threads, parts of the states do.
        let n_parts = execution.n_threads().div_ceil(n_panels(self.n_spins));
        let part = self.n_states.div_ceil(n_parts);
        let panels = self.fields.chunks_exact_mut(self.n_states).enumerate();
        let tasks = panels.flat_map(|(panel, fields)| {
            fields.chunks_mut(part).enumerate().map(move |(index, target)| (panel, index * part, target))
        });
        let (words, stride) = (states.words(), self.n_states);
        let scratch = || (vec![Lanes::ZERO; field_scratch(part)], Tables::new());
        execution.for_each(tasks, scratch, |(fields, tables), (index, first, target)| {
            let signs = Signs { words: &words[first..], stride, n_states: target.len() };
            let source = Source::Rows { values: couplings.panel(index), n_columns: self.n_spins };
            let theta = couplings.panel_theta(index);
            let finish = Finish::Stream(target);
            local_fields_with(execution.isa(), signs, source, theta.as_ref(), fields, finish, tables);
            Ok(())
        })
    }

    /// The field of one state at one neuron.
    pub fn get(&self, state: usize, neuron: usize) -> f32 {
        self.panel(neuron / PANEL)[state].0[neuron % PANEL]
    }

    /// The fields at the 16 neurons of a panel, one entry a state; lanes past the last neuron are 0.
    pub fn panel(&self, panel: usize) -> &[Lanes<f32>] {
        &self.fields[panel * self.n_states..][..self.n_states]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::random::{gaussian, stream};

    #[test]
    fn fields_are_the_sums_of_their_definition() {
        // More panels than threads, and fewer.
        for (n, m, n_threads) in [(83, 29, 2), (10, 301, 5), (20, 3, 7)] {
            let execution = Execution::with_threads(n_threads).unwrap();
            let states = random_states(m, n, 1).unwrap();
            let mut rng = stream(2, "local fields test", &[]);
            let width = 1.0 / (n as f64).sqrt();
            let entry =
                |x: usize| if x.is_multiple_of(n + 1) { 0.0 } else { (gaussian(&mut rng) * width) as f32 };
            let couplings = Couplings::from_rows(n, (0..n * n).map(entry).collect()).unwrap();
            let fields = LocalFields::new(&couplings, &BlockMajor::from_rows(&states), &execution).unwrap();
            for state in 0..m {
                for i in 0..n {
                    let term = |j: usize| {
                        f64::from(couplings.values()[i * n + j]) * f64::from(states.spin(state, j))
                    };
                    let expected: f64 = (0..n).map(term).sum();
                    // sqrt(N) eps |J_i|, |J_i| about 1.
                    assert!(
                        (f64::from(fields.get(state, i)) - expected).abs() < 10.0 * f64::from(f32::EPSILON)
                    );
                }
            }
        }
    }
}
