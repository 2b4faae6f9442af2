//! Token texts, ids, and the hashes of imported tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use symbolon::{ForeignHash, Id, Prefix, Token, TokenShape};

use crate::base62::{crc32, decode, encode};

const PREFIXES: [&str; 3] = ["sym_", "ab1_", "z_"];
const ID: usize = 11;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const OWN: usize = ID + SECRET + CHECKSUM;

/// A text has the shape that `docs/format.md` defines, under any prefix. An accepted text is kept
/// unchanged. A token built from the input is accepted, but not with one changed character.
pub fn token(data: &[u8]) -> bool {
    let mut good = false;
    for prefix in PREFIXES {
        good |= shape(prefix, data);
    }
    assembled(data);
    hashed(data);
    good | id(data) | foreign_hash(data)
}

fn shape(text: &str, data: &[u8]) -> bool {
    let prefix: Prefix = text.parse().unwrap();
    assert_eq!(prefix.as_str(), text);
    let shape = TokenShape::of(prefix, data).ok();
    assert_eq!(shape, expected(text, data), "{}", data.escape_ascii());
    let Ok(text) = std::str::from_utf8(data) else {
        assert_eq!(shape, None);
        return false;
    };
    let parsed = Token::parse(prefix, text).ok();
    assert_eq!(parsed.is_some(), shape.is_some());
    if let Some(token) = &parsed {
        assert_eq!(token.reveal(), text);
        assert!(!format!("{token:?}").contains(text));
    }
    parsed.is_some()
}

/// Returns the shape according to `docs/format.md`: each number has exactly one encoding.
fn expected(prefix: &str, data: &[u8]) -> Option<TokenShape> {
    let own = data.strip_prefix(prefix.as_bytes()).filter(|own| own.len() == OWN);
    let Some(own) = own else {
        let printable = data.iter().all(|byte| (0x21..=0x7e).contains(byte));
        return (printable && (32..=255).contains(&data.len())).then_some(TokenShape::Other);
    };
    let (id, rest) = own.split_at(ID);
    let (secret, checksum) = rest.split_at(SECRET);
    let summed = &data[..data.len() - CHECKSUM];
    let id = u64::from_be_bytes(decode(id)?);
    decode::<32>(secret)?;
    let given = u32::from_be_bytes(decode(checksum)?);
    (given == crc32(summed)).then(|| Id::new(id).map(TokenShape::Native))?
}

/// Builds a token from 8 bytes of an id and 32 of a secret. Two more bytes give the position and
/// the value of a changed character.
fn assembled(data: &[u8]) {
    let Some((bytes, rest)) = data.split_first_chunk::<40>() else {
        return;
    };
    let (number, secret) = bytes.split_at(8);
    let mut text = format!("sym_{}{}", encode(number, ID), encode(secret, SECRET));
    text += &encode(&crc32(text.as_bytes()).to_be_bytes(), CHECKSUM);
    let id = Id::new(u64::from_be_bytes(number.try_into().unwrap()));
    let shape = TokenShape::of(Prefix::SYMBOLON, text.as_bytes()).ok();
    assert_eq!(shape, id.map(TokenShape::Native), "{text}");
    if let [at, byte, ..] = *rest {
        let mut other = text.clone().into_bytes();
        let at = usize::from(at) % other.len();
        other[at] = byte;
        let shape = TokenShape::of(Prefix::SYMBOLON, &other);
        let same = other == text.as_bytes();
        assert!(same || !matches!(shape, Ok(TokenShape::Native(_))), "{text}");
    }
}

fn hashed(data: &[u8]) {
    for (variant, foreign_hash) in
        [("sha256", ForeignHash::sha256(data)), ("sha512", ForeignHash::sha512(data))]
    {
        let text =
            format!("$influxdb2-{variant}${}", URL_SAFE_NO_PAD.encode(digest(&foreign_hash)));
        assert_eq!(text.parse(), Ok(foreign_hash));
    }
}

fn foreign_hash(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(foreign_hash) = text.parse::<ForeignHash>() else {
        return false;
    };
    let variant = match foreign_hash {
        ForeignHash::Sha256(_) => "sha256",
        ForeignHash::Sha512(_) => "sha512",
    };
    let one = format!("$influxdb2-{variant}${}", URL_SAFE_NO_PAD.encode(digest(&foreign_hash)));
    let padding = match foreign_hash {
        ForeignHash::Sha256(_) => "=",
        ForeignHash::Sha512(_) => "==",
    };
    // Only the padding is optional.
    assert!(text == one || text == one.clone() + padding, "{text}");
    assert!(!format!("{foreign_hash:?}").contains(&one[18..]));
    true
}

fn digest(foreign_hash: &ForeignHash) -> &[u8] {
    match foreign_hash {
        ForeignHash::Sha256(digest) => digest,
        ForeignHash::Sha512(digest) => digest,
    }
}

fn id(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(id) = text.parse::<Id>() else {
        return false;
    };
    assert_eq!(id.to_string(), text.to_ascii_lowercase());
    assert_eq!(Id::from_uuid(id.to_uuid()), Some(id));
    true
}
