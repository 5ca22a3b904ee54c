//! Recall of Potts spins, from the sequences of an alignment.

use std::time::Instant;

use attractor::datasets::Alignment;
use attractor::execution::Execution;
use attractor::potts::{PottsCouplings, n_replaced, random_sequences, recall_summary, sequences_at_overlap};
use attractor::spins::Sequences;
use attractor::{Error, Result};

use super::super::estimate::Estimate;
use super::{DEFAULT_RANDOM_STATES, From, Recall};

impl Recall {
    pub(super) fn run_on_alignment(&self, execution: &Execution) -> anyhow::Result<()> {
        let couplings = PottsCouplings::open(&self.couplings, execution)?;
        let alignment = Alignment::open(&self.data)?;
        let (n_columns, n_letters) = (couplings.n_columns(), couplings.n_letters());
        let shape = |columns, letters| format!("{columns} columns of {letters} letters");
        let found = shape(alignment.n_columns(), alignment.n_letters());
        if found != shape(n_columns, n_letters) {
            let expected = format!("{} as in {}", shape(n_columns, n_letters), self.couplings.display());
            return Err(Error::format(&self.data, expected, found).into());
        }
        if let Some(letters) = couplings.description().get("alphabet")
            && letters != alignment.alphabet.letters()
        {
            let expected = format!("letters {letters:?} as in {}", self.couplings.display());
            return Err(
                Error::format(&self.data, expected, format!("{:?}", alignment.alphabet.letters())).into()
            );
        }
        n_replaced(n_columns, self.overlap)?;
        let part = self.part_of_alignment(alignment)?;
        let n_states = match &part {
            Some(part) => self.states.unwrap_or(usize::MAX).min(part.n_rows()),
            None => self.states.unwrap_or(DEFAULT_RANDOM_STATES),
        };
        if n_states == 0 {
            return Err(Error::parameter("states", "at least 1", 0).into());
        }
        let seed = self.common.seed;
        let dynamics = self.moves.potts_dynamics(seed)?;
        let estimate = self.estimate_of_letters(n_states, &couplings, execution)?;
        if !self.common.admits(&estimate, self.output.as_deref(), execution)? {
            return Ok(());
        }
        let reference = match part {
            Some(part) => part.head(n_states),
            None => random_sequences(n_states, n_columns, n_letters, seed)?,
        };
        let starts = sequences_at_overlap(&reference, self.overlap, seed)?;
        let begun = Instant::now();
        let recall = dynamics.run(&couplings, &starts, &reference, execution)?;
        let seconds = begun.elapsed().as_secs_f64();
        let summary = recall_summary(&recall, &reference)?;
        if let Some(output) = &self.output {
            recall.write(output, &starts, &self.describe()?, self.common.overwrite())?;
        }
        let rows = 0..starts.n_rows();
        let starts: Vec<f64> =
            rows.map(|row| Sequences::overlap(starts.row(row), reference.row(row))).collect();
        self.report(&starts, &summary, seconds)
    }

    /// The sequences to start from; none for random ones.
    fn part_of_alignment(&self, alignment: Alignment) -> Result<Option<Sequences>> {
        match self.from {
            From::Train => Ok(Some(alignment.train)),
            From::Test => match alignment.test {
                Some(test) => Ok(Some(test)),
                None => Err(Error::format(&self.data, "test sequences to start from", "none")),
            },
            From::Features => Err(Error::parameter(
                "from",
                "train, test or random: alignments have no features",
                "features",
            )),
            From::Random => Ok(None),
        }
    }

    fn estimate_of_letters(
        &self,
        n_states: usize,
        couplings: &PottsCouplings,
        execution: &Execution,
    ) -> Result<Estimate> {
        let (n_states, n_columns) = (n_states as f64, couplings.n_columns() as f64);
        // The tables of J beside the file's map, and four copies of the states with the hashes by which cycles are recognised.
        let j = 4.0 * (couplings.n_rows() as f64).powi(2);
        let memory = 2.5 * j + n_states * (4.0 * n_columns + 256.0);
        let disk = if self.output.is_some() { 2.0 * n_states * n_columns } else { 0.0 };
        // Settling takes some ten steps, unless a number is given; without the pull on J a lookup takes half the time.
        let lookups = 0.5 * self.moves.steps().unwrap_or(10) as f64 * n_states * n_columns * n_columns;
        Estimate::of_lookups(memory, disk, lookups, couplings.n_letters(), execution)
    }
}
