use super::*;
use proptest::prelude::*;

/// Computed with Python's `zlib.crc32` and integers.
const KNOWN: &str = "sym_0ggb59YXU7U003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2gZeqC";

fn known_id() -> Id {
    "0804f74142bbf000".parse().unwrap()
}

fn of(text: &str) -> Result<TokenShape, MalformedToken> {
    TokenShape::of(Prefix::SYMBOLON, text.as_bytes())
}

/// Appends the correct checksum to `body` (58 bytes, prefix included).
fn summed(body: &str) -> String {
    let mut text = body.to_owned();
    base62::push_u64(&mut text, crc32fast::hash(body.as_bytes()).into(), 6);
    text
}

#[test]
fn a_known_token_parses() {
    let secret = std::array::from_fn(|at| at as u8);
    let token = Token::assemble(Prefix::SYMBOLON, known_id(), &secret);
    assert_eq!(token.reveal(), KNOWN);
    assert_eq!(token.reveal().len(), 64);
    assert_eq!(of(KNOWN), Ok(TokenShape::Native(known_id())));
}

#[test]
fn non_canonical_tokens_with_a_valid_checksum_are_malformed() {
    let secret = &KNOWN[15..58];
    for id in ["LygHa16AHYG", "zzzzzzzzzzz", "00000000000", "0ggb59YXU7-"] {
        assert_eq!(of(&summed(&format!("sym_{id}{secret}"))), Err(MalformedToken), "{id}");
    }
    assert!(of(&summed(&format!("sym_LygHa16AHYF{secret}"))).is_ok());
    let id = &KNOWN[4..15];
    let largest = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
    assert!(of(&summed(&format!("sym_{id}{largest}"))).is_ok());
    for secret in
        [largest.replace("Xp1", "Xp2"), largest.replace('y', "z"), largest.replace('L', "_")]
    {
        assert_eq!(of(&summed(&format!("sym_{id}{secret}"))), Err(MalformedToken), "{secret}");
    }
}

#[test]
fn foreign_tokens_are_accepted_by_length_and_characters() {
    assert_eq!(of(&"a".repeat(31)), Err(MalformedToken));
    assert_eq!(of(&"a".repeat(32)), Ok(TokenShape::Other));
    assert_eq!(of(&"~".repeat(255)), Ok(TokenShape::Other));
    assert_eq!(of(&"!".repeat(256)), Err(MalformedToken));
    for bad in [" ", "\0", "\n", "\u{7f}", "é"] {
        assert_eq!(of(&format!("{bad}{}", "a".repeat(40))), Err(MalformedToken));
    }
    assert_eq!(of(""), Err(MalformedToken));
    // Not 64 bytes long, or with another prefix: not a native token.
    assert_eq!(of(&KNOWN[..63]), Ok(TokenShape::Other));
    assert_eq!(of(&format!("{KNOWN}0")), Ok(TokenShape::Other));
    assert_eq!(of(&format!("sym_{KNOWN}")), Ok(TokenShape::Other));
    assert_eq!(of(&KNOWN.replace("sym_", "SYM_")), Ok(TokenShape::Other));
}

#[test]
fn a_prefix_is_one_to_three_characters_and_an_underscore() {
    for good in ["a_", "db_", "sym_", "A1z_"] {
        let prefix: Prefix = good.parse().unwrap();
        let token = Token::generate(prefix, known_id()).unwrap();
        assert!(token.reveal().starts_with(good));
        assert_eq!(token.reveal().len(), 60 + good.len());
        assert_eq!(
            TokenShape::of(prefix, token.reveal().as_bytes()),
            Ok(TokenShape::Native(known_id()))
        );
    }
    for bad in ["", "_", "sym", "long_", "é_", "a-_", "a b_"] {
        assert!(bad.parse::<Prefix>().is_err(), "{bad}");
    }
}

#[test]
fn stored_hashes_of_influxdb_are_parsed_and_written() {
    // Computed with Python's hashlib and base64 for the text `test`.
    let sha256 = "$influxdb2-sha256$n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg=";
    let sha512 = concat!(
        "$influxdb2-sha512$7iaw3Ur350mqGo7jwQrpkj9hiYB3Lkc_iBml1JQODbJ6wYX4oOHV-E-Iv",
        "Ih_1nsUNzLDBMxfqa2Ob1f1ACio_w=="
    );
    assert_eq!(sha256.parse(), Ok(ForeignHash::sha256(b"test")));
    assert_eq!(sha256.trim_end_matches('=').parse(), Ok(ForeignHash::sha256(b"test")));
    assert_eq!(sha512.parse(), Ok(ForeignHash::sha512(b"test")));
    assert!(sha256.replace("256", "512").parse::<ForeignHash>().is_err());
    for bad in [
        "",
        "$",
        "influxdb2-sha256$AAAA",
        "$influxdb2-sha256$AAAA",
        "$2b$10$x",
        "$influxdb2-sha256$!",
    ] {
        assert_eq!(bad.parse::<ForeignHash>(), Err(InvalidForeignHash), "{bad}");
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let token = Token::parse(Prefix::SYMBOLON, KNOWN).unwrap();
    assert_eq!(format!("{token:?}"), "Token(redacted)");
    let hash = TokenDigest::keyed(&HashKey::new(&[7; 32]), KNOWN.as_bytes());
    let credential = Credential::ForeignAndKeyed(ForeignHash::sha256(b"x"), KeyId(7), hash);
    let shown = format!("{credential:?}");
    assert_eq!(shown.matches("redacted").count(), 2, "{shown}");
}

/// Implements the rules of `docs/format.md` one by one, digit by digit.
fn expected(prefix: &str, text: &[u8]) -> Result<TokenShape, MalformedToken> {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u128, |number, byte| {
            let value = ALPHABET.iter().position(|digit| digit == byte)?;
            Some(number * 62 + value as u128)
        })
    };
    let body = text.strip_prefix(prefix.as_bytes());
    let Some(body) = body.filter(|body| body.len() == 60) else {
        let graphic = text.iter().all(|byte| (0x21..=0x7e).contains(byte));
        let other = graphic && (32..=255).contains(&text.len());
        return other.then_some(TokenShape::Other).ok_or(MalformedToken);
    };
    let secret = &body[11..54];
    let largest = b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
    let canonical = secret.iter().all(u8::is_ascii_alphanumeric) && secret <= &largest[..];
    let summed = &text[..text.len() - 6];
    let right = number(&body[54..]) == Some(crc32fast::hash(summed).into());
    let id = number(&body[..11]).and_then(|id| Id::new(u64::try_from(id).ok()?));
    let id = id.filter(|_| canonical && right);
    id.map(TokenShape::Native).ok_or(MalformedToken)
}

const PREFIXES: [&str; 3] = ["sym_", "ab_", "z_"];

/// Generates texts similar to native tokens: any id and secret, a correct or wrong checksum, and
/// some bytes replaced.
fn near() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let id = prop_oneof![
        "[0-9A-Za-z]{11}",
        "LygHa16[0-9A-Za-z]{4}",
        "LygHa16AHY[0-9A-Za-z]",
        Just("00000000000".to_owned()),
    ];
    let secret = prop_oneof![
        "[0-9A-Za-x][0-9A-Za-z]{42}",
        "[0-9A-Za-z]{43}",
        "yhjskwdA[0-9A-Za-z]{35}",
        "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp[0-9A-Za-z]",
    ];
    let text = (0..PREFIXES.len(), 0..PREFIXES.len(), id, secret, "[0-9A-Za-z]{6}", 0..4);
    let replaced = proptest::collection::vec((0..64_usize, any::<u8>()), 0..3);
    (text, replaced, 0..66_usize).prop_map(
        |((own, written, id, secret, sum, how), replaced, cut)| {
            let mut text = format!("{}{id}{secret}", PREFIXES[if how < 3 { own } else { written }]);
            text = match how {
                0 => text + &sum,
                _ => summed(&text),
            };
            let mut text = text.into_bytes();
            for (at, byte) in replaced {
                let len = text.len();
                text[at % len] = byte;
            }
            if how == 1 {
                text.truncate(cut);
            }
            (PREFIXES[own], text)
        },
    )
}

#[test]
fn every_byte_position_is_validated() {
    let long = "a".repeat(88);
    for byte in 0..=u8::MAX {
        for (text, len) in [(KNOWN, 64), (&long, 32), (&long, 47), (&long, 88)] {
            for at in 0..len {
                let mut text = text.as_bytes()[..len].to_vec();
                text[at] = byte;
                let shape = TokenShape::of(Prefix::SYMBOLON, &text);
                assert_eq!(shape, expected("sym_", &text), "{}", text.escape_ascii());
            }
            // The checksum alone does not detect every byte that is not a digit.
            for at in 4..if len == 64 { 58 } else { 4 } {
                let mut text = KNOWN.as_bytes().to_vec();
                text[at] = byte;
                let sum = crc32fast::hash(&text[..58]);
                let mut digits = String::new();
                base62::push_u64(&mut digits, sum.into(), 6);
                text[58..].copy_from_slice(digits.as_bytes());
                let shape = TokenShape::of(Prefix::SYMBOLON, &text);
                assert_eq!(shape, expected("sym_", &text), "{}", text.escape_ascii());
            }
        }
    }
}

/// `zzzzzz` exceeds 32 bits and must not be reduced modulo 2³².
#[test]
fn a_checksum_has_one_text_form() {
    let (summed, digits) = KNOWN.split_at(58);
    let number = digits.bytes().fold(0, |number, byte| number * 62 + base62::number(&[byte]));
    assert_eq!(number, u64::from(crc32fast::hash(summed.as_bytes())));
    for wraps in 1..=12 {
        let mut text = summed.to_owned();
        base62::push_u64(&mut text, number + (wraps << 32), 6);
        assert_eq!(of(&text), Err(MalformedToken), "{text}");
    }
}

#[test]
fn tokens_with_id_0_are_malformed() {
    let text = summed(&format!("sym_00000000000{}", &KNOWN[15..58]));
    let Ok(UncheckedToken::Native(native)) = UncheckedToken::of(Prefix::SYMBOLON, text.as_bytes())
    else {
        panic!("not native");
    };
    assert_eq!((native.id_number, native.is_sound()), (0, false));
}

proptest! {
    #[test]
    fn token_shapes_match_the_reference_parser((prefix, text) in near()) {
        let shape = TokenShape::of(prefix.parse().unwrap(), &text);
        prop_assert_eq!(shape, expected(prefix, &text), "{}", text.escape_ascii());
    }

    #[test]
    fn an_unchecked_token_reveals_its_id(number in 1..=u64::MAX, secret: [u8; 32], to: u8) {
        let token = Token::assemble(Prefix::SYMBOLON, Id::new(number).unwrap(), &secret);
        let mut text = token.reveal().as_bytes().to_vec();
        text[63] = to;
        let Ok(UncheckedToken::Native(native)) = UncheckedToken::of(Prefix::SYMBOLON, &text) else {
            return Err(TestCaseError::fail("not native"));
        };
        prop_assert_eq!(native.id_number, number);
        prop_assert_eq!(native.is_sound(), text == token.reveal().as_bytes());
    }

    #[test]
    fn generated_tokens_round_trip(number in 1..=u64::MAX, secret: [u8; 32]) {
        let id = Id::new(number).unwrap();
        let token = Token::assemble(Prefix::SYMBOLON, id, &secret);
        prop_assert_eq!(of(token.reveal()), Ok(TokenShape::Native(id)));
        prop_assert_eq!(token.reveal().len(), 64);
    }

    #[test]
    fn secrets_are_encoded_digit_by_digit(secret: [u8; 32]) {
        let mut text = String::new();
        base62::push_u256(&mut text, &secret, 43);
        let value = text.bytes().fold([0_u8; 32], |number, digit| {
            let digit = match digit {
                b'0'..=b'9' => digit - b'0',
                b'A'..=b'Z' => digit - b'A' + 10,
                _ => digit - b'a' + 36,
            };
            let mut carry = u32::from(digit);
            let mut next = number;
            for byte in next.iter_mut().rev() {
                let product = u32::from(*byte) * 62 + carry;
                *byte = product as u8;
                carry = product >> 8;
            }
            next
        });
        prop_assert_eq!(value, secret);
    }

    #[test]
    fn any_changed_character_is_detected(secret: [u8; 32], at in 4..64_usize, to in 0..62_usize) {
        let token = Token::assemble(Prefix::SYMBOLON, known_id(), &secret);
        let mut text = token.reveal().as_bytes().to_vec();
        let digit = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[to];
        prop_assume!(text[at] != digit);
        text[at] = digit;
        prop_assert_eq!(TokenShape::of(Prefix::SYMBOLON, &text), Err(MalformedToken));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(text: Vec<u8>) {
        let _ = TokenShape::of(Prefix::SYMBOLON, &text);
    }

    #[test]
    fn native_tokens_have_one_text_form(body in "[0-9A-Za-z]{54}") {
        let text = summed(&format!("sym_{body}"));
        if let Ok(TokenShape::Native(id)) = of(&text) {
            let mut digits = String::new();
            base62::push_u64(&mut digits, id.number(), 11);
            prop_assert_eq!(&text[4..15], digits);
        }
    }
}
