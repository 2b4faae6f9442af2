//! See `symbolon_fuzz::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    symbolon_fuzz::token(data);
});
