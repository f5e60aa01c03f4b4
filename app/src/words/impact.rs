//! How long a change of key will take, as nobody can know it better, and from what that is known.

use crate::{
    format,
    model::{
        encryption::Amount,
        impact::{Measured, Speed},
    },
};

/// Data keys that KMS takes in a second: five calls each, of which sixteen are under way at once.
const KEYS: u64 = 60;
/// What is assumed may be wrong by this factor, either way.
const UNSURE: u64 = 3;

impl Speed {
    /// How long it takes to rewrite that much; seconds.
    pub fn seconds(&self, amount: Amount, data_keys: u64) -> u64 {
        let time = |amount: u64, rate: u64| u128::from(amount) * 1_000 / u128::from(rate.max(1));
        let all = time(amount.records, self.records)
            + time(amount.files, self.files)
            + time(amount.bytes, self.bytes)
            + time(data_keys, KEYS);
        u64::try_from(all.div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// The same in words: one length where the speed was measured, a range where it is assumed.
    pub fn estimate(&self, amount: Amount, data_keys: u64) -> String {
        let seconds = self.seconds(amount, data_keys);
        if self.measured.is_some() {
            return match rounded(seconds) {
                None => "Less than a minute.".to_owned(),
                Some(length) => format!("About {}.", words(length)),
            };
        }
        match (rounded(seconds / UNSURE), rounded(seconds.saturating_mul(UNSURE))) {
            (_, None) => "Less than a minute.".to_owned(),
            (None, Some(longest)) => format!("Up to {}.", words(longest)),
            (Some(least), Some(longest)) if least.1 == longest.1 => format!("{} to {}.", least.0, words(longest)),
            (Some(least), Some(longest)) => format!("{} to {}.", words(least), words(longest)),
        }
    }

    /// From what it is known.
    pub fn basis(&self) -> String {
        match self.measured {
            None => format!(
                "No change of key that was long enough to measure has run here. This is reckoned with {}, {} and {} a second, which a small machine does.",
                format::counted(self.records, "record", "records"),
                format::counted(self.files, "file", "files"),
                format::bytes(self.bytes),
            ),
            Some(Measured { ended_at, records, files, bytes, seconds }) => format!(
                "This is measured here: the change of key that ended on {} rewrote {} and {} ({}) in {}.",
                format::people_time(ended_at, false),
                format::counted(records, "record", "records"),
                format::counted(files, "file", "files"),
                format::bytes(bytes),
                format::seconds(seconds),
            ),
        }
    }
}

/// A number and its unit.
type Length = (u64, Unit);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Minutes,
    Hours,
    Days,
}

/// A length of time to one figure or a half of the next; `None` below a minute.
fn rounded(seconds: u64) -> Option<Length> {
    let nearest = |length: u64, step: u64| (length.saturating_add(step / 2)) / step;
    // From ten minutes on in steps of five, from twelve hours on of six, from ten days on of five.
    Some(match seconds {
        0..60 => return None,
        60..600 => (nearest(seconds, 60), Unit::Minutes),
        600..5_400 => (nearest(seconds, 300) * 5, Unit::Minutes),
        5_400..43_200 => (nearest(seconds, 3_600), Unit::Hours),
        43_200..129_600 => (nearest(seconds, 21_600) * 6, Unit::Hours),
        129_600..864_000 => (nearest(seconds, 86_400), Unit::Days),
        _ => (nearest(seconds, 432_000) * 5, Unit::Days),
    })
}

fn words((number, unit): Length) -> String {
    match unit {
        Unit::Minutes => format::counted(number, "minute", "minutes"),
        Unit::Hours => format::counted(number, "hour", "hours"),
        Unit::Days => format::counted(number, "day", "days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSUMED: Speed = Speed { records: 2_000, files: 100, bytes: 40_000_000, measured: None };
    const MEASURED: Speed =
        Speed { measured: Some(Measured { ended_at: 0, records: 1, files: 2, bytes: 1_500, seconds: 6 }), ..ASSUMED };

    const fn records(records: u64) -> Amount {
        Amount { records, files: 0, bytes: 0 }
    }

    #[test]
    fn what_is_measured_is_told_as_one_round_length() {
        let after = |seconds: u64| MEASURED.estimate(records(seconds * 2_000), 0);
        assert_eq!(after(0), "Less than a minute.");
        assert_eq!(after(59), "Less than a minute.");
        assert_eq!(after(60), "About 1 minute.");
        assert_eq!(after(170), "About 3 minutes.");
        assert_eq!(after(599), "About 10 minutes.");
        assert_eq!(after(1_500), "About 25 minutes.");
        assert_eq!(after(5_399), "About 90 minutes.");
        assert_eq!(after(5_400), "About 2 hours.");
        assert_eq!(after(43_200), "About 12 hours.");
        assert_eq!(after(100_000), "About 30 hours.");
        assert_eq!(after(129_600), "About 2 days.");
        assert_eq!(after(864_000), "About 10 days.");
        assert_eq!(after(3_000_000), "About 35 days.");
    }

    #[test]
    fn what_is_assumed_is_told_as_a_range() {
        let after = |seconds: u64| ASSUMED.estimate(records(seconds * 2_000), 0);
        assert_eq!(after(0), "Less than a minute.");
        assert_eq!(after(19), "Less than a minute.");
        assert_eq!(after(20), "Up to 1 minute.");
        assert_eq!(after(100), "Up to 5 minutes.");
        assert_eq!(after(180), "1 to 9 minutes.");
        assert_eq!(after(3_000), "15 minutes to 3 hours.");
        assert_eq!(after(30_000), "3 to 24 hours.");
    }

    #[test]
    fn every_part_of_the_work_counts() {
        let amount = Amount { records: 2_000, files: 100, bytes: 40_000_000 };
        assert_eq!(ASSUMED.seconds(amount, 60), 4);
        assert_eq!(ASSUMED.seconds(amount, 61), 5, "rounded up");
        let most = Amount { records: u64::MAX, files: u64::MAX, bytes: u64::MAX };
        let none = Speed { records: 0, files: 0, bytes: 0, measured: None };
        assert_eq!(none.seconds(most, u64::MAX), u64::MAX);
        assert!(none.estimate(most, 1).ends_with("days."));
    }

    #[test]
    fn the_basis_says_whether_it_is_measured() {
        assert_eq!(
            MEASURED.basis(),
            "This is measured here: the change of key that ended on 1 Jan 1970, 00:00 UTC rewrote 1 record and 2 files (1.5 KB) in 6 seconds."
        );
        assert!(ASSUMED.basis().contains("2,000 records, 100 files and 40 MB a second"));
    }
}
