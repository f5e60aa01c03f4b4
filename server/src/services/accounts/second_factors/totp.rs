//! Codes of time (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, as every authenticator app computes them.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

/// Bytes of a secret: as many as SHA-1 gives (RFC 4226 §4).
pub const SECRET_BYTES: usize = 20;
const STEP_MS: i64 = 30_000;
/// A clock may be wrong by so many steps.
const SKEW: i64 = 1;

/// A secret as apps and people write it.
pub fn written(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The step whose code this is, if it is one near `now` and later than `last`.
pub fn matching_step(secret: &str, code: &str, now: i64, last: i64) -> Option<i64> {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let here = now.div_euclid(STEP_MS);
    let mut found = None;
    // All are compared, so that the time it takes tells nothing.
    for step in here - SKEW..=here + SKEW {
        if computed(&key, step) == code && step > last {
            found = Some(step);
        }
    }
    found
}

fn computed(key: &hmac::Key, step: i64) -> String {
    let tag = hmac::sign(key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes[bytes.len() - 1] & 15);
    let word = [bytes[at] & 0x7f, bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    format!("{:06}", u32::from_be_bytes(word) % 1_000_000)
}

/// The code that an app shows at `now`: what tests type.
pub fn code_at(secret: &str, now: i64) -> Option<String> {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    Some(computed(&key, now.div_euclid(STEP_MS)))
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
        let step = now / STEP_MS;
        for (away, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = code_at(&secret, now + away * STEP_MS).unwrap();
            assert_eq!(matching_step(&secret, &code, now, 0), fits.then_some(step + away), "{away}");
            assert_eq!(matching_step(&secret, &code, now, step + away), None, "it was used");
        }
        assert_eq!(matching_step(&secret, "", now, 0), None);
        assert_eq!(matching_step("not base32!", "000000", now, 0), None);
    }
}
