//! Numbers, sizes and times as people read them. Times are UTC, the same on the server and in the browser.

/// A number with a comma between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun, in the singular for one.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    let mut text = count(number);
    text.push(' ');
    text.push_str(if number == 1 { one } else { many });
    text
}

/// A size in decimal units, with one decimal below ten.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = [" bytes", " KB", " MB", " GB", " TB"];
    if size == 1 {
        return "1 byte".to_owned();
    }
    let mut unit = 0;
    let mut tenths = size.saturating_mul(10);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = tenths.saturating_add(500) / 1_000;
        unit += 1;
    }
    let mut text = count(tenths / 10);
    if unit > 0 && tenths < 100 && !tenths.is_multiple_of(10) {
        text.push('.');
        text.push_str(&(tenths % 10).to_string());
    }
    text.push_str(UNITS[unit]);
    text
}

/// How many percent `done` is of `total`; all of nothing is 100. Never 100 before everything is done.
pub fn percent(done: u64, total: u64) -> u64 {
    if total == 0 || done >= total {
        return 100;
    }
    u64::try_from(u128::from(done) * 100 / u128::from(total)).unwrap_or(100)
}

/// Minutes and seconds, as a clock counts down: 161,000 milliseconds are "2:41". Never below "0:00".
pub fn countdown(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A length of time in its largest fitting unit.
pub fn seconds(length: u64) -> String {
    match length {
        0..120 => counted(length, "second", "seconds"),
        120..7_200 => counted(length.div_ceil(60), "minute", "minutes"),
        _ => counted(length.div_ceil(3_600), "hour", "hours"),
    }
}

/// How long something will take, as nobody can know it better.
pub fn roughly(length: u64) -> String {
    let (number, unit) = match length {
        0..60 => return "less than a minute".to_owned(),
        60..5_400 => ((length + 30) / 60, "min"),
        5_400..129_600 => ((length + 1_800) / 3_600, "h"),
        _ => (length.saturating_add(43_200) / 86_400, "days"),
    };
    format!("about {} {unit}", count(number))
}

/// How long it was from one moment to a later one, by the seconds that are shown of both, in its two largest units. `None` if
/// the second comes first: the clocks of two servers differ.
pub fn between(from: i64, to: i64) -> Option<String> {
    if to < from {
        return None;
    }
    let passed = u64::try_from(to.div_euclid(1_000) - from.div_euclid(1_000)).ok()?;
    let (seconds, minutes, hours, days) = (passed % 60, passed / 60 % 60, passed / 3_600 % 24, passed / 86_400);
    let (large, small) = match passed {
        0 => return Some("less than a second".to_owned()),
        1..60 => return Some(counted(seconds, "second", "seconds")),
        60..3_600 => (counted(minutes, "minute", "minutes"), (seconds, "second", "seconds")),
        3_600..86_400 => (counted(hours, "hour", "hours"), (minutes, "minute", "minutes")),
        _ => (counted(days, "day", "days"), (hours, "hour", "hours")),
    };
    let (number, one, many) = small;
    Some(if number == 0 { large } else { large + " " + &counted(number, one, many) })
}

/// The parts of a moment in UTC.
struct Moment {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Moment {
    /// From Unix milliseconds, by the proleptic Gregorian calendar.
    fn at(milliseconds: i64) -> Self {
        let total_seconds = milliseconds.div_euclid(1_000);
        let (days, second_of_day) = (total_seconds.div_euclid(86_400), total_seconds.rem_euclid(86_400));
        // Years counted from March, so that the leap day comes last: 400 years have 146,097 days.
        let from_march = days + 719_468;
        let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: usize::try_from(month).unwrap_or(1),
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

fn push_two(text: &mut String, number: i64) {
    if number < 10 {
        text.push('0');
    }
    text.push_str(&number.to_string());
}

/// For the `datetime` attribute, for example `2026-11-23T13:41:07Z`.
pub fn machine_time(milliseconds: i64) -> String {
    let moment = Moment::at(milliseconds);
    let mut text = moment.year.to_string();
    text.push('-');
    push_two(&mut text, i64::try_from(moment.month).unwrap_or(1));
    text.push('-');
    push_two(&mut text, moment.day);
    text.push('T');
    push_clock(&mut text, &moment, true);
    text.push('Z');
    text
}

/// For people, for example `23 Nov 2026, 13:41 UTC`, with seconds where they matter.
pub fn people_time(milliseconds: i64, with_seconds: bool) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let moment = Moment::at(milliseconds);
    let mut text = moment.day.to_string();
    text.push(' ');
    text.push_str(MONTHS[moment.month.saturating_sub(1).min(11)]);
    text.push(' ');
    text.push_str(&moment.year.to_string());
    text.push_str(", ");
    push_clock(&mut text, &moment, with_seconds);
    text.push_str(" UTC");
    text
}

/// The time beside another one: of the same day the clock alone, for example `13:41:07 UTC`; else the date too.
pub fn people_time_beside(milliseconds: i64, other: i64) -> String {
    const DAY: i64 = 86_400_000;
    if milliseconds.div_euclid(DAY) != other.div_euclid(DAY) {
        return people_time(milliseconds, true);
    }
    let mut text = String::new();
    push_clock(&mut text, &Moment::at(milliseconds), true);
    text.push_str(" UTC");
    text
}

fn push_clock(text: &mut String, moment: &Moment, with_seconds: bool) {
    push_two(text, moment.hour);
    text.push(':');
    push_two(text, moment.minute);
    if with_seconds {
        text.push(':');
        push_two(text, moment.second);
    }
}

/// How long ago, for example `4 minutes ago`; `None` once the date says more.
pub fn ago(now: i64, then: i64) -> Option<String> {
    let passed = u64::try_from(now.saturating_sub(then)).unwrap_or(0) / 1_000;
    let mut text = match passed {
        0..60 => return Some("just now".to_owned()),
        60..3_600 => counted(passed / 60, "minute", "minutes"),
        3_600..86_400 => counted(passed / 3_600, "hour", "hours"),
        86_400..172_800 => return Some("yesterday".to_owned()),
        172_800..2_592_000 => counted(passed / 86_400, "day", "days"),
        _ => return None,
    };
    text.push_str(" ago");
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(counted(1, "file", "files"), "1 file");
        assert_eq!(counted(0, "file", "files"), "0 files");
    }

    #[test]
    fn sizes_are_decimal_and_short() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_000), "1 KB");
        assert_eq!(bytes(1_500), "1.5 KB");
        assert_eq!(bytes(640_000_000), "640 MB");
        assert_eq!(bytes(1_100_000_000), "1.1 GB");
        assert_eq!(bytes(5 * 1_024 * 1_024 * 1_024), "5.4 GB");
        assert_eq!(bytes(u64::MAX), "1,844,674 TB");
    }

    #[test]
    fn percent_says_hundred_only_when_done() {
        assert_eq!(percent(0, 0), 100);
        assert_eq!(percent(0, 3), 0);
        assert_eq!(percent(999, 1_000), 99);
        assert_eq!(percent(1_000, 1_000), 100);
        assert_eq!(percent(u64::MAX - 1, u64::MAX), 99);
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(machine_time(0), "1970-01-01T00:00:00Z");
        assert_eq!(machine_time(1_795_441_267_999), "2026-11-23T13:41:07Z");
        assert_eq!(people_time(1_795_441_267_999, false), "23 Nov 2026, 13:41 UTC");
        assert_eq!(people_time(1_795_441_267_999, true), "23 Nov 2026, 13:41:07 UTC");
        assert_eq!(machine_time(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(machine_time(-1), "1969-12-31T23:59:59Z");
        assert_eq!(machine_time(4_107_542_400_000), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn a_time_beside_another_of_the_same_day_is_the_clock_alone() {
        let midday = 1_795_441_267_999;
        assert_eq!(people_time_beside(midday + 5_000, midday), "13:41:12 UTC");
        assert_eq!(people_time_beside(midday + 86_400_000, midday), "24 Nov 2026, 13:41:07 UTC");
        assert_eq!(people_time_beside(midday - 86_400_000, midday), "22 Nov 2026, 13:41:07 UTC");
    }

    #[test]
    fn lengths_are_told_in_two_units_and_fit_the_seconds_that_are_shown() {
        let seconds = |passed: i64| between(0, passed * 1_000);
        assert_eq!(seconds(0).as_deref(), Some("less than a second"));
        assert_eq!(seconds(1).as_deref(), Some("1 second"));
        assert_eq!(seconds(59).as_deref(), Some("59 seconds"));
        assert_eq!(seconds(60).as_deref(), Some("1 minute"));
        assert_eq!(seconds(126).as_deref(), Some("2 minutes 6 seconds"));
        assert_eq!(seconds(3_661).as_deref(), Some("1 hour 1 minute"));
        assert_eq!(seconds(86_400).as_deref(), Some("1 day"));
        assert_eq!(seconds(180_000).as_deref(), Some("2 days 2 hours"));
        assert_eq!(between(900, 1_100).as_deref(), Some("1 second"), "from :00 to :01, as it is shown");
        assert_eq!(between(1_000, 999), None);
    }

    #[test]
    fn what_is_to_come_is_told_roughly() {
        assert_eq!(roughly(0), "less than a minute");
        assert_eq!(roughly(59), "less than a minute");
        assert_eq!(roughly(60), "about 1 min");
        assert_eq!(roughly(89), "about 1 min");
        assert_eq!(roughly(90), "about 2 min");
        assert_eq!(roughly(715), "about 12 min");
        assert_eq!(roughly(5_399), "about 90 min");
        assert_eq!(roughly(5_400), "about 2 h");
        assert_eq!(roughly(86_400), "about 24 h");
        assert_eq!(roughly(129_600), "about 2 days");
        assert_eq!(roughly(u64::MAX), "about 213,503,982,334,601 days");
    }

    #[test]
    fn moments_passed_are_told_in_one_unit() {
        assert_eq!(ago(10_000, 0).as_deref(), Some("just now"));
        assert_eq!(ago(0, 10_000).as_deref(), Some("just now"));
        assert_eq!(ago(61_000, 0).as_deref(), Some("1 minute ago"));
        assert_eq!(ago(7_200_000, 0).as_deref(), Some("2 hours ago"));
        assert_eq!(ago(90_000_000, 0).as_deref(), Some("yesterday"));
        assert_eq!(ago(259_200_000, 0).as_deref(), Some("3 days ago"));
        assert_eq!(ago(2_592_000_000, 0), None);
    }
}
