//! How much memory a run may take: what it is told, or most of what is available to it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// Share of the available memory that a run takes unless told otherwise.
const SHARE: f64 = 0.7;

/// A number of bytes, such as 3GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<ByteSize>() {
            Ok(size) if size.as_u64() > 0 => Ok(Self(size.as_u64())),
            _ => Err("expected a size above 0, such as 3GiB, 500MB or a number of bytes".to_owned()),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// A length of time, such as 10min.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(pub Duration);

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| "expected a length of time, such as 10min, 90s or 0s".to_owned())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", humantime::format_duration(self.0))
    }
}

/// Bytes of memory that are available to this process, under the limits of its control group and of those above it; none where
/// the system does not tell.
fn available() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let limits = [system.cgroup_limits().map(|limits| limits.free_memory), left_to_this_process(&mut system)];
    Some(limits.into_iter().flatten().fold(system.available_memory(), u64::min))
}

/// Bytes that the control group of this process and those above it leave, whichever leaves least.
fn left_to_this_process(system: &mut System) -> Option<u64> {
    let own = get_current_pid().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, ProcessRefreshKind::nothing());
    Some(system.process(own)?.cgroup_limits()?.free_memory)
}

/// What a run may take that is not told: most of what is available.
pub fn default_budget() -> u64 {
    available().map_or(u64::MAX, |available| (SHARE * available as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_with_their_units() {
        assert_eq!("3GiB".parse(), Ok(Bytes(3 << 30)));
        assert_eq!("500MB".parse(), Ok(Bytes(500_000_000)));
        assert_eq!("4096".parse(), Ok(Bytes(4096)));
        for wrong in ["", "0", "-1", "3 apples", "GiB"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
        assert_eq!("10min".parse(), Ok(Interval(Duration::from_secs(600))));
        assert_eq!("0s".parse(), Ok(Interval(Duration::ZERO)));
        for wrong in ["", "ten", "-1s", "5 apples"] {
            assert!(wrong.parse::<Interval>().is_err(), "{wrong}");
        }
    }
}
