//! Token texts derived from numbers, so that benchmarks need not store or draw them.

use symbolon::Id;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns a native token with this id; another `salt` gives another secret.
pub(crate) fn native(id: Id, salt: u64) -> [u8; 64] {
    let mut text = [b'0'; 64];
    text[..4].copy_from_slice(b"sym_");
    write_number(&mut text[4..15], id.number());
    // The first digit of the secret remains 0, which keeps it below 2^256.
    write_hash(&mut text[16..58], id.number(), salt);
    let sum = crc32fast::hash(&text[..58]);
    write_number(&mut text[58..], sum.into());
    text
}

/// Returns a token of 88 characters, as InfluxDB v2 creates them.
pub(crate) fn long(id: Id) -> [u8; 88] {
    let mut text = [b'='; 88];
    write_hash(&mut text[..86], id.number(), 2);
    text
}

fn write_number(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
}

fn write_hash(digits: &mut [u8], number: u64, salt: u64) {
    let seed = [number.to_le_bytes(), salt.to_le_bytes()].concat();
    let mut reader = blake3::Hasher::new().update(&seed).finalize_xof();
    reader.fill(digits);
    for digit in digits {
        *digit = ALPHABET[usize::from(*digit) % 62];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon::{Prefix, TokenShape};

    #[test]
    fn texts_are_well_formed_and_differ_by_salt() {
        for number in [1, 77, u64::MAX >> 1] {
            let id = Id::new(number).unwrap();
            let shape = TokenShape::of(Prefix::SYMBOLON, &native(id, 3));
            assert_eq!(shape, Ok(TokenShape::Native(id)));
            assert_eq!(TokenShape::of(Prefix::SYMBOLON, &long(id)), Ok(TokenShape::Other));
            assert_ne!(native(id, 0), native(id, 1));
        }
    }
}
