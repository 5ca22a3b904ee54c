//! What the machine can do: the bounds that kernels are held against in benchmarks.

use std::hint::black_box;

use super::Isa;
use super::lanes::prefetch;

/// Independent chains: more than latency times throughput of any current core.
const CHAINS: usize = 12;
/// Lanes of a vector register of AVX2.
const WIDTH: usize = 8;

/// Does `repeats` rounds of fused multiply-adds on registers and returns their number of f32 multiply-adds.
///
/// With AVX2 and FMA these are the operations that a dense matrix product is bound by; elsewhere plain multiplications and
/// additions, which are counted the same.
pub fn multiply_adds(isa: Isa, repeats: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx2 && isa.is_available() {
        // SAFETY: both features were just detected.
        black_box(unsafe { fused(repeats) });
        return repeats * (CHAINS * WIDTH) as u64;
    }
    let _ = isa;
    let mut chains = [[1.0f32; WIDTH]; CHAINS];
    let (factor, term) = (black_box(0.999f32), black_box(0.001f32));
    for _ in 0..repeats {
        for chain in &mut chains {
            for lane in chain {
                *lane = *lane * factor + term;
            }
        }
    }
    black_box(chains);
    repeats * (CHAINS * WIDTH) as u64
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn fused(repeats: u64) -> f32 {
    use std::arch::x86_64::*;
    let (factor, term) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
    let mut chains = [_mm256_set1_ps(1.0); CHAINS];
    for _ in 0..repeats {
        for chain in &mut chains {
            *chain = _mm256_fmadd_ps(*chain, factor, term);
        }
    }
    let sum = chains.into_iter().reduce(|a, b| _mm256_add_ps(a, b)).unwrap_or(term);
    _mm256_cvtss_f32(sum)
}

/// Reads all of `words` once: four parts at a time, each fetched ahead of its use, which is what a core needs to keep
/// its memory busy.
pub fn read(words: &[u64]) -> u64 {
    const STREAMS: usize = 4;
    const LINE: usize = 8;
    const AHEAD: usize = 32 * LINE;
    let part = words.len() / (STREAMS * LINE) * LINE;
    let (streams, rest) = words.split_at(part * STREAMS);
    let streams: [&[u64]; STREAMS] = std::array::from_fn(|stream| &streams[stream * part..][..part]);
    // A sum for each word of a line, so that additions never wait for each other.
    let mut sums = [[0u64; LINE]; STREAMS];
    for line in 0..part / LINE {
        for (stream, sums) in streams.iter().zip(&mut sums) {
            let words = &stream[line * LINE..][..LINE];
            prefetch(words.as_ptr().wrapping_add(AHEAD));
            for (sum, &word) in sums.iter_mut().zip(words) {
                *sum = sum.wrapping_add(word);
            }
        }
    }
    let all = sums.as_flattened().iter().chain(rest);
    black_box(all.fold(0, |sum, &word| sum.wrapping_add(word)))
}
