//! Ranks of features in groups of about equal length on a log axis.

use std::ops::Range;

/// Neighbouring ranks shown together, about this many groups a decade.
const GROUPS_A_DECADE: f64 = 10.0;

/// 0..n in ranges of about equal length on a log axis of k = 1..=n, of one each at first.
pub(super) fn groups(n: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    while start < n {
        let end = ((start + 1) as f64 * 10f64.powf(1.0 / GROUPS_A_DECADE)).floor() as usize;
        let end = end.clamp(start + 1, n);
        groups.push(start..end);
        start = end;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_each_other_to_the_last() {
        for n in [1, 2, 9, 500] {
            let groups = groups(n);
            assert!(groups.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!((groups[0].clone(), groups[groups.len() - 1].end), (0..1, n));
        }
    }
}
