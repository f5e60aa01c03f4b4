//! The errors of sealing and opening.
//!
//! What must stay true: none carries key material, plaintext or any other content; they say which kind, no more.

use thiserror::Error;

/// Why a sealed record or object did not open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
pub enum OpenError {
    /// The header or the length cannot be that of anything we sealed.
    #[error("malformed: header or length is wrong")]
    Malformed,
    /// It was sealed under another data key than the one at hand.
    #[error("unknown key: sealed under another data key")]
    UnknownKey,
    /// The commitment differs: sealed for another place, or under other key bytes.
    #[error("does not belong here: sealed for another place or key")]
    DoesNotBelongHere,
    /// A chunk does not carry the tag it should.
    #[error("tampered: a chunk is not what was sealed")]
    Tampered,
    /// Nothing is said about the data: the key may not be used now, because no lease covers it (any more).
    #[error("locked: the data key may not be used now")]
    Locked,
}

/// Why something could not be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
pub enum SealError {
    /// The key may not be used now, because no lease covers it (any more).
    #[error("locked: the data key may not be used now")]
    Locked,
    /// There was no randomness for the salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The system gave no random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
#[error("no random bytes could be had")]
pub struct EntropyError;

/// The vault is locked, or has been since the epoch that was shown to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
#[error("the vault is locked")]
pub struct Locked;

impl From<Locked> for SealError {
    fn from(_: Locked) -> Self {
        Self::Locked
    }
}

impl From<Locked> for OpenError {
    fn from(_: Locked) -> Self {
        Self::Locked
    }
}

/// A deployment id that is not 1 to 64 characters of `a-z`, `0-9` and `-`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
#[error("a deployment id has 1 to 64 characters, each a lower-case letter, a digit or a hyphen")]
pub struct InvalidDeploymentId;
