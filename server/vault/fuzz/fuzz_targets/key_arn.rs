//! What people enter as a key: see `vault_fuzz::key_arn`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vault_fuzz::key_arn::run(data));
