//! The curves of `attractor theory`: what each is, where it is from, and its table.

use attractor::theory::{
    Law, MaxStabilities, PseudoLikelihoodStabilities, StabilityDistribution, hebb_error, hopfield_capacity,
    hopfield_overlap, kappa_max, pseudo_inverse_stability,
};
use attractor::{Error, Result};

use super::numbers::Range;

/// A curve with a name.
pub struct Curve {
    pub name: &'static str,
    pub about: &'static str,
    pub source: &'static str,
    pub columns: &'static [&'static str],
    /// Loads where none are asked for; a curve without any has no load.
    default_loads: &'static [f64],
    rows: Rows,
}

/// How a curve gets its rows.
enum Rows {
    /// One in all.
    Constant(fn() -> Vec<f64>),
    /// The values behind the load.
    OfLoad(fn(f64) -> Result<Vec<f64>>),
    /// The values behind the load and lambda_eff.
    OfLoadAndNorm(fn(f64, f64) -> Result<Vec<f64>>),
    /// A distribution for each load (and lambda_eff): stability, density, cumulative.
    Distribution(fn(f64) -> Result<Box<dyn StabilityDistribution>>),
    DistributionAtNorm,
    /// The same with the atom's place and weight.
    DistributionWithAtom,
}

/// What the user asked for; none: the curve's own.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub loads: Option<Vec<f64>>,
    pub lambda_effs: Option<Vec<f64>>,
    pub stabilities: Option<Range>,
}

const LOADS: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const LAMBDA_EFFS: &[f64] = &[0.2, 0.8, 1.6];
/// Points of a density.
const N_POINTS: usize = 201;

impl Curve {
    pub const ALL: [Self; 9] = [
        Self {
            name: "kappa-max",
            about: "largest margin kappa of random patterns, 0 < load <= 2",
            source: "Gardner, J. Phys. A 21, 257 (1988): load int_{-kappa}^inf Dt (t + kappa)^2 = 1",
            columns: &["load", "kappa_max"],
            default_loads: &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0],
            rows: Rows::OfLoad(|load| Ok(vec![kappa_max(load)?])),
        },
        Self {
            name: "stability-at-margin",
            about: "stabilities of the couplings of largest margin, 0 < load <= 2: the fraction atom_weight has exactly \
                    kappa, the others this density",
            source: "Kepler and Abbott, J. Phys. (France) 49, 1657 (1988): Delta = max(t, kappa), t ~ N(0, 1)",
            columns: &["load", "kappa", "atom_weight", "stability", "density", "cumulative"],
            default_loads: &[0.4],
            rows: Rows::DistributionWithAtom,
        },
        Self {
            name: "pseudo-likelihood-stability",
            about: "stabilities of the pseudo-likelihood optimum at lambda_eff = lambda' |J_i|, load > 0",
            source: "Griniasty and Gutfreund, J. Phys. A 24, 715 (1991), and arXiv:2507.05147: Delta(t) minimises \
                     log 2cosh(lambda_eff Delta) - lambda_eff Delta + (Delta - t)^2 / 2x, load int Dt (Delta - t)^2 = 1",
            columns: &["load", "lambda_eff", "stability", "density", "cumulative"],
            default_loads: &[0.4],
            rows: Rows::DistributionAtNorm,
        },
        Self {
            name: "pseudo-likelihood-peak",
            about: "of the same stabilities: the highest density and where it is, mean, negative fraction, and the weight \
                    decay whose optimum this is, as l2 / lambda",
            source: "as pseudo-likelihood-stability",
            columns: &["load", "lambda_eff", "peak", "height", "mean", "negative_fraction", "l2_per_lambda"],
            default_loads: &[0.4],
            rows: Rows::OfLoadAndNorm(peak),
        },
        Self {
            name: "hebb-stability",
            about: "stabilities of Hebb couplings, load > 0",
            source: "Hertz, Krogh and Palmer (1991), section 2.2: normal, mean 1 / sqrt(load), variance 1",
            columns: &["load", "stability", "density", "cumulative"],
            default_loads: &[0.4],
            rows: Rows::Distribution(|load| Law::Hebb.at_load(load)),
        },
        Self {
            name: "hebb-error",
            about: "fraction of a pattern's spins that the first step flips with Hebb couplings, load >= 0",
            source: "Hertz, Krogh and Palmer (1991), section 2.2: erfc(sqrt(1 / (2 load))) / 2",
            columns: &["load", "error"],
            default_loads: &[0.105, 0.138, 0.185, 0.37, 0.61],
            rows: Rows::OfLoad(|load| Ok(vec![hebb_error(load)?])),
        },
        Self {
            name: "hopfield-overlap",
            about: "overlap of the zero-temperature attractor with the pattern it stores, Hebb couplings, load from 0 \
                    to the critical one",
            source: "Amit, Gutfreund and Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985), T = 0",
            columns: &["load", "overlap"],
            default_loads: &[0.05, 0.06, 0.07, 0.08, 0.09, 0.10, 0.11, 0.12, 0.13, 0.137],
            rows: Rows::OfLoad(|load| Ok(vec![hopfield_overlap(load)?])),
        },
        Self {
            name: "critical-load",
            about: "load at which retrieval from Hebb couplings ends, and the overlap there",
            source: "Amit, Gutfreund and Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985), T = 0",
            columns: &["critical_load", "overlap"],
            default_loads: &[],
            rows: Rows::Constant(|| {
                let capacity = hopfield_capacity();
                vec![capacity.load, capacity.overlap]
            }),
        },
        Self {
            name: "pseudo-inverse-stability",
            about: "stability of all patterns with pseudo-inverse couplings without diagonal, 0 < load <= 1",
            source: "Personnaz, Guyon and Dreyfus, J. Physique Lett. 46, L359 (1985); Kanter and Sompolinsky, Phys. Rev. A 35, \
                     380 (1987): sqrt((1 - load) / load)",
            columns: &["load", "stability"],
            default_loads: LOADS,
            rows: Rows::OfLoad(|load| Ok(vec![pseudo_inverse_stability(load)?])),
        },
    ];

    /// The curve of this name.
    pub fn named(name: Option<&str>) -> Result<&'static Self> {
        const ALL: &[Curve] = &Curve::ALL;
        ALL.iter().find(|curve| Some(curve.name) == name).ok_or_else(|| {
            let names: Vec<_> = ALL.iter().map(|curve| curve.name).collect();
            let expected = format!("one of {} (--list says what each is)", names.join(", "));
            Error::parameter("name", expected, name.unwrap_or("none"))
        })
    }

    /// The numbers under the columns.
    pub fn rows(&self, request: &Request) -> Result<Vec<Vec<f64>>> {
        self.check_options(request)?;
        let loads = request.loads.as_deref().unwrap_or(self.default_loads);
        let lambda_effs = request.lambda_effs.as_deref().unwrap_or(LAMBDA_EFFS);
        let norms = || loads.iter().flat_map(|&load| lambda_effs.iter().map(move |&lambda| (load, lambda)));
        let points =
            |prefix: &[f64], law: &dyn StabilityDistribution| points(prefix, law, request.stabilities);
        match self.rows {
            Rows::Constant(values) => Ok(vec![values()]),
            Rows::OfLoad(values) => {
                loads.iter().map(|&load| Ok([vec![load], values(load)?].concat())).collect()
            }
            Rows::OfLoadAndNorm(values) => norms()
                .map(|(load, lambda)| Ok([vec![load, lambda], values(load, lambda)?].concat()))
                .collect(),
            Rows::Distribution(law) => {
                let of_load = |&load: &f64| points(&[load], &*law(load)?);
                loads.iter().map(of_load).collect::<Result<Vec<_>>>().map(|tables| tables.concat())
            }
            Rows::DistributionAtNorm => {
                let at = |(load, lambda)| {
                    points(&[load, lambda], &PseudoLikelihoodStabilities::new(load, lambda)?)
                };
                norms().map(at).collect::<Result<Vec<_>>>().map(|tables| tables.concat())
            }
            Rows::DistributionWithAtom => {
                let of_load = |&load: &f64| {
                    let law = MaxStabilities::new(load)?;
                    let weight = law.atom().map_or(0.0, |atom| atom.weight);
                    points(&[load, law.kappa(), weight], &law)
                };
                loads.iter().map(of_load).collect::<Result<Vec<_>>>().map(|tables| tables.concat())
            }
        }
    }

    /// Refuses options that the curve has no use for.
    fn check_options(&self, request: &Request) -> Result<()> {
        let has_norm = matches!(self.rows, Rows::OfLoadAndNorm(_) | Rows::DistributionAtNorm);
        let has_points = matches!(
            self.rows,
            Rows::Distribution(_) | Rows::DistributionAtNorm | Rows::DistributionWithAtom
        );
        for (option, given, used) in [
            ("load", request.loads.is_some(), !self.default_loads.is_empty()),
            ("lambda-eff", request.lambda_effs.is_some(), has_norm),
            ("stabilities", request.stabilities.is_some(), has_points),
        ] {
            if given && !used {
                return Err(Error::parameter(option, format!("no such option with {}", self.name), "one"));
            }
        }
        Ok(())
    }
}

fn peak(load: f64, lambda_eff: f64) -> Result<Vec<f64>> {
    let law = PseudoLikelihoodStabilities::new(load, lambda_eff)?;
    let peak = law.peak();
    Ok(vec![peak.stability, peak.height, law.mean(), law.negative_fraction(), law.weight_decay(1.0)?])
}

/// Rows of stability, density and cumulative distribution behind `prefix`.
fn points(
    prefix: &[f64],
    law: &dyn StabilityDistribution,
    stabilities: Option<Range>,
) -> Result<Vec<Vec<f64>>> {
    let (low, high) = law.bulk();
    let range = stabilities.unwrap_or(Range { from: low, to: high, count: N_POINTS });
    let density = law.density_curve(range.from, range.to, range.count)?;
    let row = |(stability, density): (f64, f64)| {
        [prefix, &[stability, density, law.cumulative(stability)]].concat()
    };
    Ok(density.into_iter().map(row).collect())
}
