//! Texts of tokens that follow from a number, so that no benchmark has to keep or draw them.

use symbolon::Id;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX: &[u8; 4] = b"sym_";

/// A token of symbolon's own format with this id; `salt` tells its secret from others of the same id.
pub(crate) fn native(id: Id, salt: u64) -> [u8; 64] {
    let mut text = [b'0'; 64];
    let (head, rest) = text.split_at_mut(PREFIX.len());
    head.copy_from_slice(PREFIX);
    let (number, rest) = rest.split_at_mut(11);
    put(number, id.number());
    let (secret, _) = rest.split_at_mut(43);
    // The first digit stays 0: so the rest is below 2^256, whatever it is.
    scatter(&mut secret[1..], id.number(), salt);
    let sum = crc32fast::hash(&text[..58]);
    put(&mut text[58..], sum.into());
    text
}

/// A text of 88 characters, as InfluxDB v2 makes them.
pub(crate) fn long(id: Id) -> [u8; 88] {
    let mut text = [b'='; 88];
    scatter(&mut text[..86], id.number(), 2);
    text
}

fn put(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
}

fn scatter(digits: &mut [u8], number: u64, salt: u64) {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed[8..].copy_from_slice(&salt.to_le_bytes());
    let mut bytes = [0; 86];
    let mut reader = blake3::Hasher::new().update(&seed).finalize_xof();
    reader.fill(&mut bytes[..digits.len()]);
    for (digit, byte) in digits.iter_mut().zip(bytes) {
        *digit = ALPHABET[usize::from(byte) % 62];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon::{Prefix, TokenShape};

    #[test]
    fn texts_have_the_shape_that_they_should() {
        for number in [1, 77, u64::MAX >> 1] {
            let id = Id::new(number).unwrap();
            let shape = TokenShape::of(Prefix::SYMBOLON, &native(id, 3));
            assert_eq!(shape, Ok(TokenShape::Native(id)));
            assert_eq!(
                TokenShape::of(Prefix::SYMBOLON, &long(id)),
                Ok(TokenShape::Other)
            );
        }
        let id = Id::new(1).unwrap();
        assert_ne!(native(id, 0), native(id, 1));
    }
}
