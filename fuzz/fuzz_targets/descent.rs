#![no_main]

use attractor_fuzz::{mutations, run};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_mutator!(|content: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutations::mutate(mutations::json_lines, content, size, max_size, seed, fuzzer_mutate)
});

fuzz_target!(|content: &[u8]| run("descent", content));
