//! HKDF-Expand with SHA-512 (RFC 5869, section 2.3): how everything that a data key is used for comes from it.
//!
//! HMAC begins with a block of the key for its inner and one for its outer hash. Both are taken in once for a data key and not
//! for each message: a quarter of what a derivation costs, which is most of what a short record costs. What must stay true: this
//! state is worth as much as the data key, so it stands on the heap where its owner wipes it, and no copy stays on the stack.

use crate::stack::leaving_no_trace;
use aws_lc_rs::hmac::{Context, HMAC_SHA512, Key, Tag};

/// What one round of it gives.
const DIGEST_LEN: usize = 64;

/// A data key as derivations begin with it. Let go, it is zeroized: by aws-lc, in place.
pub(crate) struct DerivationKey(Box<Key>);

impl DerivationKey {
    /// Takes in the bytes of a data key, the pseudorandom key of the RFC.
    pub(crate) fn new(data_key: &[u8; 32]) -> Self {
        leaving_no_trace(|| Self(Box::new(Key::new(HMAC_SHA512, data_key))))
    }

    /// Fills `out` with what comes of the parts of `info`, one behind the other.
    ///
    /// # Panics
    /// If more is asked for than 255 digests, where the RFC ends.
    pub(crate) fn expand(&self, info: &[&[u8]], out: &mut [u8]) {
        leaving_no_trace(|| self.expand_here(info, out));
    }

    /// The same; copies of the key's state stay on the stack.
    pub(crate) fn expand_here(&self, info: &[&[u8]], out: &mut [u8]) {
        assert!(out.len() <= usize::from(u8::MAX) * DIGEST_LEN, "HKDF-Expand ends after 255 digests");
        let mut previous: Option<Tag> = None;
        for (number, out) in (1..=u8::MAX).zip(out.chunks_mut(DIGEST_LEN)) {
            let mut hmac = Context::with_key(&self.0);
            if let Some(previous) = &previous {
                hmac.update(previous.as_ref());
            }
            for part in info {
                hmac.update(part);
            }
            hmac.update(&[number]);
            let digest = hmac.sign();
            out.copy_from_slice(&digest.as_ref()[..out.len()]);
            previous = Some(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DerivationKey;
    use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Prk};

    struct Length(usize);

    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    /// The cipher library has the whole of it as well.
    #[test]
    fn it_is_the_librarys_own_at_every_length() {
        let (key, info): (_, [&[u8]; 3]) = ([7; 32], [b"label", &[], &[9; 300]]);
        let ours = DerivationKey::new(&key);
        for len in (0..200).chain([255 * 64 - 1, 255 * 64]) {
            let (mut found, mut expected) = (vec![0; len], vec![0; len]);
            ours.expand(&info, &mut found);
            let prk = Prk::new_less_safe(HKDF_SHA512, &key);
            prk.expand(&info, Length(len)).unwrap().fill(&mut expected).unwrap();
            assert_eq!(found, expected, "{len}");
        }
    }

    #[test]
    #[should_panic(expected = "ends after 255 digests")]
    fn it_ends_after_255_digests() {
        DerivationKey::new(&[7; 32]).expand(&[], &mut [0; 255 * 64 + 1]);
    }
}
