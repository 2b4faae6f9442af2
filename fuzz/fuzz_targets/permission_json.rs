//! See `symbolon_fuzz::permission_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    symbolon_fuzz::permission_json(data);
});
