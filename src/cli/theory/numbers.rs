//! Numbers as the user lists them: 0.1,0.5 or from..to:count.

use std::str::FromStr;

/// More is no table to read or plot.
const MAX_NUMBERS: usize = 100_000;

/// `count` numbers from `from` to `to`, evenly spaced with both ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub from: f64,
    pub to: f64,
    pub count: usize,
}

impl Range {
    fn numbers(self) -> Vec<f64> {
        let share = |index: usize| index as f64 / (self.count - 1).max(1) as f64;
        let number = |index| self.from * (1.0 - share(index)) + self.to * share(index);
        (0..self.count).map(number).collect()
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = || {
            let (ends, count) = text.split_once(':')?;
            let (from, to) = ends.split_once("..")?;
            let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            Some(Self { from, to, count: count.trim().parse().ok()? })
        };
        let range = whole().ok_or("expected from..to:count, such as 0.1..1:10")?;
        if !(1..=MAX_NUMBERS).contains(&range.count) {
            return Err(format!("expected a count from 1 to {MAX_NUMBERS}"));
        }
        Ok(range)
    }
}

/// A list of numbers, or a range of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers(pub Vec<f64>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("..") {
            return text.parse().map(|range: Range| Self(range.numbers()));
        }
        let numbers = text.split(',').map(|number| number.trim().parse());
        let numbers = numbers.collect::<Result<_, _>>();
        numbers.map(Self).map_err(|_| "expected numbers such as 0.1,0.5 or from..to:count".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        let numbers = |text: &str| text.parse::<Numbers>().map(|numbers| numbers.0);
        assert_eq!(numbers("0.4").unwrap(), [0.4]);
        assert_eq!(numbers("0.4, -1,2e-3").unwrap(), [0.4, -1.0, 2e-3]);
        assert_eq!(numbers("0..1:5").unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(numbers("0.1..2:3").unwrap()[2], 2.0);
        assert_eq!(numbers("-2..-1:1").unwrap(), [-2.0]);
        for wrong in ["", "a", "1,,2", "0..1", "0..:3", "0..1:0", "0..1:-1", "0..1:200000", "1:2"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }
}
