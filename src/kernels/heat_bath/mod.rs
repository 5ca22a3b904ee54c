//! The heat bath of 256 replicas at a time: one bit a replica, each replica with random numbers of its own.
//!
//! A spin i with neighbours s_1..s_d is set to s_d with probability p_c = 1 / (1 + exp(-2 beta (J_d + sum_k J_k s_k s_d))),
//! else to -s_d. Without a field of its own that is all of the heat bath; c, the bits of the neighbours that differ from the
//! last one, has 2^(d - 1) values, and a site has a threshold p_c for each.
//!
//! ```text
//! masks:  M_c = replicas whose neighbours are in configuration c           d - 1 differences, 2^d operations
//! digits: for the first 8 binary digits of p: P = OR over c of M_c where p_c has the digit
//!         draw U, a random bit a replica; a replica is decided where U and P differ first, and follows P there
//! rest:   a replica that 8 digits leave undecided (1 in 256) draws the other 56 digits as one number
//! ```
//!
//! So p is resolved to 2^-64 at the cost of 8 random bits a replica. Random bits are those of four xoshiro256++ generators side by side (Blackman and
//! Vigna, arXiv:1805.01407); the rest is drawn from a SplitMix64 of its own. Sites are visited in order.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod plain;

use super::Isa;
use super::dispatch::twins;

/// Replicas in one call.
pub const REPLICAS: usize = 256;
/// Largest number of neighbours.
pub const MAX_DEGREE: usize = 6;
/// Binary digits of p that all replicas compare.
const DIGITS: usize = 8;

/// One bit a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(32))]
pub struct ReplicaBits(pub [u64; 4]);

/// Random numbers of 256 replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaRandom {
    digits: [ReplicaBits; 4], // xoshiro256++ states, [word of the state][generator]
    rest: u64,
}

impl ReplicaRandom {
    /// From 17 random words; the four generators' states must not be all 0, which random words never are.
    pub fn new(mut words: impl FnMut() -> u64) -> Self {
        let digits = std::array::from_fn(|_| ReplicaBits(std::array::from_fn(|_| words())));
        Self { digits, rest: words() }
    }
}

/// What a sweep needs to know of the sites and their neighbours at one temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatBathTable {
    sites: Vec<Site>,
    neighbours: Vec<u32>,
    thresholds: Vec<u64>, // [entry], p 2^64
    digits: Vec<u8>,      // [entry / entries of the site][digit][entry], 0xff where p has the digit
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Site {
    first_neighbour: u32,
    first_entry: u32,
    degree: u8,
}

impl HeatBathTable {
    /// For sites with these neighbours and couplings, at inverse temperature `beta`.
    ///
    /// # Panics
    /// If a site has more than [`MAX_DEGREE`] neighbours.
    pub fn new(neighbours: &[Vec<(u32, f64)>], beta: f64) -> Self {
        let mut table =
            Self { sites: Vec::new(), neighbours: Vec::new(), thresholds: Vec::new(), digits: Vec::new() };
        for of_site in neighbours {
            assert!(of_site.len() <= MAX_DEGREE, "{} neighbours", of_site.len());
            let first_entry = table.thresholds.len();
            table.sites.push(Site {
                first_neighbour: table.neighbours.len() as u32,
                first_entry: first_entry as u32,
                degree: of_site.len() as u8,
            });
            table.neighbours.extend(of_site.iter().map(|&(site, _)| site));
            let Some((&(_, last), others)) = of_site.split_last() else { continue };
            for configuration in 0..1usize << others.len() {
                let signed = |(k, &(_, coupling)): (usize, &(u32, f64))| {
                    if configuration >> k & 1 == 1 { -coupling } else { coupling }
                };
                let field = last + others.iter().enumerate().map(signed).sum::<f64>();
                let probability = 1.0 / (1.0 + libm::exp(-2.0 * beta * field));
                // A product of 2^64 saturates: p is off by 2^-64.
                table.thresholds.push((probability * 18_446_744_073_709_551_616.0) as u64);
            }
            for digit in 0..DIGITS {
                let has = |&threshold: &u64| if threshold >> (63 - digit) & 1 == 1 { 0xff } else { 0 };
                table.digits.extend(table.thresholds[first_entry..].iter().map(has));
            }
        }
        table
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.sites.len()
    }
}

/// Sets every site once, in order. `states` is `[site]`.
///
/// # Panics
/// If there are fewer states than sites.
pub fn heat_bath_sweep(
    isa: Isa,
    table: &HeatBathTable,
    states: &mut [ReplicaBits],
    random: &mut ReplicaRandom,
) {
    assert!(states.len() >= table.n_sites(), "{} states of {} sites", states.len(), table.n_sites());
    twins!(
        isa,
        avx2::sweep(table, states, random),
        sweep::<[u64; 4]>(table, states, random),
        sweep::<[u64; 4]>(table, states, random)
    );
}

/// 256 bits in registers, also four 64-bit numbers.
trait Bits: Copy {
    const ZERO: ReplicaBits = ReplicaBits([0; 4]);
    fn load(bits: &ReplicaBits) -> Self;
    fn store(self, bits: &mut ReplicaBits);
    /// The byte 256 / 8 times.
    fn splat(byte: u8) -> Self;
    fn and(self, other: Self) -> Self;
    /// The bits of self that other does not have.
    fn and_not(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn shift_left<const BY: i32>(self) -> Self;
    fn shift_right<const BY: i32>(self) -> Self;
    #[inline(always)]
    fn rotate_left<const BY: i32, const BACK: i32>(self) -> Self {
        const { assert!(BY + BACK == 64) };
        self.shift_left::<BY>().or(self.shift_right::<BACK>())
    }
}

/// The four generators in registers.
#[derive(Clone, Copy)]
struct Xoshiro<B>([B; 4]);

impl<B: Bits> Xoshiro<B> {
    #[inline(always)]
    fn next(&mut self) -> B {
        let [s0, s1, s2, s3] = self.0;
        let result = s0.add(s3).rotate_left::<23, 41>().add(s0);
        let shifted = s1.shift_left::<17>();
        let (s2, s3) = (s2.xor(s0), s3.xor(s1));
        let (s1, s0) = (s1.xor(s2), s0.xor(s3));
        self.0 = [s0, s1, s2.xor(shifted), s3.rotate_left::<45, 19>()];
        result
    }
}

/// The next number of SplitMix64 (Steele, Lea and Flood 2014).
#[inline(always)]
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[inline(always)]
fn sweep<B: Bits>(table: &HeatBathTable, states: &mut [ReplicaBits], random: &mut ReplicaRandom) {
    let [s0, s1, s2, s3] = &random.digits;
    let mut digits = Xoshiro([B::load(s0), B::load(s1), B::load(s2), B::load(s3)]);
    let mut rest = random.rest;
    for (index, site) in table.sites.iter().enumerate() {
        let spin = match site.degree {
            0 => digits.next(),
            1 => visit::<B, 1, 1>(table, site, states, &mut digits, &mut rest),
            2 => visit::<B, 2, 2>(table, site, states, &mut digits, &mut rest),
            3 => visit::<B, 3, 4>(table, site, states, &mut digits, &mut rest),
            4 => visit::<B, 4, 8>(table, site, states, &mut digits, &mut rest),
            5 => visit::<B, 5, 16>(table, site, states, &mut digits, &mut rest),
            _ => visit::<B, 6, 32>(table, site, states, &mut digits, &mut rest),
        };
        spin.store(&mut states[index]);
    }
    for (word, state) in random.digits.iter_mut().zip(digits.0) {
        state.store(word);
    }
    random.rest = rest;
}

/// The new spin of a site with D neighbours, ENTRIES = 2^(D - 1).
#[inline(always)]
fn visit<B: Bits, const D: usize, const ENTRIES: usize>(
    table: &HeatBathTable,
    site: &Site,
    states: &[ReplicaBits],
    digits: &mut Xoshiro<B>,
    rest: &mut u64,
) -> B {
    let neighbours = &table.neighbours[site.first_neighbour as usize..][..D];
    let first_entry = site.first_entry as usize;
    let last = B::load(&states[neighbours[D - 1] as usize]);
    let all = B::splat(0xff);
    let mut masks = [all; ENTRIES];
    for (k, &neighbour) in neighbours[..D - 1].iter().enumerate() {
        let differs = B::load(&states[neighbour as usize]).xor(last);
        for configuration in 0..1 << k {
            let mask = masks[configuration];
            masks[configuration + (1 << k)] = mask.and(differs);
            masks[configuration] = mask.and_not(differs);
        }
    }
    let (mut undecided, mut same) = (all, B::splat(0));
    let tables = &table.digits[first_entry * DIGITS..][..ENTRIES * DIGITS];
    for digit in 0..DIGITS {
        let mut of_p = masks[0].and(B::splat(tables[digit * ENTRIES]));
        for configuration in 1..ENTRIES {
            of_p = of_p.or(masks[configuration].and(B::splat(tables[digit * ENTRIES + configuration])));
        }
        let decided = undecided.and(digits.next().xor(of_p));
        same = same.or(decided.and(of_p));
        undecided = undecided.and_not(decided);
    }
    let (mut left, mut same_bits) = (B::ZERO, B::ZERO);
    undecided.store(&mut left);
    if left != B::ZERO {
        let thresholds = &table.thresholds[first_entry..][..ENTRIES];
        same.store(&mut same_bits);
        for (word, mut left) in left.0.into_iter().enumerate() {
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                let up = |neighbour: u32| states[neighbour as usize].0[word] >> bit & 1;
                let of_last = up(neighbours[D - 1]);
                let mut configuration = 0;
                for (k, &neighbour) in neighbours[..D - 1].iter().enumerate() {
                    configuration |= ((up(neighbour) ^ of_last) as usize) << k;
                }
                let below = split_mix(rest) >> DIGITS < thresholds[configuration] << DIGITS >> DIGITS;
                same_bits.0[word] |= u64::from(below) << bit;
            }
        }
        same = B::load(&same_bits);
    }
    same.xor(last).xor(all)
}

#[cfg(test)]
mod tests;
