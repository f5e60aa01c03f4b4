//! The vault: everything that turns the organization's data into ciphertext and back.
//!
//! * [`context`] names *where* a piece of data lives, so that a ciphertext cannot be moved.
//! * [`envelope`] is the format of every sealed record and object.
//! * [`keyring`] holds plaintext data keys, the only place in the program that does.
//! * [`lease`] decides, from the answers of the key management service alone, for how long it may.
//! * [`handle`] ties ring, lease and clock together into the one [`Vault`] a server has.
//! * [`kms`] talks to AWS KMS and tells apart what its answers mean.
//!
//! It knows no web and no database. What must stay true: a plaintext data key never leaves the ring except to be
//! wrapped by a root key, every use of one tests the lease on the clock, and after a lock no key that was handed out
//! before it works again. Time and randomness are passed in ([`Clock`], [`Entropy`]).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]
#![warn(missing_docs)]

pub mod clock;
pub mod context;
mod derivation;
pub mod entropy;
pub mod envelope;
pub mod error;
mod gauge;
pub mod handle;
pub mod keyring;
pub mod kms;
pub mod lease;
mod message;
mod stack;
mod verdict;

pub use clock::{Clock, SystemClock};
pub use context::{DataKeyId, DeploymentId, HeadContext, Place, Scope, WrapContext};
pub use entropy::{BufferedEntropy, Entropy, SystemEntropy};
pub use envelope::{
    CHUNK_LEN, HEADER_LEN, Opener, PREFIX_LEN, SEALED_CHUNK_LEN, Sealer, key_id_of, open, open_into, opened_len, seal,
    seal_into, sealed_len,
};
pub use error::{EntropyError, InvalidDeploymentId, Locked, OpenError, SealError};
pub use handle::{Standing, Vault};
pub use keyring::{DataKey, Epoch, Held, Leash, TERM};
pub use kms::{
    Denial, KeyDescription, KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage, Kms, KmsClass, KmsError, KmsObserver,
    Probe, Unwrapped, Wrapped,
};
pub use lease::{Lease, LockCause, LockState, Moment, Transition};
pub use verdict::{Refusal, Verdict};
pub use zeroize::Zeroizing;
/// The allocator that zeroes every block as it is freed, also when one grows. The program installs it as its
/// `#[global_allocator]`: it covers the copies of plaintext that are out of our hands (TLS and JSON buffers).
pub use zeroizing_alloc::ZeroAlloc;
