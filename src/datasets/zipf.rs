//! Ranks k drawn with weight k^-eta: one at a time, and several distinct ones.
//!
//! One rank comes from rejection-inversion (W. Hörmann and G. Derflinger, ACM Trans. Model. Comput. Simul. 6, 169
//! (1996)): memory and time do not depend on how many ranks there are. With h(x) = (x/a)^-eta on a..=b and H its
//! integral, invert a uniform u of (H(a + 1/2) - h(a), H(b + 1/2)], round to k, and accept where
//! u >= H(k + 1/2) - h(k); h is convex, so that stretch of length h(k) lies within the part of u that rounds to k.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::RangeInclusive;

use rand_core::Rng;

use crate::random::{below, uniform};

/// The largest rank: up to here f64 tells neighbouring ranks apart through logarithm and exponential.
pub(super) const MAX_RANK: u64 = 1 << 40;

/// The law of one rank k of first..=last: probability proportional to k^-exponent.
#[derive(Clone, Debug)]
pub(super) struct Zipf {
    exponent: f64,
    first: u64,
    last: u64,
    /// H(first + 1/2) - h(first) and H(last + 1/2).
    integral: [f64; 2],
    /// A rank that inversion overshoots by no more than this is accepted without a second look.
    sure: f64,
}

impl Zipf {
    /// Ranks 1 <= `first` <= `last` <= [`MAX_RANK`] and an exponent that is finite and >= 0.
    pub(super) fn new(exponent: f64, ranks: RangeInclusive<u64>) -> Self {
        let (first, last) = ranks.into_inner();
        debug_assert!(
            1 <= first && first <= last && last <= MAX_RANK && exponent >= 0.0 && exponent.is_finite()
        );
        let mut law = Self { exponent, first, last, integral: [0.0; 2], sure: 0.0 };
        let (low, second) = (first as f64, first as f64 + 1.0);
        law.integral = [law.integral_to(low + 0.5) - law.weight(low), law.integral_to(last as f64 + 0.5)];
        // The bound is smallest at the second rank; the first is always accepted.
        law.sure = second - law.inverse(law.integral_to(second + 0.5) - law.weight(second));
        law
    }

    /// One rank.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> u64 {
        if self.exponent == 0.0 {
            return self.first + below(rng, self.last - self.first + 1);
        }
        loop {
            let [low, high] = self.integral;
            let u = high + uniform(rng) * (low - high);
            let x = self.inverse(u);
            let k = (x + 0.5).floor().clamp(self.first as f64, self.last as f64);
            if k - x <= self.sure || u >= self.integral_to(k + 0.5) - self.weight(k) {
                return k as u64;
            }
        }
    }

    /// `count` distinct ranks drawn one after the other without replacement, each with its weight among those left.
    ///
    /// `count` must not exceed the number of ranks. All of them come in ascending order, without a random number.
    pub(super) fn draw_distinct(&self, rng: &mut impl Rng, count: usize) -> Vec<u64> {
        let n_ranks = self.last - self.first + 1;
        debug_assert!(count as u64 <= n_ranks);
        if count as u64 == n_ranks {
            (self.first..=self.last).collect()
        } else if count as u64 > n_ranks / 4 {
            self.distinct_by_clocks(rng, count)
        } else {
            self.distinct_by_redrawing(rng, count)
        }
    }

    /// Redraws a rank that was drawn before, which is drawing without replacement.
    ///
    /// Once the first ranks are all drawn, the law is cut to what follows them. Its first rank is then left to draw and
    /// weighs at least as much as any of the fewer than `count` drawn ones behind it, so a trial succeeds with
    /// probability 1 / `count` or more, however steep the law.
    fn distinct_by_redrawing(&self, rng: &mut impl Rng, count: usize) -> Vec<u64> {
        let mut ranks = Vec::with_capacity(count);
        let mut drawn_ahead = BTreeSet::new();
        let mut law = self.clone();
        while ranks.len() < count {
            let rank = law.draw(rng);
            if !drawn_ahead.insert(rank) {
                continue;
            }
            ranks.push(rank);
            let mut first = law.first;
            while drawn_ahead.remove(&first) {
                first += 1;
            }
            if first > law.first && first <= law.last {
                law = Self::new(self.exponent, first..=self.last);
            }
        }
        ranks
    }

    /// Gives each rank an exponential clock of rate k^-exponent; the clocks ring in the order of drawing without
    /// replacement (P. S. Efraimidis and P. G. Spirakis, Inf. Process. Lett. 97, 181 (2006)). Takes time in proportion
    /// to the number of ranks, which is no more than a few times `count` where this is used.
    fn distinct_by_clocks(&self, rng: &mut impl Rng, count: usize) -> Vec<u64> {
        let mut earliest = BinaryHeap::with_capacity(count + 1);
        for rank in self.first..=self.last {
            // The logarithm of the ringing time, which k^exponent itself could overflow.
            let time = libm::log(-libm::log(1.0 - uniform(rng))) + self.exponent * libm::log(rank as f64);
            earliest.push(Clock { time, rank });
            if earliest.len() > count {
                earliest.pop();
            }
        }
        earliest.into_sorted_vec().into_iter().map(|clock| clock.rank).collect()
    }

    /// h(x) = (x / first)^-exponent: relative to the first rank, so that a steep law does not underflow.
    fn weight(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x / self.first as f64))
    }

    /// H(x), the integral of h from `first` to x.
    fn integral_to(&self, x: f64) -> f64 {
        let log = libm::log(x / self.first as f64);
        self.first as f64 * log * expm1_over((1.0 - self.exponent) * log)
    }

    /// The x with H(x) = `integral`.
    fn inverse(&self, integral: f64) -> f64 {
        let scaled = integral / self.first as f64;
        // A steep law's H approaches -1 here; rounding past it means beyond the last rank.
        let argument = (scaled * (1.0 - self.exponent)).max(-1.0);
        (self.first as f64 * libm::exp(scaled * ln1p_over(argument))).min(self.last as f64 + 0.5)
    }
}

/// (exp(x) - 1) / x, 1 at 0.
fn expm1_over(x: f64) -> f64 {
    if x.abs() < 1e-8 { 1.0 + x / 2.0 } else { libm::expm1(x) / x }
}

/// ln(1 + x) / x, 1 at 0.
fn ln1p_over(x: f64) -> f64 {
    if x.abs() < 1e-8 { 1.0 - x / 2.0 } else { libm::log1p(x) / x }
}

/// When a rank's clock rings; ordered by time, then rank.
struct Clock {
    time: f64,
    rank: u64,
}

impl Ord for Clock {
    fn cmp(&self, other: &Self) -> Ordering {
        self.time.total_cmp(&other.time).then(self.rank.cmp(&other.rank))
    }
}

impl PartialOrd for Clock {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Clock {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    /// Weights of the ranks, normalised, by the system's powf: accurate enough to test against.
    fn probabilities(exponent: f64, ranks: RangeInclusive<u64>) -> Vec<f64> {
        let first = *ranks.start() as f64;
        let weights: Vec<f64> = ranks.map(|rank| (rank as f64 / first).powf(-exponent)).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    /// Pearson's chi-square over cells that expect 10 counts or more, rarer ones merged; its mean is the number of
    /// degrees of freedom f, its variance 2 f. Returns (chi-square - f) / sqrt(2 f).
    fn chi_square(counts: &[u64], probabilities: &[f64]) -> f64 {
        let n_draws = counts.iter().sum::<u64>() as f64;
        let (mut chi_square, mut n_cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
        let mut add = |count: f64, expected: f64| {
            chi_square += (count - expected).powi(2) / expected;
            n_cells += 1.0;
        };
        for (&count, probability) in counts.iter().zip(probabilities) {
            let expected = n_draws * probability;
            if expected < 10.0 {
                rest = (rest.0 + count as f64, rest.1 + expected);
            } else {
                add(count as f64, expected);
            }
        }
        if rest.1 > 5.0 {
            add(rest.0, rest.1);
        }
        if n_cells < 2.0 { 0.0 } else { (chi_square - (n_cells - 1.0)) / (2.0 * (n_cells - 1.0)).sqrt() }
    }

    /// Five standard deviations, with room for the skewness of chi-square at few degrees of freedom.
    const LIMIT: f64 = 6.0;

    #[test]
    fn single_ranks_follow_the_law() {
        for exponent in [0.0, 1e-9, 0.5, 1.0 - 1e-10, 1.0, 1.5, 2.0, 4.0] {
            for (first, last) in [(1, 1), (1, 2), (1, 60), (7, 40), (1000, 1100), (1, 3000)] {
                let law = Zipf::new(exponent, first..=last);
                let mut rng = stream(first, "zipf test", &[last, exponent.to_bits()]);
                let mut counts = vec![0; (last - first + 1) as usize];
                for _ in 0..100_000 {
                    counts[(law.draw(&mut rng) - first) as usize] += 1;
                }
                let deviation = chi_square(&counts, &probabilities(exponent, first..=last));
                assert!(deviation < LIMIT, "eta {exponent}, ranks {first}..={last}: {deviation}");
            }
        }
    }

    /// At eta = 0 over 2^40 ranks the mean is the middle; at eta = 2 the first rank has probability 1 / zeta(2).
    #[test]
    fn the_longest_range_is_drawn_from() {
        let n = 20_000;
        let mut rng = stream(1, "zipf test", &[]);
        let uniform = Zipf::new(0.0, 1..=MAX_RANK);
        let mean =
            (0..n).map(|_| uniform.draw(&mut rng) as f64).sum::<f64>() / f64::from(n) / MAX_RANK as f64;
        assert!((mean - 0.5).abs() < 5.0 / f64::from(12 * n).sqrt(), "{mean}");
        let steep = Zipf::new(2.0, 1..=MAX_RANK);
        let ones = (0..n).filter(|_| steep.draw(&mut rng) == 1).count() as f64 / f64::from(n);
        let expected = 6.0 / std::f64::consts::PI.powi(2);
        assert!(
            (ones - expected).abs() < 5.0 * (expected * (1.0 - expected) / f64::from(n)).sqrt(),
            "{ones}"
        );
    }

    /// Adds to `frequency[k]` the probability that rank k is drawn, by going through every sequence of draws.
    fn enumerate(
        weights: &[f64],
        drawn: &mut Vec<usize>,
        count: usize,
        probability: f64,
        frequency: &mut [f64],
    ) {
        if drawn.len() == count {
            drawn.iter().for_each(|&rank| frequency[rank] += probability);
            return;
        }
        let left = |drawn: &[usize], rank: usize| if drawn.contains(&rank) { 0.0 } else { weights[rank] };
        let total: f64 = (0..weights.len()).map(|rank| left(drawn, rank)).sum();
        for rank in 0..weights.len() {
            let weight = left(drawn, rank);
            if weight > 0.0 {
                drawn.push(rank);
                enumerate(weights, drawn, count, probability * weight / total, frequency);
                drawn.pop();
            }
        }
    }

    /// Either way of drawing gives each rank the frequency of the enumeration, within five standard errors.
    #[test]
    fn distinct_ranks_have_the_frequencies_of_drawing_without_replacement() {
        let n_draws = 40_000;
        for exponent in [0.0, 0.7, 1.0, 1.5, 3.0] {
            for (first, last, count) in [(1, 6, 3), (1, 5, 4), (3, 9, 2), (1, 13, 3), (2, 8, 1)] {
                let law = Zipf::new(exponent, first..=last);
                let weights = probabilities(exponent, first..=last);
                let mut expected = vec![0.0; weights.len()];
                enumerate(&weights, &mut vec![], count, 1.0, &mut expected);
                let by_clocks: fn(&Zipf, &mut _, usize) -> Vec<u64> = Zipf::distinct_by_clocks;
                for (name, way) in [("clocks", by_clocks), ("redrawing", Zipf::distinct_by_redrawing)] {
                    let mut rng = stream(last, name, &[exponent.to_bits()]);
                    let mut counts = vec![0; weights.len()];
                    for _ in 0..n_draws {
                        let ranks = way(&law, &mut rng, count);
                        assert_eq!(BTreeSet::from_iter(&ranks).len(), count);
                        ranks.iter().for_each(|rank| counts[(rank - first) as usize] += 1);
                    }
                    for (rank, (&count, &p)) in counts.iter().zip(&expected).enumerate() {
                        let error = (p * (1.0 - p) / f64::from(n_draws)).sqrt();
                        let deviation = f64::from(count) / f64::from(n_draws) - p;
                        assert!(
                            deviation.abs() < 5.0 * error + 1e-9,
                            "{name}, eta {exponent}, {first}..={last}, rank {rank}: {deviation} over {error}"
                        );
                    }
                }
            }
        }
    }

    /// The order of the draws follows the law too: the first one has the law of a single draw.
    #[test]
    fn the_first_of_several_ranks_follows_the_law() {
        let law = Zipf::new(1.2, 1..=20);
        let by_clocks: fn(&Zipf, &mut _, usize) -> Vec<u64> = Zipf::distinct_by_clocks;
        for way in [by_clocks, Zipf::distinct_by_redrawing] {
            let mut rng = stream(1, "first rank test", &[]);
            let mut counts = [0; 20];
            for _ in 0..50_000 {
                counts[way(&law, &mut rng, 5)[0] as usize - 1] += 1;
            }
            assert!(chi_square(&counts, &probabilities(1.2, 1..=20)) < LIMIT);
        }
    }

    /// A steep law draws the first ranks, nearly all of them or all: neither needs a search among rare ranks.
    #[test]
    fn steep_laws_and_full_draws_end() {
        let mut rng = stream(1, "steep test", &[]);
        for exponent in [30.0, 1e3, 1e308] {
            assert_eq!(Zipf::new(exponent, 1..=MAX_RANK).draw_distinct(&mut rng, 4).len(), 4);
            let mut ranks = Zipf::new(exponent, 5..=50).draw_distinct(&mut rng, 45);
            ranks.sort_unstable();
            ranks.dedup();
            assert_eq!(ranks.len(), 45);
        }
        assert_eq!(Zipf::new(1e3, 1..=MAX_RANK).draw_distinct(&mut rng, 3), [1, 2, 3]);
        assert_eq!(Zipf::new(1.0, 3..=6).draw_distinct(&mut rng, 4), [3, 4, 5, 6]);
        assert_eq!(Zipf::new(0.0, 1..=100_000).draw_distinct(&mut rng, 99_999).len(), 99_999);
    }
}
