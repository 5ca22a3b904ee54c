//! The public kernels of sweeps and of the heat bath: check shapes, then run the twin that the caller's [`Isa`] names.

use wide::f32x8;

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::dispatch::twins;
use super::in_order::{self, InOrder, InOrderStates};
use super::lanes::{LANES, Lanes};
use super::portable::Wide;
use super::scalar::Plain;
use super::{Isa, noise};

/// Takes states through the updates of 16 spins, one after another, from lane `first` on.
///
/// # Panics
/// If the states' slices differ in length, or `first` is no lane.
pub fn update_in_order(isa: Isa, neurons: InOrder, first: usize, states: &mut InOrderStates) {
    let n_states = states.fields.len();
    assert!(first < LANES && states.spins.len() == n_states && states.paused.len() == n_states);
    assert!(states.roundings.len() == n_states);
    assert!(states.noise.is_none_or(|noise| noise.len() == n_states));
    assert!(states.held.is_none_or(|held| held.len() == n_states));
    twins!(
        isa,
        avx2::update_in_order(neurons, first, states),
        in_order::run::<Wide<f32x8>>(neurons, first, states),
        in_order::run::<Plain<f32>>(neurons, first, states)
    );
}

/// `target[m]` = `amplitude` log(u / (1 - u)), u uniform in (0, 1) from 32 random bits each: added to a field h, the sign is
/// + with probability 1 / (1 + exp(-h / amplitude)).
///
/// # Panics
/// If the lengths differ.
pub fn logit_noise(isa: Isa, bits: &[[u32; LANES]], amplitude: f32, target: &mut [Lanes<f32>]) {
    assert_eq!(bits.len(), target.len());
    twins!(
        isa,
        avx2::logit_noise(bits, amplitude, target),
        noise::run(bits, amplitude, target),
        noise::run(bits, amplitude, target)
    );
}
