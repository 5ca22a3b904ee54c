#![no_main]

use attractor_fuzz::run;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| run("parameters", content));
