//! What a stranger sends to the reflector's UDP port, and what answers may bring back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| linewitness_fuzz::hostile::datagram(bytes));
