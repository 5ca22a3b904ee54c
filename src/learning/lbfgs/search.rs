//! L-BFGS on 16 lanes: vectors are lanes wide, and every lane has step, history and end of its own.
//!
//! One round is one gradient, at every lane's own trial point x + t d. A lane that accepts its trial gets a new direction; one
//! that does not tries another step. The loss is never computed: it is convex, so the slope s(t) = g(x + t d) . d along the
//! direction says all. It rises from s(0) < 0; a step that goes too far, s(t) > 0.8 |s(0)|, bounds the search from above, one
//! that then stays too short, s(t) < -|s(0)| / 2, from below, and the next lies between them, near the zero of the line through
//! their slopes. (Differences of losses near an optimum are below the rounding of f32; slopes are not.)
//!
//! Pairs (s, y) of all lanes share a list of slots, oldest first. A lane that did not move keeps its pairs where they are when
//! those of the others move on.

use crate::error::Result;
use crate::kernels::{LANES, Lanes};

use super::super::panel_gradient::NeuronFit;
use super::{Ending, Lbfgs, Search};

/// Pairs that are remembered.
const HISTORY: usize = 12;
/// Vectors that a search holds: pairs, and point, gradient, direction, trial point and its gradient.
pub(super) const N_VECTORS: usize = 2 * HISTORY + 5;
/// Trial steps after which a direction is given up.
const MAX_TRIALS: u32 = 30;
/// Steps without a smaller gradient after which a lane is at the end of its rounding: this many, and a quarter of those taken.
const PATIENCE: u64 = 100;
/// Slopes at the end of a step, over that at its beginning: below -TOO_FAR it went too far; above TOO_SHORT it stays too short,
/// where a longer step is known to go too far.
const TOO_FAR: f64 = 0.8;
const TOO_SHORT: f64 = 0.5;
/// Least share of the interval between a step too short and one too far that the next one leaves on either side.
const MARGIN: f64 = 0.2;

/// Sum of squares of residuals below which patterns are stored as far as f32 tells: each of them below 1e-26.
const STORED: f64 = 1e-52;
/// Part of the norm bound that counts as having reached it.
const AT_BOUND: f64 = 1.0 - 1e-6;

/// One number a lane.
pub(super) type Scalars = [f64; LANES];

/// A vector: `[k][16]`.
pub(super) type Vector = Vec<Lanes<f32>>;

/// What the algorithm does with vectors.
pub(super) trait Space {
    /// Lanes that hold a problem.
    fn active(&self) -> [bool; LANES];
    /// Lanes whose problem has an optimum even where they get all patterns right.
    fn has_optimum(&self) -> [bool; LANES];
    /// The gradient of the objective, into `gradient`, and how well the point fits the patterns.
    fn gradient(&mut self, point: &Vector, gradient: &mut Vector) -> Result<[NeuronFit; LANES]>;
    /// a . b
    fn dot(&self, a: &Vector, b: &Vector) -> Result<Scalars>;
    /// target += factor * source
    fn add(&self, target: &mut Vector, factor: &Scalars, source: &Vector) -> Result<()>;
}

/// State of a lane.
#[derive(Clone, Copy)]
struct Lane {
    ending: Option<Ending>,
    iterations: u64,
    evaluations: u64,
    relative_gradient: f64,
    /// Smallest relative gradient so far, and the iteration at which it was found.
    best: (f64, u64),
    slope: f64,
    step: f64,
    /// Steps that are too short and too far, each with its slope over that at the beginning.
    short: (f64, f64),
    far: Option<(f64, f64)>,
    trials: u32,
    /// Whether it has begun anew without its history since the last accepted step.
    anew: bool,
}

impl Lane {
    /// Ends the search at a point with this gradient, norm and fit, if it is to end there.
    fn judge(
        &mut self,
        solver: &Lbfgs,
        relative_gradient: f64,
        norm: f64,
        has_optimum: bool,
        fit: NeuronFit,
    ) {
        self.relative_gradient = relative_gradient;
        if relative_gradient < self.best.0 {
            self.best = (relative_gradient, self.iterations);
        }
        let grows = !has_optimum && fit.separates;
        let at_bound = !has_optimum && norm >= AT_BOUND * solver.max_norm;
        let is_flat = relative_gradient <= solver.tolerance;
        self.ending = if relative_gradient == 0.0 || (is_flat && !grows) {
            Some(Ending::Converged)
        } else if grows && (at_bound || fit.square < STORED) {
            Some(Ending::Separable)
        } else if at_bound {
            Some(Ending::AtMaxNorm)
        } else if self.iterations >= solver.max_iterations {
            Some(Ending::OutOfIterations)
        } else if !grows && self.iterations > self.best.1 + PATIENCE + self.iterations / 4 {
            Some(Ending::Stalled)
        } else {
            None
        };
    }

    /// Begins with a new direction.
    fn set_out(&mut self, slope: f64) {
        (self.slope, self.step, self.trials) = (slope, 1.0, 0);
        (self.short, self.far) = ((0.0, 1.0), None);
    }

    /// Whether the trial step is taken, whose slope over that at the beginning is `ratio`; if not, sets the next one.
    fn accepts(&mut self, ratio: f64) -> bool {
        self.trials += 1;
        // A step into the infinite is too far as well.
        if ratio.is_nan() || ratio < -TOO_FAR {
            self.far = Some((self.step, if ratio.is_finite() { ratio } else { -1.0 / MARGIN }));
        } else if ratio > TOO_SHORT && self.far.is_some() {
            self.short = (self.step, ratio);
        } else {
            return true;
        }
        if let Some((far, far_ratio)) = self.far {
            let (short, short_ratio) = self.short;
            let share = (short_ratio / (short_ratio - far_ratio)).clamp(MARGIN, 1.0 - MARGIN);
            self.step = short + share * (far - short);
        }
        false
    }
}

/// Share of the largest norm from which on starts without an optimum are taken back, and where they are taken to: residuals there are
/// not yet saturated, and first steps stay within.
const NEAR_BOUND: f64 = 0.5;
const WELL_WITHIN: f64 = 0.05;

/// The pairs of the last rounds.
struct History {
    pairs: Vec<(Vector, Vector, Scalars)>, // s, y, 1 / (s . y) or 0; oldest first
    /// s . y / y . y of the last pair.
    scale: Scalars,
}

/// Takes `point` to the optimum of every active lane. `first_step` is what a first step along the gradient should be.
pub(super) fn search(
    space: &mut impl Space,
    solver: &Lbfgs,
    first_step: f64,
    point: &mut Vector,
) -> Result<[Search; LANES]> {
    let has_optimum = space.has_optimum();
    let zero = || vec![Lanes::ZERO; point.len()];
    let (mut gradient, mut direction, mut trial, mut trial_gradient) = (zero(), zero(), zero(), zero());
    let fit_at_zero = space.gradient(&trial, &mut gradient)?;
    let at_zero = space.dot(&gradient, &gradient)?.map(f64::sqrt);
    let norms = space.dot(point, point)?.map(f64::sqrt);
    // At its bound a search ends: it begins well within, also from Hebb couplings of a large load.
    let is_near = |index: usize| !has_optimum[index] && norms[index] > NEAR_BOUND * solver.max_norm;
    let back: Scalars = std::array::from_fn(|index| match is_near(index) {
        true => WELL_WITHIN * solver.max_norm / norms[index] - 1.0,
        false => 0.0,
    });
    if back.iter().any(|&factor| factor != 0.0) {
        let start = point.clone();
        space.add(point, &back, &start)?;
    }
    let mut at_point = space.gradient(point, &mut gradient)?;
    let mut history = History { pairs: Vec::new(), scale: [first_step; LANES] };
    let mut lanes = space.active().map(|active| Lane {
        ending: (!active).then_some(Ending::Converged),
        iterations: 0,
        evaluations: 2,
        relative_gradient: 0.0,
        best: (f64::INFINITY, 0),
        slope: 0.0,
        step: 0.0,
        short: (0.0, 1.0),
        far: None,
        trials: 0,
        anew: false,
    });
    let mut has_moved = [true; LANES];
    loop {
        let norms = space.dot(point, point)?.map(f64::sqrt);
        let gradients = space.dot(&gradient, &gradient)?.map(f64::sqrt);
        for (index, lane) in lanes.iter_mut().enumerate() {
            if !has_moved[index] || lane.ending.is_some() {
                continue;
            }
            // Of residuals as small as these: where patterns are stored far above their margins, all of the gradient is small.
            let residuals = (at_point[index].square / fit_at_zero[index].square).sqrt().min(1.0);
            let scale = at_zero[index] * residuals;
            let relative = if gradients[index] == 0.0 { 0.0 } else { gradients[index] / scale };
            lane.judge(solver, relative, norms[index], has_optimum[index], at_point[index]);
        }
        if lanes.iter().all(|lane| lane.ending.is_some()) {
            break;
        }
        let needs_direction: [bool; LANES] =
            std::array::from_fn(|index| has_moved[index] && lanes[index].ending.is_none());
        if needs_direction.contains(&true) {
            let fresh = history.direction(space, &gradient)?;
            select(&mut direction, &fresh, &needs_direction);
            let slopes = space.dot(&direction, &gradient)?;
            for (index, lane) in lanes.iter_mut().enumerate().filter(|(index, _)| needs_direction[*index]) {
                lane.set_out(slopes[index]);
            }
        }
        for (index, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.ending.is_none()) {
            // Not downhill, or no step does: without the history, once; then rounding is all there is.
            if lane.slope < 0.0 && lane.trials <= MAX_TRIALS {
                continue;
            }
            if lane.anew {
                lane.ending = Some(Ending::Stalled);
            } else {
                history.forget(index);
                let scale = history.scale[index];
                lane.anew = true;
                lane.set_out(-gradients[index].powi(2) * scale);
                for (direction, gradient) in direction.iter_mut().zip(&gradient) {
                    direction.0[index] = -(scale as f32) * gradient.0[index];
                }
            }
        }
        if has_optimum.contains(&false) {
            // |x + t d| = M at the positive root of a quadratic.
            let (across, squares) = (space.dot(point, &direction)?, space.dot(&direction, &direction)?);
            for (index, lane) in lanes.iter_mut().enumerate().filter(|(index, _)| !has_optimum[*index]) {
                let left = (solver.max_norm.powi(2) - norms[index].powi(2)).max(0.0);
                let (b, c) = (across[index] / squares[index], left / squares[index]);
                let longest = (b * b + c).sqrt() - b;
                lane.step = if longest < lane.step { longest } else { lane.step };
            }
        }
        let steps: Scalars = std::array::from_fn(|index| match lanes[index].ending {
            None => lanes[index].step,
            Some(_) => 0.0,
        });
        trial.copy_from_slice(point);
        space.add(&mut trial, &steps, &direction)?;
        let at_trial = space.gradient(&trial, &mut trial_gradient)?;
        let slopes = space.dot(&trial_gradient, &direction)?;
        for (index, lane) in lanes.iter_mut().enumerate() {
            has_moved[index] = false;
            if lane.ending.is_some() {
                continue;
            }
            lane.evaluations += 1;
            if lane.accepts(slopes[index] / lane.slope) {
                has_moved[index] = true;
                (lane.iterations, lane.anew) = (lane.iterations + 1, false);
                at_point[index] = at_trial[index];
            }
        }
        if has_moved.contains(&true) {
            history.remember(space, (&trial, point), (&trial_gradient, &gradient), &has_moved)?;
            select(point, &trial, &has_moved);
            select(&mut gradient, &trial_gradient, &has_moved);
        }
    }
    Ok(lanes.map(|lane| Search {
        ending: lane.ending.unwrap_or(Ending::OutOfIterations),
        iterations: lane.iterations,
        evaluations: lane.evaluations,
        relative_gradient: lane.relative_gradient,
    }))
}

impl History {
    /// Minus the estimated inverse Hessian times the gradient: the two-loop recursion.
    fn direction(&self, space: &impl Space, gradient: &Vector) -> Result<Vector> {
        let mut q: Vector = gradient.iter().map(|lanes| Lanes(lanes.0.map(|g| -g))).collect();
        let mut alphas = Vec::with_capacity(HISTORY);
        for (s, y, rho) in self.pairs.iter().rev() {
            let product = space.dot(s, &q)?;
            let alpha: Scalars = std::array::from_fn(|index| rho[index] * product[index]);
            space.add(&mut q, &alpha.map(|alpha| -alpha), y)?;
            alphas.push(alpha);
        }
        for lanes in &mut q {
            for (value, scale) in lanes.0.iter_mut().zip(&self.scale) {
                *value *= *scale as f32;
            }
        }
        for ((s, y, rho), alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let product = space.dot(y, &q)?;
            let rest: Scalars = std::array::from_fn(|index| alpha[index] - rho[index] * product[index]);
            space.add(&mut q, &rest, s)?;
        }
        Ok(q)
    }

    /// Takes up the pair of the lanes that moved.
    fn remember(
        &mut self,
        space: &impl Space,
        (point, old_point): (&Vector, &Vector),
        (gradient, old_gradient): (&Vector, &Vector),
        has_moved: &[bool; LANES],
    ) -> Result<()> {
        if self.pairs.len() == HISTORY {
            self.pairs.rotate_left(1);
        } else {
            self.pairs.push((vec![Lanes::ZERO; point.len()], vec![Lanes::ZERO; point.len()], [0.0; LANES]));
        }
        self.take_back(&has_moved.map(|moved| !moved));
        let newest = self.pairs.len() - 1;
        let (s, y, rho) = &mut self.pairs[newest];
        subtract(s, point, old_point, has_moved);
        subtract(y, gradient, old_gradient, has_moved);
        let (sy, ss, yy) = (space.dot(s, y)?, space.dot(s, s)?, space.dot(y, y)?);
        for index in (0..LANES).filter(|&index| has_moved[index]) {
            // Curvature below rounding says nothing.
            let says = sy[index] > 1e-9 * (ss[index] * yy[index]).sqrt();
            rho[index] = if says { 1.0 / sy[index] } else { 0.0 };
            if says {
                self.scale[index] = sy[index] / yy[index];
            }
        }
        Ok(())
    }

    /// After the slots moved on by one: the chosen lanes go back to where they were, their oldest slot first.
    fn take_back(&mut self, chosen: &[bool; LANES]) {
        if !chosen.contains(&true) {
            return;
        }
        for slot in (1..self.pairs.len()).rev() {
            let (older, newer) = self.pairs.split_at_mut(slot);
            let (older, newer) = (&mut older[slot - 1], &mut newer[0]);
            swap(&mut older.0, &mut newer.0, chosen);
            swap(&mut older.1, &mut newer.1, chosen);
            for index in (0..LANES).filter(|&index| chosen[index]) {
                std::mem::swap(&mut older.2[index], &mut newer.2[index]);
            }
        }
    }

    fn forget(&mut self, index: usize) {
        for (_, _, rho) in &mut self.pairs {
            rho[index] = 0.0;
        }
    }
}

/// Takes over the lanes that are chosen.
fn select(target: &mut Vector, source: &Vector, chosen: &[bool; LANES]) {
    for (target, source) in target.iter_mut().zip(source) {
        for ((target, source), &chosen) in target.0.iter_mut().zip(source.0).zip(chosen) {
            *target = if chosen { source } else { *target };
        }
    }
}

/// Exchanges the lanes that are chosen.
fn swap(a: &mut Vector, b: &mut Vector, chosen: &[bool; LANES]) {
    for (a, b) in a.iter_mut().zip(b) {
        for ((a, b), &chosen) in a.0.iter_mut().zip(&mut b.0).zip(chosen) {
            (*a, *b) = if chosen { (*b, *a) } else { (*a, *b) };
        }
    }
}

/// target = new - old in the lanes that are chosen.
fn subtract(target: &mut Vector, new: &Vector, old: &Vector, chosen: &[bool; LANES]) {
    for ((target, new), old) in target.iter_mut().zip(new).zip(old) {
        for (((target, new), old), &chosen) in target.0.iter_mut().zip(new.0).zip(old.0).zip(chosen) {
            *target = if chosen { new - old } else { *target };
        }
    }
}
