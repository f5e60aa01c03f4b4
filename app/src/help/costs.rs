//! What the calls to KMS cost, from the configuration.

use super::Terms;
use std::time::Duration;

/// What AWS asks for a key and month, in US cents.
pub const KEY_CENTS: u64 = 100;
/// What AWS asks for [`REQUESTS`] requests, in US cents.
pub const REQUESTS_CENTS: u64 = 3;
pub const REQUESTS: u64 = 10_000;
/// A month, for this purpose.
pub const DAYS: u64 = 30;

const DAY: Duration = Duration::from_hours(24);

/// How often something happens on a day that happens once in every `period`.
pub fn a_day(period: Duration) -> u64 {
    u64::try_from(DAY.as_millis() / period.as_millis().max(1)).unwrap_or(u64::MAX)
}

/// Calls and their price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    pub calls_a_day: u64,
    pub calls_a_month: u64,
    /// Of the month, with the key itself.
    pub cents: u64,
}

/// So many servers, on each of which so many workspaces are in use all day.
pub fn costs(terms: &Terms, servers: u64, workspaces: u64) -> Costs {
    let each = a_day(terms.key_check) + workspaces * a_day(terms.workspace_renewal);
    let calls_a_day = servers * each;
    let calls_a_month = calls_a_day * DAYS;
    let cents = KEY_CENTS + (calls_a_month * REQUESTS_CENTS).div_ceil(REQUESTS);
    Costs { calls_a_day, calls_a_month, cents }
}

/// US dollars with two decimals.
pub fn dollars(cents: u64) -> String {
    format!("{}.{:02} USD", crate::format::count(cents / 100), cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(key_check: u64) -> Terms {
        Terms { key_check: Duration::from_secs(key_check), ..Terms::EXAMPLE }
    }

    #[test]
    fn one_server_with_the_usual_interval_costs_about_two_and_a_half_dollars() {
        assert_eq!(costs(&terms(5), 1, 0), Costs { calls_a_day: 17_280, calls_a_month: 518_400, cents: 256 });
    }

    #[test]
    fn calls_grow_with_servers_and_with_workspaces_in_use() {
        assert_eq!(costs(&terms(5), 3, 0).calls_a_day, 51_840);
        assert_eq!(costs(&terms(5), 3, 20).calls_a_day, 3 * (17_280 + 20 * 360));
        assert_eq!(costs(&terms(5), 3, 20).cents, 100 + 661, "2,203,200 calls");
    }

    #[test]
    fn the_interval_is_the_configured_one() {
        assert_eq!(costs(&terms(1), 1, 0).calls_a_day, 86_400);
        assert_eq!(costs(&terms(30), 1, 0).calls_a_day, 2_880);
        assert_eq!(a_day(Duration::ZERO), 86_400_000, "no interval is no reason to divide by zero");
    }

    #[test]
    fn nothing_but_the_key_is_left_without_servers() {
        assert_eq!(costs(&terms(5), 0, 5), Costs { calls_a_day: 0, calls_a_month: 0, cents: KEY_CENTS });
    }

    #[test]
    fn dollars_have_two_decimals() {
        assert_eq!(dollars(256), "2.56 USD");
        assert_eq!(dollars(100), "1.00 USD");
        assert_eq!(dollars(123_405), "1,234.05 USD");
    }
}
