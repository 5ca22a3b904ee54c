//! Colours and markers that tell series apart, also without colour vision and in greyscale print.

use kuva::render::color::Color as Ink;

/// A colour of the Okabe-Ito palette, distinct for every kind of colour vision; its yellow is left out, too pale for a
/// line on white. Each colour has a marker shape of its own, so that shape alone identifies a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Color {
    Blue,
    Vermillion,
    Green,
    Purple,
    Orange,
    SkyBlue,
    Black,
}

/// Frame-independent outline of a marker: corners on a circle, the first one at an angle in turns from straight up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outline {
    pub corners: usize, // 0 for a circle
    pub first: f64,
    /// Circumradius in units of the circle's radius, so that all shapes look equally large.
    pub radius: f64,
}

impl Color {
    /// Curves of the training patterns, the same colour in every figure.
    pub const TRAIN: Self = Self::Blue;
    /// Curves of unseen examples.
    pub const TEST: Self = Self::Vermillion;
    /// Curves of hidden features.
    pub const FEATURES: Self = Self::Green;
    /// Curves of random states.
    pub const RANDOM: Self = Self::Purple;

    const ALL: [Self; 7] =
        [Self::Blue, Self::Vermillion, Self::Green, Self::Purple, Self::Orange, Self::SkyBlue, Self::Black];

    /// The colour of the series with this index, starting over after seven.
    pub fn nth(index: usize) -> Self {
        Self::ALL[index % Self::ALL.len()]
    }

    pub(super) fn ink(self) -> Ink {
        match self {
            Self::Blue => Ink::Rgb(0x00, 0x72, 0xB2),
            Self::Vermillion => Ink::Rgb(0xD5, 0x5E, 0x00),
            Self::Green => Ink::Rgb(0x00, 0x9E, 0x73),
            Self::Purple => Ink::Rgb(0xCC, 0x79, 0xA7),
            Self::Orange => Ink::Rgb(0xE6, 0x9F, 0x00),
            Self::SkyBlue => Ink::Rgb(0x56, 0xB4, 0xE9),
            Self::Black => Ink::Rgb(0x22, 0x22, 0x22),
        }
    }

    pub(super) fn outline(self) -> Outline {
        let (corners, first, radius) = match self {
            Self::Blue => (0, 0.0, 1.0),
            Self::Vermillion => (4, 0.125, 1.25),
            Self::Green => (3, 0.0, 1.5),
            Self::Purple => (4, 0.0, 1.35),
            Self::Orange => (3, 0.5, 1.5),
            Self::SkyBlue => (5, 0.0, 1.2),
            Self::Black => (6, 0.0, 1.15),
        };
        Outline { corners, first, radius }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_colours_share_a_marker() {
        for (index, first) in Color::ALL.iter().enumerate() {
            for second in &Color::ALL[index + 1..] {
                assert_ne!(first.outline(), second.outline());
            }
        }
    }

    #[test]
    fn the_roles_are_the_first_colours() {
        let roles = [Color::TRAIN, Color::TEST, Color::FEATURES, Color::RANDOM];
        assert_eq!(roles, [Color::nth(0), Color::nth(1), Color::nth(2), Color::nth(3)]);
        assert_eq!(Color::nth(7), Color::nth(0));
    }
}
