//! Corrupted copies of states: which spins are damaged, and how; and which are left to clamp.
//!
//! Damage is nested: of one seed, a larger number of random spins holds all of a smaller one, and a spin that is erased takes
//! the same fair value whatever else is erased. Curves against the number of damaged spins are then smooth.
//!
//! With n of N spins damaged, the overlap with the state is exactly 1 - 2n/N where they are inverted, and 1 - n/N in the mean,
//! with a standard deviation of sqrt(n)/N, where they are erased.

use rand_core::Rng;

use super::start::n_flips;
use crate::error::{Error, Result};
use crate::random::{below, distinct, stream};
use crate::spins::{SpinMatrix, WORD};

/// What becomes of a damaged spin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is flipped.
    Inverted,
    /// It is replaced by a fair random one.
    Erased,
}

impl Damage {
    /// Damaged spins that take a state to overlap `overlap` with itself, in the mean: floor(N (1 - m) / 2) flips, or
    /// floor(N (1 - m)) erased spins.
    ///
    /// # Errors
    /// If the overlap is not within -1..=1, or below 0 for erased spins.
    pub fn n_spins(self, n_spins: usize, overlap: f64) -> Result<usize> {
        match self {
            Self::Inverted => n_flips(n_spins, overlap),
            // Twice as many: those of a state of two spins in place of each.
            Self::Erased if overlap >= 0.0 => n_flips(2 * n_spins, overlap).map(|flips| flips.min(n_spins)),
            Self::Erased => {
                Err(Error::parameter("overlap", "a number from 0 to 1 for erased spins", overlap))
            }
        }
    }

    /// The overlap that so many damaged spins leave, in the mean.
    pub fn overlap(self, n_spins: usize, n_damaged: usize) -> f64 {
        let per_spin = if self == Self::Inverted { 2.0 } else { 1.0 };
        1.0 - per_spin * n_damaged as f64 / n_spins as f64
    }
}

/// Which spins of a state are damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// So many distinct random ones, each state its own.
    Random(usize),
    /// These, in every state.
    Region(Vec<usize>),
    /// A patch of an image.
    Patch(Patch),
}

/// A rectangle of an image whose rows lie one after another: spin y * `image_width` + x is the pixel (x, y).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    pub image_width: usize,
    pub width: usize,
    pub height: usize,
    /// The pixel (x, y) of its upper left corner; none for a random place, each state its own.
    pub corner: Option<(usize, usize)>,
}

impl Patch {
    /// Rows of the image, if the patch fits into it.
    fn check(&self, n_spins: usize) -> Result<usize> {
        if self.image_width == 0 || !n_spins.is_multiple_of(self.image_width) {
            let expected = format!("a divisor of N = {n_spins}");
            return Err(Error::parameter("image-width", expected, self.image_width));
        }
        let image_height = n_spins / self.image_width;
        let (x, y) = self.corner.unwrap_or((0, 0));
        let ends = (x.saturating_add(self.width), y.saturating_add(self.height));
        if self.width == 0 || self.height == 0 || ends.0 > self.image_width || ends.1 > image_height {
            let expected =
                format!("a patch of at least 1 x 1 within an image of {} x {image_height}", self.image_width);
            let at = self.corner.map_or(String::new(), |(x, y)| format!(" at {x},{y}"));
            return Err(Error::parameter("patch", expected, format!("{} x {}{at}", self.width, self.height)));
        }
        Ok(image_height)
    }

    fn sites(&self, image_height: usize, rng: &mut impl Rng) -> Vec<usize> {
        let (x, y) = self.corner.unwrap_or_else(|| {
            let mut place = |whole: usize, part: usize| below(rng, (whole - part + 1) as u64) as usize;
            (place(self.image_width, self.width), place(image_height, self.height))
        });
        (y..y + self.height)
            .flat_map(|y| (x..x + self.width).map(move |x| y * self.image_width + x))
            .collect()
    }
}

/// A way to corrupt states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corruption {
    pub sites: Sites,
    pub damage: Damage,
}

/// Corrupted copies, one a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrupted {
    /// Where dynamics starts.
    pub starts: SpinMatrix,
    /// The bits of damaged spins are set, also of erased ones that kept their value by chance.
    pub damaged: SpinMatrix,
}

impl Corruption {
    /// So many distinct random spins flipped.
    pub fn flips(n_flips: usize) -> Self {
        Self { sites: Sites::Random(n_flips), damage: Damage::Inverted }
    }

    /// Number of damaged spins of a state of `n_spins`.
    ///
    /// # Errors
    /// If there are more than spins, a site of a region is none of the state or named twice, or a patch does not fit its image.
    pub fn n_damaged(&self, n_spins: usize) -> Result<usize> {
        match &self.sites {
            Sites::Random(count) if *count > n_spins => {
                Err(Error::parameter("damaged spins", format!("at most the {n_spins} of a state"), count))
            }
            Sites::Random(count) => Ok(*count),
            Sites::Region(sites) => {
                let mut seen = vec![false; n_spins];
                for &site in sites {
                    match seen.get_mut(site) {
                        Some(seen) if !*seen => *seen = true,
                        _ => {
                            let expected = format!("distinct spins from 0 to {}", n_spins.saturating_sub(1));
                            return Err(Error::parameter("region", expected, format!("spin {site}")));
                        }
                    }
                }
                Ok(sites.len())
            }
            Sites::Patch(patch) => patch.check(n_spins).map(|_| patch.width * patch.height),
        }
    }

    /// Corrupted copies of the rows of `states`. Those of random flips are [`at_overlap`](super::at_overlap)'s.
    ///
    /// # Errors
    /// As [`n_damaged`](Self::n_damaged).
    pub fn apply(&self, states: &SpinMatrix, seed: u64) -> Result<Corrupted> {
        let n_spins = states.n_spins();
        self.n_damaged(n_spins)?;
        let mut damaged = SpinMatrix::try_all_down("damaged spins", states.n_rows(), n_spins)?;
        let mut starts = states.clone();
        for row in 0..states.n_rows() {
            let index = [row as u64];
            let drawn = match &self.sites {
                Sites::Random(count) => Some(distinct(&mut stream(seed, "flips", &index), *count, n_spins)),
                Sites::Region(_) => None,
                Sites::Patch(patch) => {
                    let image_height = patch.check(n_spins)?;
                    Some(patch.sites(image_height, &mut stream(seed, "patch", &index)))
                }
            };
            let sites = match (&drawn, &self.sites) {
                (None, Sites::Region(sites)) => sites,
                (drawn, _) => drawn.as_deref().unwrap_or(&[]),
            };
            sites.iter().for_each(|site| damaged.row_mut(row)[site / WORD] |= 1 << (site % WORD));
            let mut erased = stream(seed, "erased spins", &index);
            for (start, &damaged) in starts.row_mut(row).iter_mut().zip(damaged.row(row)) {
                match self.damage {
                    Damage::Inverted => *start ^= damaged,
                    Damage::Erased => *start = *start & !damaged | erased.next_u64() & damaged,
                }
            }
        }
        Ok(Corrupted { starts, damaged })
    }
}

impl Corrupted {
    /// The bits of spins that are not damaged are set: those to clamp.
    pub fn intact(&self) -> SpinMatrix {
        let mut intact = self.damaged.clone();
        let last = intact.last_mask();
        for row in 0..intact.n_rows() {
            let words = intact.row_mut(row);
            words.iter_mut().for_each(|word| *word = !*word);
            if let Some(word) = words.last_mut() {
                *word &= last;
            }
        }
        intact
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{at_overlap, random_states};

    fn differing(a: &SpinMatrix, b: &SpinMatrix, row: usize) -> Vec<usize> {
        (0..a.n_spins()).filter(|&site| a.spin(row, site) != b.spin(row, site)).collect()
    }

    fn set(mask: &SpinMatrix, row: usize) -> Vec<usize> {
        (0..mask.n_spins()).filter(|&site| mask.spin(row, site) == 1).collect()
    }

    #[test]
    fn flips_are_those_of_starts_at_an_overlap() {
        let states = random_states(9, 130, 1).unwrap();
        for overlap in [1.0, 0.6, 0.0, -1.0] {
            let flips = Damage::Inverted.n_spins(130, overlap).unwrap();
            let corrupted = Corruption::flips(flips).apply(&states, 5).unwrap();
            assert_eq!(corrupted.starts, at_overlap(&states, overlap, 5).unwrap());
            for row in 0..9 {
                assert_eq!(set(&corrupted.damaged, row), differing(&states, &corrupted.starts, row));
                let intact = set(&corrupted.intact(), row);
                assert_eq!(intact.len(), 130 - flips);
                assert!(intact.iter().all(|&site| corrupted.damaged.spin(row, site) == -1));
            }
            assert!((Damage::Inverted.overlap(130, flips) - overlap).abs() < 2.0 / 130.0);
        }
    }

    /// Larger damage keeps what smaller damage did; half of the erased spins differ, within 5 standard deviations.
    #[test]
    fn erased_spins_are_fair_and_nested() {
        let states = random_states(50, 200, 2).unwrap();
        let erase = |overlap: f64| {
            let count = Damage::Erased.n_spins(200, overlap).unwrap();
            assert_eq!(count, (200.0 * (1.0 - overlap)).round() as usize);
            let corruption = Corruption { sites: Sites::Random(count), damage: Damage::Erased };
            (count, corruption.apply(&states, 3).unwrap())
        };
        let (_, few) = erase(0.9);
        let (count, many) = erase(0.25);
        let mut n_flipped = 0;
        for row in 0..50 {
            assert_eq!(set(&many.damaged, row).len(), count);
            for site in set(&few.damaged, row) {
                assert_eq!(many.damaged.spin(row, site), 1);
                assert_eq!(many.starts.spin(row, site), few.starts.spin(row, site));
            }
            let flipped = differing(&states, &many.starts, row);
            assert!(flipped.iter().all(|&site| many.damaged.spin(row, site) == 1));
            n_flipped += flipped.len();
        }
        let n = (50 * count) as f64;
        assert!((n_flipped as f64 - n / 2.0).abs() < 5.0 * n.sqrt() / 2.0, "{n_flipped} of {n}");
        assert!(Damage::Erased.n_spins(200, -0.1).is_err() && Damage::Erased.n_spins(200, f64::NAN).is_err());
    }

    #[test]
    fn patches_are_rectangles_within_the_image() {
        let states = random_states(300, 12 * 7, 4).unwrap();
        let apply = |corner| {
            let patch = Patch { image_width: 12, width: 4, height: 3, corner };
            let corruption = Corruption { sites: Sites::Patch(patch), damage: Damage::Inverted };
            assert_eq!(corruption.n_damaged(12 * 7).unwrap(), 12);
            corruption.apply(&states, 6).unwrap().damaged
        };
        let rectangle = |x: usize, y: usize| -> Vec<usize> {
            (y..y + 3).flat_map(|y| (x..x + 4).map(move |x| 12 * y + x)).collect()
        };
        let random = apply(None);
        let mut corners = std::collections::BTreeSet::new();
        for row in 0..300 {
            let sites = set(&random, row);
            let (x, y) = (sites[0] % 12, sites[0] / 12);
            assert_eq!(sites, rectangle(x, y));
            corners.insert((x, y));
        }
        // 9 x 5 places; one is missed by 300 draws with probability 45 exp(-300/45), 6 %, two hardly ever.
        assert!(corners.len() >= 44, "{}", corners.len());
        assert_eq!(set(&apply(Some((8, 4))), 17), rectangle(8, 4));
    }

    #[test]
    fn damage_that_does_not_fit_is_refused() {
        let refused = |sites: Sites, words: &str| {
            let corruption = Corruption { sites, damage: Damage::Erased };
            let error = corruption.apply(&SpinMatrix::all_down(2, 20), 1).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(Sites::Random(21), "at most the 20");
        refused(Sites::Region(vec![3, 20]), "spin 20");
        refused(Sites::Region(vec![3, 4, 3]), "spin 3");
        let patch = Patch { image_width: 5, width: 2, height: 2, corner: None };
        refused(Sites::Patch(Patch { image_width: 6, ..patch }), "a divisor of N = 20");
        refused(Sites::Patch(Patch { image_width: 0, ..patch }), "a divisor of N = 20");
        refused(Sites::Patch(Patch { width: 6, ..patch }), "image of 5 x 4");
        refused(Sites::Patch(Patch { height: 0, ..patch }), "at least 1 x 1");
        refused(Sites::Patch(Patch { corner: Some((4, 0)), ..patch }), "2 x 2 at 4,0");
        refused(Sites::Patch(Patch { corner: Some((usize::MAX, 0)), ..patch }), "image of 5 x 4");
    }
}
