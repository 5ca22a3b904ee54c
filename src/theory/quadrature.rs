//! Integrals by adaptive Gauss-Kronrod quadrature with 7 and 15 points.
//!
//! Source: R. Piessens et al., QUADPACK (1983), the rule of QAG; halves are refined until the two rules agree.

/// Positive nodes of the Kronrod rule on -1 to 1, with its weights; the weights of the Gauss rule at every second one.
const NODES: [(f64, f64, f64); 7] = [
    (0.991_455_371_120_812_6, 0.022_935_322_010_529_224, 0.0),
    (0.949_107_912_342_758_5, 0.063_092_092_629_978_56, 0.129_484_966_168_869_7),
    (0.864_864_423_359_769_1, 0.104_790_010_322_250_19, 0.0),
    (0.741_531_185_599_394_5, 0.140_653_259_715_525_92, 0.279_705_391_489_276_65),
    (0.586_087_235_467_691_1, 0.169_004_726_639_267_9, 0.0),
    (0.405_845_151_377_397_2, 0.190_350_578_064_785_4, 0.381_830_050_505_118_9),
    (0.207_784_955_007_898_47, 0.204_432_940_075_298_9, 0.0),
];
const KRONROD_CENTRE: f64 = 0.209_482_141_084_727_82;
const GAUSS_CENTRE: f64 = 0.417_959_183_673_469_4;

/// How far the two rules may differ, as a fraction of the whole integral of |f|; the better one is far closer. Rounding noise
/// of f above this ends refinement as well: the noise of a piece falls with its width.
const TOLERANCE: f64 = 1e-11;
/// Halvings after which a piece is taken as it is.
const MAX_DEPTH: u32 = 40;

/// The integral of `f` from the first to the last of `ends`, which ascend; the others cut it where `f` changes its scale,
/// so that no narrow part of it falls between the points of the first rules.
pub(super) fn integrate(ends: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let pieces = || ends.windows(2).filter(|piece| piece[0] < piece[1]);
    let size: f64 = pieces().map(|piece| gauss_kronrod(piece[0], piece[1], &|x| f(x).abs()).0).sum();
    pieces().map(|piece| refined(piece[0], piece[1], &f, TOLERANCE * size, 0)).sum()
}

fn refined(low: f64, high: f64, f: &impl Fn(f64) -> f64, tolerance: f64, depth: u32) -> f64 {
    let (value, difference) = gauss_kronrod(low, high, f);
    let middle = low + 0.5 * (high - low);
    if difference <= tolerance || depth == MAX_DEPTH || middle <= low || middle >= high {
        return value;
    }
    refined(low, middle, f, tolerance, depth + 1) + refined(middle, high, f, tolerance, depth + 1)
}

/// The integral by 15 points, and by how much that by 7 of them differs.
fn gauss_kronrod(low: f64, high: f64, f: &impl Fn(f64) -> f64) -> (f64, f64) {
    let (centre, half) = (low + 0.5 * (high - low), 0.5 * (high - low));
    let at_centre = f(centre);
    let (mut kronrod, mut gauss) = (KRONROD_CENTRE * at_centre, GAUSS_CENTRE * at_centre);
    for (node, kronrod_weight, gauss_weight) in NODES {
        let both = f(centre - half * node) + f(centre + half * node);
        kronrod += kronrod_weight * both;
        gauss += gauss_weight * both;
    }
    (half * kronrod, half * (kronrod - gauss).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 15 Kronrod points are exact up to degree 22 (23 by symmetry), 7 Gauss points up to 13.
    #[test]
    fn polynomials_are_exact_up_to_the_degree_of_the_rules() {
        for degree in 0..=23 {
            let exact = 1.0 / f64::from(degree + 1);
            let (kronrod, difference) = gauss_kronrod(0.0, 1.0, &|x: f64| x.powi(degree));
            assert!((kronrod - exact).abs() < 1e-15, "degree {degree}");
            assert_eq!(difference < 1e-15, degree <= 13, "degree {degree}");
        }
    }

    #[test]
    fn integrals_of_peaks_kinks_and_roots_are_their_closed_forms() {
        let lorentzian = integrate(&[-1.0, 1.0], |x| 1e-4 / (1e-8 + x * x));
        assert!((lorentzian - 2.0 * 1e4f64.atan()).abs() < 1e-10);
        assert!((integrate(&[0.0, 2.0], |x| (x - 0.3).abs()) - (0.09 + 2.89) / 2.0).abs() < 1e-11);
        assert!((integrate(&[0.0, 1.0], f64::sqrt) - 2.0 / 3.0).abs() < 1e-11);
        // Ends that are equal or out of use add nothing; cuts find what is narrow.
        let narrow = |x: f64| (-0.5 * (x / 1e-6).powi(2)).exp() / 1e-6;
        let found = integrate(&[-5.0, -1e-5, 1e-5, 1e-5, 5.0], narrow);
        assert!((found - std::f64::consts::TAU.sqrt()).abs() < 1e-10, "{found}");
        assert_eq!(integrate(&[1.0], |x| x), 0.0);
    }
}
