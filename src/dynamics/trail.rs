//! The states that trajectories have been through, by which cycles are recognised.
//!
//! Of each state a 128-bit hash and its step are kept, so what is kept grows with the steps. It comes out of the memory budget
//! where it outgrows what runs count for a state: [`Trails::make_room`] says when the budget is at its end.

use std::collections::HashMap;

use crate::execution::{Grant, Memory};
use crate::spins::BlockMajor;

/// Bytes that a recall takes of a state beside its spins: what is known of it, and the trail of its first steps.
pub const BYTES_PER_STATE: usize = 512;
/// Of these, the trail's.
const FREE_BYTES: u64 = bytes(7);

/// The trails of a batch, in the order of its rows. A row without a trail is not looked at.
#[derive(Debug, Default)]
pub(super) struct Trails {
    seen: Vec<HashMap<u128, u64>>, // [m]: when each state was seen; no capacity without a trail
    /// Bytes that the trails may take.
    allowed: u64,
    grants: Vec<Grant>,
}

impl Trails {
    /// Trails that begin at `states`.
    pub(super) fn new(states: &BlockMajor) -> Self {
        let seen: Vec<_> = hashes(states).into_iter().map(|hash| HashMap::from([(hash, 0)])).collect();
        Self { allowed: seen.len() as u64 * FREE_BYTES, seen, grants: Vec::new() }
    }

    /// Of so many rows, none.
    pub(super) fn none(n_rows: usize) -> Self {
        Self { seen: vec![HashMap::new(); n_rows], ..Self::default() }
    }

    /// Whether this row has a trail.
    pub(super) fn has(&self, row: usize) -> bool {
        self.seen[row].capacity() > 0
    }

    /// Room for another step of every trail. Whether `memory` has it: a single trail goes on without.
    pub(super) fn make_room(&mut self, memory: &Memory) -> bool {
        let n_trails = (0..self.seen.len()).filter(|&row| self.has(row)).count();
        let is_full = |seen: &HashMap<u128, u64>| seen.len() == seen.capacity();
        let needed = |seen: &HashMap<u128, u64>| bytes(seen.capacity() + usize::from(is_full(seen)));
        let needed: u64 = self.seen.iter().filter(|seen| seen.capacity() > 0).map(needed).sum();
        if needed > self.allowed && n_trails > 1 {
            let Some(grant) = memory.grant(needed - self.allowed) else { return false };
            self.grants.push(grant);
            self.allowed = needed;
        }
        self.seen
            .iter_mut()
            .filter(|seen| seen.capacity() > 0 && is_full(seen))
            .for_each(|seen| seen.reserve(1));
        true
    }

    /// Takes a row's trail to the state of this hash. When it was there before, if it was: its trail then ends.
    pub(super) fn visit(&mut self, row: usize, hash: u128, step: u64) -> Option<u64> {
        let entered = self.seen[row].get(&hash).copied();
        match entered {
            Some(_) => self.seen[row] = HashMap::new(),
            None => drop(self.seen[row].insert(hash, step)),
        }
        entered
    }

    /// Keeps the rows for which `keep` holds, in order.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        let mut keep = keep.iter();
        self.seen.retain(|_| keep.next() == Some(&true));
    }
}

/// Bytes of a table with room for so many states: entries and a byte each in a power of two of places, at most 7/8 of them
/// taken, and a group of bytes more.
const fn bytes(capacity: usize) -> u64 {
    let n_places = match capacity {
        0..=3 => 4,
        4..=7 => 8,
        _ => (capacity * 8).div_ceil(7).next_power_of_two(),
    };
    (n_places * (size_of::<(u128, u64)>() + 1) + 16) as u64
}

/// A hash of each row: multiply and fold, the high half fed back so that every bit reaches every other.
pub(super) fn hashes(states: &BlockMajor) -> Vec<u128> {
    const ODD: u128 = 0x2d99_787b_7f4a_7c15_9fb2_1c65_1e98_df25;
    let mut hashes = vec![ODD; states.n_rows()];
    if !hashes.is_empty() {
        for words in states.words().chunks_exact(states.n_rows()) {
            for (hash, &word) in hashes.iter_mut().zip(words) {
                *hash = (*hash ^ u128::from(word)).wrapping_mul(ODD);
                *hash ^= *hash >> 64;
            }
        }
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spins::SpinMatrix;

    #[test]
    fn trails_take_of_the_memory_what_they_outgrow_and_give_it_back() {
        let memory = Memory::limited(10_000, None);
        let states = BlockMajor::from_rows(&SpinMatrix::from_words(2, 20, vec![0, 1]).unwrap());
        let mut trails = Trails::new(&states);
        let mut n_steps = 0;
        while trails.make_room(&memory) {
            n_steps += 1;
            for row in 0..2 {
                assert_eq!(trails.visit(row, u128::from(n_steps) << 64 | row as u128, n_steps), None);
            }
            // The first steps are free.
            assert!(n_steps > 6 || memory.left() == 10_000, "step {n_steps}");
        }
        // Two tables of 128 places of 33 bytes are within 10,000 bytes and what is free, two of 256 are not.
        assert_eq!(n_steps, 111);
        assert!(memory.left() < 10_000);
        // One goes on whatever there is.
        assert_eq!(trails.visit(1, 5 << 64 | 1, 112), Some(5));
        assert!(trails.has(0) && !trails.has(1));
        assert!(trails.make_room(&memory));
        drop(trails);
        assert_eq!(memory.left(), 10_000);
        assert!(!Trails::none(3).has(2) && Trails::none(3).make_room(&memory));
    }
}
