//! Fresh proof: before something grave, whoever asks for it must have shown a moment ago that they are who they are.

use super::failure::Failure;
use app::{model::error::ApiError, ports::Principal};

/// For so long a proof counts, in milliseconds. A sign-in is one.
pub const FRESH_FOR: i64 = 5 * 60 * 1_000;
/// Milliseconds in which somebody who was asked for proof is back at what they wanted to do.
const A_MOMENT: i64 = 60 * 1_000;

/// Lets only those through whose proof is fresh.
///
/// # Errors
/// [`ApiError::ProofNeeded`] for everybody else.
pub fn fresh(who: &Principal, now: i64) -> Result<(), Failure> {
    if left(who.proven_at, now) > 0 { Ok(()) } else { Err(Failure::Refused(ApiError::ProofNeeded)) }
}

/// Whether `who` has given proof a moment ago because it was asked for. A sign-in does not count: a link can lead there.
pub fn has_confirmed(who: &Principal, now: i64) -> bool {
    (0..A_MOMENT).contains(&(now - who.confirmed_at))
}

/// For how many milliseconds a proof still counts. One from the future counts no longer than others.
pub fn left(proven_at: i64, now: i64) -> i64 {
    (proven_at.min(now) + FRESH_FOR - now).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_counts_for_five_minutes() {
        assert_eq!(left(1_000, 1_000), FRESH_FOR);
        assert_eq!(left(1_000, 1_000 + FRESH_FOR - 1), 1);
        assert_eq!(left(1_000, 1_000 + FRESH_FOR), 0);
        assert_eq!(left(0, 1_790_000_000_000), 0, "there was none");
        assert_eq!(left(9_000, 1_000), FRESH_FOR, "a clock was wrong");
    }
}
