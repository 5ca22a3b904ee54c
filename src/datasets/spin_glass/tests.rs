use super::energy::plain_energy;
use super::*;
use crate::kernels::Isa;
use crate::spins::SpinMatrix;

const SPIN_GLASS: BondLaw = BondLaw::PlusMinus { ferromagnetic_fraction: 0.5 };
const FERROMAGNET: BondLaw = BondLaw::PlusMinus { ferromagnetic_fraction: 1.0 };

fn glass(lattice: Lattice, law: BondLaw, temperature: f64, n_patterns: usize) -> SpinGlass {
    SpinGlass::new(BondSource::Lattice { lattice, law, seed: 11 }, temperature, n_patterns, 0, 12)
}

fn square(side: usize, boundary: Boundary) -> Lattice {
    Lattice::Square { side, boundary }
}

fn execution() -> Execution {
    Execution::with_threads(2).unwrap()
}

/// Means and variances of the energy and of all products of two spins, by the sum over all states.
fn enumerate(bonds: &Bonds, temperature: f64) -> ((f64, f64), Vec<f64>) {
    let n = bonds.n_spins();
    let (mut z, mut energy, mut square) = (0.0, 0.0, 0.0);
    let mut products = vec![0.0; n * n];
    for state in 0u32..1 << n {
        let spin = |site: usize| if state >> site & 1 == 1 { 1.0 } else { -1.0 };
        let e = plain_energy(bonds, spin);
        let weight = libm::exp(-e / temperature);
        z += weight;
        energy += weight * e;
        square += weight * e * e;
        for i in 0..n {
            let signed = if spin(i) > 0.0 { weight } else { -weight };
            for (j, product) in products[i * n..][..i].iter_mut().enumerate() {
                *product += signed * spin(j);
            }
        }
    }
    let mean = energy / z;
    ((mean, square / z - mean * mean), products.into_iter().map(|product| product / z).collect())
}

fn energies(bonds: &Bonds, states: &SpinMatrix) -> Vec<f64> {
    let of = |row| plain_energy(bonds, |site| f64::from(states.spin(row, site)));
    (0..states.n_rows()).map(of).collect()
}

/// Samples against the sum over all states: the mean energy and every product of two spins, to five standard errors of
/// independent samples. What samples of a chain share after 40 autocorrelation times is not seen in their squared overlaps, and widens those by less.
fn agrees_with_enumeration(glass: &SpinGlass) {
    let (data, evidence) = glass.generate(&execution()).unwrap();
    assert_eq!(evidence.doubts(), Vec::<String>::new());
    assert!(evidence.sampling.temperatures.len() > 1, "nothing was exchanged");
    let bonds = data.bonds.as_ref().unwrap();
    let n_samples = data.n_patterns() as f64;
    let ((energy, variance), products) = enumerate(bonds, glass.temperature);
    let found = energies(bonds, &data.train).iter().sum::<f64>() / n_samples;
    assert!((found - energy).abs() < 5.0 * (variance / n_samples).sqrt(), "{glass:?}: {found}, {energy}");
    let n = bonds.n_spins();
    let columns = data.train.transposed();
    for i in 0..n {
        let up: u32 = columns.row(i).iter().map(|word| word.count_ones()).sum();
        let mean = 2.0 * f64::from(up) / n_samples - 1.0;
        assert!(mean.abs() < 5.0 / n_samples.sqrt(), "spin {i}: {mean}");
        for j in 0..i {
            let differ: u32 =
                columns.row(i).iter().zip(columns.row(j)).map(|(a, b)| (a ^ b).count_ones()).sum();
            let found = 1.0 - 2.0 * f64::from(differ) / n_samples;
            let exact = products[i * n + j];
            let error = 5.0 * ((1.0 - exact * exact) / n_samples).sqrt();
            assert!((found - exact).abs() < error, "{glass:?}, spins {i} and {j}: {found}, {exact}");
        }
    }
    // The means over the runs of all chains know the energy better still.
    let from_chains = evidence.train.energy;
    assert!((from_chains.value - energy / n as f64).abs() < 5.0 * from_chains.error, "{from_chains:?}");
}

#[test]
fn sixteen_spins_agree_with_all_their_states() {
    for boundary in [Boundary::Periodic, Boundary::Open] {
        for law in [BondLaw::Gaussian, SPIN_GLASS] {
            agrees_with_enumeration(&glass(square(4, boundary), law, 0.9, 20_000));
        }
    }
}

/// Eight corners of a cube have three neighbours each; of 3 x 3 x 3 = 27 a periodic cube would be too many to enumerate, so
/// six neighbours are given as bonds: 13 spins on a ring, each coupled with the next three.
#[test]
fn three_and_six_neighbours_agree_with_all_their_states() {
    let cube = Lattice::Cubic { side: 2, boundary: Boundary::Open };
    agrees_with_enumeration(&glass(cube, BondLaw::Gaussian, 0.8, 20_000));
    let ring = (0..13).flat_map(|i| (1..4).map(move |d| (i, (i + d) % 13, 0.3 * d as f64 - 0.5)));
    let bonds = BondSource::Given(Bonds::new(13, ring).unwrap());
    agrees_with_enumeration(&SpinGlass::new(bonds, 0.7, 20_000, 0, 3));
}

/// Sherrington and Kirkpatrick's model keeps local fields.
#[test]
fn the_complete_graph_agrees_with_all_its_states() {
    let lattice = Lattice::Complete { n_spins: 12 };
    for law in [BondLaw::Gaussian, SPIN_GLASS] {
        agrees_with_enumeration(&glass(lattice, law, 0.5, 10_000));
    }
}

/// E of the open L x L ferromagnet, by transfer of (Z, dZ) from row to row: dZ sums weight times energy.
fn open_ferromagnet_energy(side: usize, beta: f64) -> f64 {
    let n_states = 1usize << side;
    let spin = |state: usize, site: usize| if state >> site & 1 == 1 { 1.0 } else { -1.0 };
    let within =
        |state: usize| -> f64 { -(1..side).map(|x| spin(state, x) * spin(state, x - 1)).sum::<f64>() };
    let between = |a: usize, b: usize| -> f64 { -(0..side).map(|x| spin(a, x) * spin(b, x)).sum::<f64>() };
    let weighted = |energy: f64, (z, dz): (f64, f64)| {
        let weight = libm::exp(-beta * energy);
        (weight * z, weight * (dz + energy * z))
    };
    let add = |(a, b): (f64, f64), (c, d): (f64, f64)| (a + c, b + d);
    let mut sums: Vec<(f64, f64)> = (0..n_states).map(|state| weighted(within(state), (1.0, 0.0))).collect();
    for _ in 1..side {
        let next = |state: usize| {
            let from = |other: usize| weighted(between(state, other) + within(state), sums[other]);
            (0..n_states).map(from).fold((0.0, 0.0), add)
        };
        sums = (0..n_states).map(next).collect();
    }
    let (z, dz) = sums.into_iter().fold((0.0, 0.0), add);
    dz / z
}

/// Around the critical temperature 2.269, to five standard errors over independent chains.
#[test]
fn the_open_ferromagnet_has_its_exact_energy() {
    // Two spins in a row by hand: 4 spins on a ring, E = -4 t (1 + t^2) / (1 + t^4), t = tanh beta.
    let t = libm::tanh(0.4);
    let ring = -4.0 * (t + t.powi(3)) / (1.0 + t.powi(4));
    assert!((open_ferromagnet_energy(2, 0.4) - ring).abs() < 1e-12);
    for temperature in [1.8, 2.3, 3.5] {
        let glass = glass(square(8, Boundary::Open), FERROMAGNET, temperature, 2000);
        let (_, evidence) = glass.generate(&execution()).unwrap();
        assert_eq!(evidence.doubts(), Vec::<String>::new());
        let exact = open_ferromagnet_energy(8, 1.0 / temperature) / 64.0;
        let found = evidence.train.energy;
        assert!((found.value - exact).abs() < 5.0 * found.error, "T {temperature}: {found:?}, {exact}");
        // A sharp test, not one of large errors.
        assert!(found.error < 3e-3, "{found:?}");
    }
}

/// On Nishimori's line the disorder average of the energy per bond is -tanh(1/T), exactly, at every size: means over 12
/// sets of bonds, to five standard errors.
#[test]
fn the_nishimori_line_has_its_energy() {
    for (lattice, temperature) in [
        (square(10, Boundary::Periodic), 1.0),
        (square(9, Boundary::Open), 1.6),
        (Lattice::Cubic { side: 4, boundary: Boundary::Periodic }, 1.7),
    ] {
        let law = BondLaw::PlusMinus { ferromagnetic_fraction: 1.0 / (1.0 + libm::exp(-2.0 / temperature)) };
        let energies: Vec<f64> = (0..12)
            .map(|seed| {
                let bonds = BondSource::Lattice { lattice, law, seed };
                let glass =
                    SpinGlass { max_sweeps: 1 << 13, ..SpinGlass::new(bonds, temperature, 512, 0, seed) };
                let (data, evidence) = glass.generate(&execution()).unwrap();
                let per_bond = data.n_spins() as f64 / data.bonds.unwrap().len() as f64;
                evidence.train.energy.value * per_bond
            })
            .collect();
        let mean = Mean::of(&energies);
        let exact = -libm::tanh(1.0 / temperature);
        assert!((mean.value - exact).abs() < 5.0 * mean.error, "{lattice:?}: {mean:?}, {exact}");
        assert!(mean.error < 0.03, "{mean:?}");
    }
}

#[test]
fn threads_and_instruction_sets_do_not_matter() {
    for lattice in [square(5, Boundary::Open), Lattice::Complete { n_spins: 9 }] {
        let glass = SpinGlass { n_test: 70, ..glass(lattice, BondLaw::Gaussian, 1.0, 600) };
        let make = |n_threads, isa| {
            let pool = crate::execution::thread_pool(n_threads).unwrap();
            glass.generate(&Execution::new(pool, isa).unwrap()).unwrap()
        };
        let expected = make(1, Isa::detect());
        assert!(make(2, Isa::detect()) == expected);
        assert!(make(2, Isa::Scalar) == expected);
    }
}

#[test]
fn test_samples_are_another_run_of_the_same_bonds() {
    let glass =
        SpinGlass { n_test: 600, ..glass(square(6, Boundary::Periodic), BondLaw::Gaussian, 1.5, 600) };
    let (data, evidence) = glass.generate(&execution()).unwrap();
    let test = data.test.unwrap();
    assert_ne!(data.train, test);
    assert!(evidence.train.energy.agrees(evidence.test.unwrap().energy));
    // Smaller sets are the beginnings of larger ones of as many chains.
    let fewer = SpinGlass { n_patterns: 300, n_test: 0, ..glass }.generate(&execution()).unwrap().0;
    assert_eq!(fewer.train, data.train.head(300));
    assert_eq!(data.provenance["source"], "spin-glass");
    assert_eq!(data.provenance["equilibration_doubts"], "none");
    assert_eq!(data.provenance["boundary"], "periodic");
}

/// A cold glass without exchanges keeps its starts for longer than this: the evidence must say so.
#[test]
fn chains_that_keep_their_starts_are_told_of() {
    let glass = SpinGlass {
        ladder: Ladder::Given(vec![0.2]),
        equilibration: Some(0),
        spacing: Some(2),
        max_sweeps: 100,
        ..glass(square(12, Boundary::Periodic), BondLaw::Gaussian, 0.2, 600)
    };
    let (data, evidence) = glass.generate(&execution()).unwrap();
    let doubts = evidence.doubts().join("\n");
    assert!(!evidence.sampling.memory.settled);
    for words in ["did not agree", "train: energies of the two", "squared overlaps of the two starts"] {
        assert!(doubts.contains(words), "{words}: {doubts}");
    }
    assert!(data.provenance["equilibration_doubts"].contains("did not agree"));
    // A ladder in two pieces.
    let gap = SpinGlass { ladder: Ladder::Given(vec![0.2, 40.0]), ..glass };
    let doubts = gap.generate(&execution()).unwrap().1.doubts().join("\n");
    assert!(doubts.contains("of the exchanges between T = 0.2000 and 40.0000"), "{doubts}");
}

#[test]
fn parameters_out_of_range_are_refused() {
    let good = || glass(square(4, Boundary::Open), SPIN_GLASS, 1.0, 10);
    let message = |glass: SpinGlass| glass.generate(&execution()).unwrap_err().to_string();
    assert!(message(SpinGlass { n_patterns: 0, ..good() }).contains("patterns"));
    assert!(message(SpinGlass { temperature: 0.0, ..good() }).contains("temperature"));
    assert!(message(SpinGlass { spacing: Some(0), ..good() }).contains("spacing"));
    assert!(message(SpinGlass { max_sweeps: 0, ..good() }).contains("max-sweeps"));
    assert!(message(SpinGlass { n_chains: Some(0), ..good() }).contains("chains"));
    assert!(message(SpinGlass { equilibration: Some(u64::MAX), ..good() }).contains("equilibration"));
    assert!(message(SpinGlass { n_patterns: usize::MAX / 2, ..good() }).contains("fit in memory"));
    let small = BondSource::Lattice { lattice: square(2, Boundary::Periodic), law: SPIN_GLASS, seed: 0 };
    assert!(message(SpinGlass { bonds: small, ..good() }).contains("side"));
    let cancelled = execution();
    cancelled.cancel().cancel();
    assert!(matches!(good().generate(&cancelled), Err(Error::Interrupted)));
}

/// Pins the bits of a small set: a change here changes every seeded glass.
#[test]
fn samples_are_pinned() {
    let (data, _) =
        glass(square(4, Boundary::Open), BondLaw::Gaussian, 1.0, 3).generate(&execution()).unwrap();
    assert_eq!(data.train.words(), [62_285, 7_602, 57_945]);
}
