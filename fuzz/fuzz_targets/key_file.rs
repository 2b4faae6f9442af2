//! See `symbolon_fuzz::key_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    symbolon_fuzz::key_file(data);
});
