#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| trueup_fuzz::signatures(data));
