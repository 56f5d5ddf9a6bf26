#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dosimeter_fuzz::image(data));
