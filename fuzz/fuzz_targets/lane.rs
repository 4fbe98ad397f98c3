//! What may be said on a lane, cut anywhere.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| linewitness_fuzz::hostile::lane(bytes));
