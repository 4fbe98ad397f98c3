#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| linewitness_fuzz::hostile::dump(bytes));
