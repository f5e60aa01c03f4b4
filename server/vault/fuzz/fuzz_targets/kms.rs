//! Replies of the service: see `vault_fuzz::kms`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vault_fuzz::kms::run(data));
