//! One axis made concrete: its limits, where its ticks are and what they say.

use kuva::render::render_utils::{generate_ticks, generate_ticks_log};

use super::canvas::text_width;
use super::panel::{Axis, Scale};
use crate::error::{Error, Result};

/// Values beyond are not drawn: they would leave the range in which the arithmetic of an axis is exact enough.
const LARGEST: f64 = 1e100;
/// kuva draws anything smaller than 1e-10 on a log axis as 1e-10; axes that reach below 1e-9 are lifted to it.
const SMALLEST_LOG: f64 = 1e-9;
/// Free space between the data and the frame, as a fraction of the axis.
const PAD: f64 = 0.04;

/// The limits of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub scale: Scale,
    low: f64,
    high: f64,
    /// Factor between values and what kuva is told; 1 but for very small values on a log axis.
    unit: f64,
}

impl Limits {
    /// The axis's own range, or one that holds the values with some space around them.
    pub fn new(axis: &Axis, values: impl Iterator<Item = f64>) -> Result<Self> {
        let scale = axis.scale;
        let (low, high) = match axis.range {
            Some((low, high)) if low < high && drawable(scale, low) && drawable(scale, high) => (low, high),
            Some((low, high)) => {
                let positive = if scale == Scale::Log { "positive " } else { "" };
                let expected = format!("two finite {positive}limits, the smaller one first");
                return Err(Error::parameter("axis range", expected, format!("({low}, {high})")));
            }
            None => {
                let (low, high) = values
                    .filter(|&value| drawable(scale, value))
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
                match scale {
                    Scale::Linear => around_linear(low, high),
                    Scale::Log => around_log(low, high),
                }
            }
        };
        let unit = match scale {
            Scale::Log if low < SMALLEST_LOG => 10f64.powi(-9 - exponent(low)),
            _ => 1.0,
        };
        Ok(Self { scale, low, high, unit })
    }

    /// Whether the value has a place on the axis or beyond its ends.
    pub fn drawable(&self, value: f64) -> bool {
        drawable(self.scale, value)
    }

    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    pub fn low(&self) -> f64 {
        self.low
    }

    /// The value as kuva is told it.
    pub fn told(&self, value: f64) -> f64 {
        value * self.unit
    }

    /// Both limits as kuva is told them.
    pub fn told_range(&self) -> (f64, f64) {
        (self.told(self.low), self.told(self.high))
    }

    /// Ticks that may carry a label, as kuva is told them and will place them if asked for `count`.
    fn ticks(&self, count: usize) -> Vec<f64> {
        let (low, high) = self.told_range();
        match self.scale {
            Scale::Linear => generate_ticks(low, high, count),
            Scale::Log => generate_ticks_log(low, high),
        }
    }

    /// Short ticks between those: 2, 3, ... 9 times the powers of ten of a log axis that is not too long for them.
    pub fn minor_ticks(&self) -> Vec<f64> {
        let (first, last) = (exponent(self.low), exponent(self.high));
        if self.scale == Scale::Linear || last - first > 12 {
            return Vec::new();
        }
        (first..=last)
            .flat_map(|exponent| (2..10).map(move |digit| f64::from(digit) * 10f64.powi(exponent)))
            .filter(|&value| self.contains(value))
            .collect()
    }

    /// How to write the ticks of an axis so long that `room` labels fit in a column, or `length` of them in a row.
    pub fn tick_labels(&self, count: usize, size: u32, length: f64, in_a_row: bool) -> TickLabels {
        let ticks = self.ticks(count);
        match self.scale {
            Scale::Linear => linear_labels(&ticks),
            Scale::Log => {
                let fits = |labels: &TickLabels| {
                    let texts: Vec<String> = ticks.iter().map(|&tick| labels.text(tick)).collect();
                    let shown = texts.iter().filter(|text| !text.is_empty());
                    let needed: f64 = match in_a_row {
                        true => shown.map(|text| text_width(text, size) + 8.0).sum(),
                        false => shown.count() as f64 * f64::from(size) * 1.3,
                    };
                    needed <= length
                };
                let plain = self.low > 0.9e-4 && self.high < 1.1e4;
                let decades = exponent(self.high * (1.0 + 1e-9)) - exponent(self.low * (1.0 - 1e-9));
                let log = |digits, every| TickLabels::Log { plain, digits, every, unit: self.unit };
                // Fewer than two powers of ten say nothing about the scale: then all digits are labelled anyway.
                let all = log(true, 1);
                if decades < 2 || (plain && fits(&all)) {
                    return all;
                }
                (1..decades).map(|every| log(false, every)).find(fits).unwrap_or(log(false, decades))
            }
        }
    }

    /// The texts at the ticks.
    pub fn tick_texts(&self, count: usize, labels: TickLabels) -> Vec<String> {
        self.ticks(count).into_iter().map(|tick| labels.text(tick)).collect()
    }
}

fn drawable(scale: Scale, value: f64) -> bool {
    match scale {
        Scale::Linear => value.abs() <= LARGEST,
        Scale::Log => (1.0 / LARGEST..=LARGEST).contains(&value),
    }
}

/// floor(log10(value)), forgiving the rounding of a power of ten.
fn exponent(value: f64) -> i32 {
    (value.log10() + 1e-9).floor() as i32
}

fn around_linear(low: f64, high: f64) -> (f64, f64) {
    if low > high {
        return (0.0, 1.0);
    }
    if high - low <= 1e-12 * low.abs().max(high.abs()) {
        let pad = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
        return (low - pad, high + pad);
    }
    let pad = PAD * (high - low);
    // Counts and overlaps do not go below zero; their axis starts there rather than a little earlier.
    let bottom = if low >= 0.0 { (low - pad).max(0.0) } else { low - pad };
    (bottom, high + pad)
}

fn around_log(low: f64, high: f64) -> (f64, f64) {
    if low > high {
        return (1.0, 10.0);
    }
    let stretch = (high / low).powf(PAD);
    let (low, high) = (low / stretch, high * stretch);
    if generate_ticks_log(low, high).len() >= 2 {
        return (low, high);
    }
    // Too short for two ticks: out to the next of 1, 2, 5 times a power of ten.
    let digit_below = [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(exponent(low)));
    let digit_above = [2.0, 5.0, 10.0].map(|digit| digit * 10f64.powi(exponent(high)));
    let below = digit_below.into_iter().rfind(|&tick| tick <= low * (1.0 + 1e-9));
    let above = digit_above.into_iter().find(|&tick| tick >= high * (1.0 - 1e-9));
    (below.unwrap_or(low / 2.0), above.unwrap_or(high * 2.0))
}

/// How the ticks of one axis are written, the same way for all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TickLabels {
    Decimal {
        places: usize,
    },
    /// `2.5×10⁶`
    Scientific {
        places: usize,
        exponent: i32,
    },
    /// Powers of ten, plain or as `10ⁿ`, every so many; other digits only if `digits`.
    Log {
        plain: bool,
        digits: bool,
        every: i32,
        unit: f64,
    },
}

fn linear_labels(ticks: &[f64]) -> TickLabels {
    let largest = ticks.iter().fold(0.0, |largest: f64, tick| largest.max(tick.abs()));
    let places = |factor: f64| {
        (0..=5).find(|&places| {
            let steps = 10f64.powi(places) / factor;
            ticks.iter().all(|tick| (tick * steps - (tick * steps).round()).abs() < 1e-6)
        })
    };
    match places(1.0) {
        Some(places) if largest < 1e5 => TickLabels::Decimal { places: places as usize },
        _ => {
            let exponent = if largest > 0.0 { exponent(largest) } else { 0 };
            TickLabels::Scientific { places: places(10f64.powi(exponent)).unwrap_or(5) as usize, exponent }
        }
    }
}

impl TickLabels {
    /// The label of a tick as kuva is told it; empty for one that carries none.
    pub fn text(self, tick: f64) -> String {
        match self {
            Self::Decimal { places } => format!("{:.places$}", tick + 0.0), // + 0.0: no minus zero
            Self::Scientific { .. } if tick == 0.0 => "0".to_owned(),
            Self::Scientific { places, exponent } => {
                format!("{:.places$}×{}", tick / 10f64.powi(exponent), power_of_ten(exponent))
            }
            Self::Log { plain, digits, every, unit } => {
                let value = tick / unit;
                let exponent = exponent(value);
                let digit = (value / 10f64.powi(exponent)).round();
                match (digit == 1.0, plain) {
                    (true, _) if exponent.rem_euclid(every) != 0 => String::new(),
                    (false, _) if !digits => String::new(),
                    (_, true) => format!("{:.*}", (-exponent).max(0) as usize, value),
                    (true, false) => power_of_ten(exponent),
                    (false, false) => format!("{digit}×{}", power_of_ten(exponent)),
                }
            }
        }
    }
}

fn power_of_ten(exponent: i32) -> String {
    let raised = |c| match c {
        '-' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize - '0' as usize],
    };
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(scale: Scale, values: &[f64]) -> Limits {
        let axis = Axis { label: String::new(), scale, range: None };
        Limits::new(&axis, values.iter().copied()).unwrap()
    }

    fn shown(limits: Limits) -> Vec<String> {
        let labels = limits.tick_labels(5, 14, 290.0, true);
        limits.tick_texts(5, labels).into_iter().filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn limits_hold_the_drawable_values_only() {
        let log = limits(Scale::Log, &[-1.0, 0.0, f64::NAN, 1e-3, 10.0, f64::INFINITY]);
        assert!(log.contains(1e-3) && log.contains(10.0) && log.low() > 1e-4 && !log.contains(100.0));
        let linear = limits(Scale::Linear, &[f64::NEG_INFINITY, -2.0, 3.0, f64::NAN]);
        assert!(linear.contains(-2.0) && linear.contains(3.0) && !linear.contains(4.0));
    }

    #[test]
    fn a_nonnegative_quantity_gets_no_negative_axis() {
        assert_eq!(limits(Scale::Linear, &[0.01, 0.98]).low(), 0.0);
    }

    #[test]
    fn nothing_or_one_value_still_makes_an_axis_with_two_ticks() {
        for scale in [Scale::Linear, Scale::Log] {
            for values in [&[][..], &[3.0], &[1.0], &[7e-20, 7e-20]] {
                let limits = limits(scale, values);
                assert!(values.iter().all(|&value| limits.contains(value)));
                assert!(limits.ticks(5).len() >= 2, "{scale:?} {values:?} {limits:?}");
            }
        }
    }

    #[test]
    fn a_range_that_cannot_be_drawn_is_refused() {
        for (scale, range) in [
            (Scale::Log, (0.0, 1.0)),
            (Scale::Linear, (1.0, 1.0)),
            (Scale::Linear, (0.0, f64::NAN)),
            (Scale::Linear, (0.0, f64::INFINITY)),
        ] {
            let axis = Axis { label: String::new(), scale, range: Some(range) };
            let error = Limits::new(&axis, std::iter::empty()).unwrap_err();
            assert!(matches!(error, Error::Parameter { name: "axis range", .. }), "{error}");
        }
    }

    #[test]
    fn labels_say_the_value_of_their_tick() {
        assert_eq!(shown(limits(Scale::Linear, &[0.0, 1.0])), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(shown(limits(Scale::Linear, &[0.0, 0.98])), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(shown(limits(Scale::Linear, &[0.0, 4e6])), ["0", "1×10⁶", "2×10⁶", "3×10⁶", "4×10⁶"]);
        assert_eq!(shown(limits(Scale::Log, &[0.05, 2.0])), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(shown(limits(Scale::Log, &[1.0, 1e5])), ["10⁰", "10¹", "10²", "10³", "10⁴", "10⁵"]);
        assert_eq!(shown(limits(Scale::Log, &[3e-14, 2e-12])), ["10⁻¹³", "10⁻¹²"]);
        assert_eq!(shown(limits(Scale::Log, &[3e5, 8e5])), ["2×10⁵", "5×10⁵", "10⁶"]);
    }

    #[test]
    fn labels_of_a_very_long_log_axis_are_thinned() {
        let texts = shown(limits(Scale::Log, &[1e-30, 1e30]));
        assert!((4..12).contains(&texts.len()) && texts.contains(&"10⁰".to_owned()), "{texts:?}");
    }
}
