//! Keyed hashing agrees with the hasher of the `blake3` crate, on every instruction set.

use proptest::prelude::*;

use super::blake3_block::keys;

const BLOCK: usize = blake3::BLOCK_LEN;

fn expected(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    *blake3::keyed_hash(key, text).as_bytes()
}

fn expected16(key: &[u8; 32], text: &[u8]) -> [u64; 2] {
    let hash = expected(key, text);
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| hash[8 * at + byte]));
    [word(0), word(1)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn hashes_match_blake3(
        key: [u8; 32], text in proptest::collection::vec(any::<u8>(), 1100)
    ) {
        for one in keys(&key) {
            prop_assert_eq!(*one.bytes(), key);
            for len in 0..=text.len() {
                let text = &text[..len];
                prop_assert_eq!(one.hash(text), expected(&key, text), "{} bytes", len);
                prop_assert_eq!(one.hash16(text), expected16(&key, text), "{} bytes", len);
            }
        }
    }

    #[test]
    fn blocks_hashed_together_match_single_hashing(key: [u8; 32], texts: Vec<[u8; 32]>) {
        let blocks: Vec<[u8; BLOCK]> = texts
            .iter()
            .map(|text| std::array::from_fn(|at| text[at % 32] ^ at as u8))
            .collect();
        let blocks: Vec<&[u8; BLOCK]> = blocks.iter().collect();
        let expected: Vec<_> = blocks.iter().map(|block| expected16(&key, *block)).collect();
        for one in keys(&key) {
            let mut hashes = vec![[0; 2]; blocks.len()];
            one.hash16_blocks(&blocks, &mut hashes);
            prop_assert_eq!(&hashes, &expected);
        }
    }
}

#[test]
fn texts_hashed_together_match_single_hashing() {
    const MOST: usize = 9 * BLOCK;
    let bytes: Vec<u8> = (0..2 * MOST).map(|at| (at * 7 + at / 256) as u8).collect();
    // Consecutive and mixed lengths, in runs that fill all lanes and runs that do not, up to texts
    // that are too long to be hashed together.
    let lengths = (0..=MOST).chain((0..400).map(|at| at * 37 % 301));
    let texts: Vec<&[u8]> = lengths.map(|len| &bytes[len / 3..][..len]).collect();
    for one in keys(&[7; 32]) {
        let mut hashes = vec![None; texts.len()];
        one.hash_each(&texts, |at, hash| {
            assert!(hashes[at].replace(hash).is_none(), "each once");
        });
        for (text, hash) in texts.iter().zip(hashes) {
            assert_eq!(hash, Some(expected(&[7; 32], text)), "{} bytes", text.len());
        }
    }
}
