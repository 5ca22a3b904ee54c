use super::*;
use crate::random::{gaussian, stream};
use rand_core::Rng;

/// Sites on a ring of chords with 0 to [`MAX_DEGREE`] neighbours.
fn sites(n_sites: u32) -> Vec<Vec<(u32, f64)>> {
    let mut rng = stream(1, "heat bath test", &[]);
    let neighbours = |site: u32| (1..=site % (MAX_DEGREE as u32 + 1)).map(move |k| (site + k) % n_sites);
    (0..n_sites).map(|site| neighbours(site).map(|other| (other, gaussian(&mut rng))).collect()).collect()
}

fn random(seed: u64) -> ReplicaRandom {
    let mut rng = stream(seed, "heat bath test numbers", &[]);
    ReplicaRandom::new(|| rng.next_u64())
}

fn states(n_sites: usize) -> Vec<ReplicaBits> {
    let mut rng = stream(2, "heat bath test states", &[]);
    (0..n_sites).map(|_| ReplicaBits(std::array::from_fn(|_| rng.next_u64()))).collect()
}

#[test]
fn every_twin_has_the_same_bits() {
    let table = HeatBathTable::new(&sites(50), 0.4);
    let run = |isa| {
        let (mut states, mut random) = (states(50), random(3));
        (0..20).for_each(|_| heat_bath_sweep(isa, &table, &mut states, &mut random));
        (states, random)
    };
    let expected = run(Isa::Scalar);
    for isa in Isa::available() {
        assert!(run(isa) == expected, "{}", isa.name());
    }
}

/// The first site is visited while its neighbours keep their states: over many visits each replica's spin is up with the
/// probability of its field, to five standard errors of so many draws, and two replicas in the same state are independent.
#[test]
fn spins_follow_their_fields() {
    let n_visits = 4000;
    for degree in 0..=MAX_DEGREE {
        let couplings: Vec<f64> = (0..degree).map(|k| 0.3 + 0.2 * k as f64).collect();
        let of_first = (1..).zip(couplings.iter().copied()).collect();
        let table = HeatBathTable::new(&[of_first], 0.7);
        let mut random = random(5);
        let mut states = states(degree + 1);
        // Replicas 0 and 200 are twins in their neighbours.
        for state in &mut states[1..] {
            state.0[3] = state.0[3] & !(1 << 8) | (state.0[0] & 1) << 8;
        }
        let spin = |bits: &ReplicaBits, replica: usize| {
            if bits.0[replica / 64] >> (replica % 64) & 1 == 1 { 1.0 } else { -1.0 }
        };
        let mut sums = [0.0; REPLICAS];
        let mut product = 0.0;
        for _ in 0..n_visits {
            heat_bath_sweep(Isa::detect(), &table, &mut states, &mut random);
            for (replica, sum) in sums.iter_mut().enumerate() {
                *sum += spin(&states[0], replica);
            }
            product += spin(&states[0], 0) * spin(&states[0], 200);
        }
        let n = f64::from(n_visits);
        let expected = |replica: usize| {
            let field: f64 = couplings.iter().zip(&states[1..]).map(|(j, s)| j * spin(s, replica)).sum();
            libm::tanh(0.7 * field)
        };
        for (replica, sum) in sums.into_iter().enumerate() {
            let (mean, expected) = (sum / n, expected(replica));
            // Five standard errors; one replica in a hundred or so of all degrees would leave three.
            let error = 5.0 * ((1.0 - expected * expected) / n).sqrt();
            assert!(
                (mean - expected).abs() < error,
                "degree {degree}, replica {replica}: {mean}, {expected}"
            );
        }
        let together = expected(0) * expected(200);
        assert!((product / n - together).abs() < 5.0 / n.sqrt(), "degree {degree}");
    }
}

/// Thresholds are whole numbers of 2^-64; that of a field far above the temperature saturates there.
#[test]
fn strong_fields_leave_no_choice() {
    let table = HeatBathTable::new(&[vec![(1, 1e6)]], 1.0);
    let mut states = states(2);
    let mut random = random(7);
    for _ in 0..100 {
        heat_bath_sweep(Isa::detect(), &table, &mut states, &mut random);
        assert_eq!(states[0], states[1]);
    }
}
