//! Options that say how states are corrupted, and the corruptions that a curve runs through.

use std::str::FromStr;

use attractor::dynamics::{Corruption, Damage, Patch, Sites};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};

use crate::cli::theory::numbers::Numbers;

#[derive(Args)]
pub struct Corruptions {
    /// How states are corrupted
    #[arg(long, value_enum, default_value_t = Kind::Flips)]
    pub corruption: Kind,
    /// What becomes of the spins of a region or patch [default: erased]
    #[arg(long, value_enum)]
    damage: Option<DamageOption>,
    /// Hold the spins that are not damaged while the others move
    #[arg(long)]
    pub clamp: bool,
    /// Initial overlaps: numbers such as 0.5,0.8, or from..to:count
    /// [default: 0..1:21]
    #[arg(long, value_name = "OVERLAPS", allow_hyphen_values = true)]
    overlaps: Option<Numbers>,
    /// Pixels in a row of the image, for patches
    #[arg(long, value_name = "PIXELS")]
    image_width: Option<usize>,
    /// A single patch of this width and height, as 7x5
    /// [default: the largest squares of at most the damage that each overlap asks for]
    #[arg(long, value_name = "WxH")]
    patch: Option<Pair<'x'>>,
    /// Column and row of the patch's upper left corner, as 0,7 [default: random, each state its own]
    #[arg(long, value_name = "X,Y")]
    at: Option<Pair<','>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Random spins flipped
    Flips,
    /// Random spins replaced by fair random ones
    Erased,
    /// The last spins of the state: the lower rows of an image
    Region,
    /// A rectangle of an image
    Patch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DamageOption {
    Inverted,
    Erased,
}

/// Two numbers as the user writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair<const BETWEEN: char>(usize, usize);

impl<const BETWEEN: char> FromStr for Pair<BETWEEN> {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let pair = text.split_once(BETWEEN);
        let pair = pair.and_then(|(a, b)| Some(Self(a.trim().parse().ok()?, b.trim().parse().ok()?)));
        pair.ok_or_else(|| format!("expected two numbers such as 7{BETWEEN}5"))
    }
}

/// Overlaps of a curve where none are asked for.
const DEFAULT_OVERLAPS: usize = 21;

impl Corruptions {
    /// What becomes of damaged spins.
    pub fn damage(&self) -> Damage {
        match (self.corruption, self.damage) {
            (Kind::Flips, _) | (_, Some(DamageOption::Inverted)) => Damage::Inverted,
            _ => Damage::Erased,
        }
    }

    /// One corruption an overlap, or the single patch; none where the edge is found by halving.
    pub fn all(&self, n_spins: usize, bisect: bool) -> Result<Vec<Corruption>> {
        let (kind, damage) = (self.corruption, self.damage());
        let none_with = |name, given: bool, allowed: &str| match given {
            true => {
                Err(Error::parameter(name, format!("no such option but with --corruption {allowed}"), "one"))
            }
            false => Ok(()),
        };
        let is_patch = kind == Kind::Patch;
        none_with("image-width", self.image_width.is_some() && !is_patch, "patch")?;
        none_with("patch", self.patch.is_some() && !is_patch, "patch")?;
        none_with("at", self.at.is_some() && !is_patch, "patch")?;
        none_with(
            "damage",
            self.damage.is_some() && matches!(kind, Kind::Flips | Kind::Erased),
            "region or patch",
        )?;
        if bisect {
            return match kind {
                Kind::Flips | Kind::Erased => Ok(Vec::new()),
                _ => {
                    let expected = "no such option but with --corruption flips or erased";
                    Err(Error::parameter("bisect", expected, "it"))
                }
            };
        }
        let sites_of = |n_damaged: usize| -> Result<Sites> {
            Ok(match kind {
                Kind::Flips | Kind::Erased => Sites::Random(n_damaged),
                Kind::Region => Sites::Region((n_spins - n_damaged..n_spins).collect()),
                Kind::Patch => match n_damaged.isqrt() {
                    // No pixel is damaged.
                    0 => Sites::Random(0),
                    side => Sites::Patch(self.patch_of(side, side)?),
                },
            })
        };
        if let Some(Pair(width, height)) = self.patch {
            if self.overlaps.is_some() {
                let expected = "no such option with --patch, which is a single corruption";
                return Err(Error::parameter("overlaps", expected, "some"));
            }
            let corruption = Corruption { sites: Sites::Patch(self.patch_of(width, height)?), damage };
            corruption.n_damaged(n_spins)?;
            return Ok(vec![corruption]);
        }
        let evenly = || (0..DEFAULT_OVERLAPS).map(|index| index as f64 / (DEFAULT_OVERLAPS - 1) as f64);
        let overlaps = self.overlaps.as_ref().map_or_else(|| evenly().collect(), |numbers| numbers.0.clone());
        let mut corruptions: Vec<Corruption> = Vec::new();
        for overlap in overlaps {
            let corruption = Corruption { sites: sites_of(damage.n_spins(n_spins, overlap)?)?, damage };
            // Squares of too large a side are left out of the default overlaps; those that were asked for are refused.
            match corruption.n_damaged(n_spins) {
                Err(_)
                    if self.overlaps.is_none()
                        && self.image_width.is_some_and(|width| n_spins.is_multiple_of(width)) =>
                {
                    continue;
                }
                fits => fits?,
            };
            if !corruptions.contains(&corruption) {
                corruptions.push(corruption);
            }
        }
        Ok(corruptions)
    }

    fn patch_of(&self, width: usize, height: usize) -> Result<Patch> {
        let image_width = self.image_width.ok_or_else(|| {
            Error::parameter(
                "image-width",
                "the pixels in a row of the image, with --corruption patch",
                "none",
            )
        })?;
        Ok(Patch { image_width, width, height, corner: self.at.map(|Pair(x, y)| (x, y)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read() {
        assert_eq!("7x5".parse::<Pair<'x'>>().unwrap(), Pair(7, 5));
        assert_eq!("0, 12".parse::<Pair<','>>().unwrap(), Pair(0, 12));
        for wrong in ["", "7", "7,5", "x5", "7x-1", "7x5x2"] {
            assert!(wrong.parse::<Pair<'x'>>().is_err(), "{wrong}");
        }
    }
}
