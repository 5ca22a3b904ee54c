//! Sixteen spins updated one after another, for many states: the part of a sequential sweep inside a panel.
//!
//! All 16 local fields of a state come from before the panel's first update. Then
//!
//! ```text
//! for lane l in order:
//!     s = sign(h_l + noise_l)
//!     if s is not the spin's value: flip it, and h_l' += 2 s w_l'l for the lanes l' > l
//! ```
//!
//! which costs as many steps as there are flips, not lanes: the next lane that flips is the lowest bit of a mask.
//!
//! A repaired field is off the canonical sum by at most a bound; where its magnitude, noise included, is not above that bound the
//! state *pauses* at that lane, whose field the caller sums anew. The sign of a rounded sum h + noise is that of the sum, so
//! the noise does not add to the bound.

use super::lanes::{FloatVector, LANES, Lanes};

/// What 16 neurons have in common for all states.
#[derive(Clone, Copy)]
pub struct InOrder<'a> {
    /// Couplings among them: lane l of row f is w_lf for l > f, 0 elsewhere.
    pub within: &'a [Lanes<f32>; LANES],
    /// What bounds the error of a lane's field, before the state's factor: sum_k |w_k|, or -1 where no order of additions
    /// rounds.
    pub magnitudes: &'a Lanes<f32>,
    /// Lanes that are neurons.
    pub lanes: u16,
    /// A spin whose field is 0 becomes +1; else it keeps its value.
    pub ties_up: bool,
    /// The fields are canonical sums until they are repaired.
    pub canonical: bool,
}

/// What is a state's own, each `[m]`.
pub struct InOrderStates<'a> {
    /// Fields in, repaired fields out.
    pub fields: &'a mut [Lanes<f32>],
    /// Factor between magnitudes and the bound of a field's error.
    pub roundings: &'a [f32],
    /// Added to the fields where signs are taken.
    pub noise: Option<&'a [Lanes<f32>]>,
    /// Lanes that do not move.
    pub held: Option<&'a [u16]>,
    /// The 16 spins, before and after.
    pub spins: &'a mut [u16],
    /// The lane at which a state waits for its field, 16 if it is through.
    pub paused: &'a mut [u8],
}

/// Takes all states through the lanes from `first` on.
#[inline(always)]
pub(super) fn run<V: FloatVector>(neurons: InOrder, first: usize, states: &mut InOrderStates) {
    let magnitudes = V::load(neurons.magnitudes);
    for m in 0..states.fields.len() {
        let noise = states.noise.map(|noise| V::load(&noise[m]));
        let bounds = V::splat(states.roundings[m]).mul(magnitudes);
        let free = neurons.lanes & !states.held.map_or(0, |held| held[m]);
        let mut left = free & (u16::MAX << first);
        let mut fields = V::load(&states.fields[m]);
        let mut spins = states.spins[m];
        let mut is_canonical = neurons.canonical;
        states.paused[m] = LANES as u8;
        loop {
            let felt = match noise {
                Some(noise) => fields.add(noise),
                None => fields,
            };
            let ties = if neurons.ties_up { u16::MAX } else { spins };
            let flips = (felt.positive_mask() | felt.zero_mask() & ties) ^ spins;
            let slack = bounds.add(felt.neg_abs());
            let doubts = if is_canonical { 0 } else { slack.positive_mask() | slack.zero_mask() };
            let events = (flips | doubts) & left;
            if events == 0 {
                break;
            }
            let lane = events.trailing_zeros() as usize;
            if doubts >> lane & 1 == 1 {
                states.paused[m] = lane as u8;
                break;
            }
            spins ^= 1 << lane;
            // The product with +-2 is exact: this rounds as an addition does.
            let twice = V::splat(if spins >> lane & 1 == 1 { 2.0 } else { -2.0 });
            fields = fields.fused_add(twice, V::load(&neurons.within[lane]));
            is_canonical = false;
            left &= (u16::MAX << lane) << 1;
        }
        fields.store(&mut states.fields[m]);
        states.spins[m] = spins;
    }
}
