//! Codes of time (RFC 6238), by the crate `totp-rs`: HMAC-SHA-1, six digits, steps of 30 seconds, as every authenticator app
//! computes them. That a code is good once is seen to here and in the row of its user.

use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, Builder, Totp};

/// Bytes of a secret: as many as SHA-1 gives (RFC 4226 §4).
pub const SECRET_BYTES: usize = 20;
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// A clock may be wrong by so many steps.
const SKEW: u16 = 1;

/// A secret as apps and people write it.
pub fn written(secret: &[u8; SECRET_BYTES]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The step whose code this is, if it is one near `now` and later than `last`.
pub fn matching_step(secret: &str, code: &str, now: i64, last: i64) -> Option<i64> {
    let step = codes_of(secret)?.check(code, seconds(now)?)?;
    i64::try_from(step).ok().filter(|step| *step > last)
}

/// The code that an app shows at `now`: what tests type.
pub fn code_at(secret: &str, now: i64) -> Option<String> {
    Some(codes_of(secret)?.generate(seconds(now)?).to_string())
}

fn seconds(milliseconds: i64) -> Option<u64> {
    u64::try_from(milliseconds / 1_000).ok()
}

fn codes_of(secret: &str) -> Option<Totp> {
    let secret: [u8; SECRET_BYTES] = BASE32_NOPAD.decode(secret.as_bytes()).ok()?.try_into().ok()?;
    let codes = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP_SECONDS)
        .with_skew(SKEW)
        .with_secret(secret);
    codes.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six digits of the values for SHA-1.
    const KNOWN: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = written(b"12345678901234567890");
        for (seconds, code) in KNOWN {
            assert_eq!(code_at(&secret, seconds * 1_000).as_deref(), Some(code));
        }
    }

    #[test]
    fn a_clock_may_be_wrong_by_one_step_and_a_code_is_good_once() {
        let secret = written(b"12345678901234567890");
        let now = 1_111_111_111_000;
        let step = now / 30_000;
        for (away, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = code_at(&secret, now + away * 30_000).unwrap();
            assert_eq!(matching_step(&secret, &code, now, 0), fits.then_some(step + away), "{away}");
            assert_eq!(matching_step(&secret, &code, now, step + away), None, "it was used");
        }
        assert_eq!(matching_step(&secret, "", now, 0), None);
        assert_eq!(matching_step("not base32!", "000000", now, 0), None);
        assert_eq!(matching_step(&written(b"12345678901234567890")[..16], "000000", now, 0), None);
        for code in ["+12345", " 50471", "5047１", "050471 ", "0050471"] {
            assert_eq!(matching_step(&secret, code, now, 0), None, "{code:?}");
        }
    }
}
