//! See `symbolon_fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    symbolon_fuzz::record(data);
});
