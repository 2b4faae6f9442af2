use super::*;
use proptest::prelude::*;

/// Worked out with Python's `zlib.crc32` and whole numbers.
const KNOWN: &str = "sym_0ggb59YXU7U003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2gZeqC";

fn known_id() -> Id {
    "0804f74142bbf000".parse().unwrap()
}

fn of(text: &str) -> Result<Shape, Malformed> {
    Shape::of(Prefix::SYMBOLON, text.as_bytes())
}

/// `body` (58 bytes with the prefix) with the checksum that belongs to it.
fn summed(body: &str) -> String {
    let mut text = body.to_owned();
    base62::push_u64(&mut text, crc32fast::hash(body.as_bytes()).into(), 6);
    text
}

#[test]
fn known_answer() {
    let secret = std::array::from_fn(|at| at as u8);
    let token = Token::assemble(Prefix::SYMBOLON, known_id(), &secret);
    assert_eq!(token.reveal(), KNOWN);
    assert_eq!(token.reveal().len(), 64);
    assert_eq!(of(KNOWN), Ok(Shape::Native(known_id())));
}

#[test]
fn what_is_not_canonical_is_malformed_though_its_checksum_is_right() {
    let secret = &KNOWN[15..58];
    for id in ["LygHa16AHYG", "zzzzzzzzzzz", "00000000000", "0ggb59YXU7-"] {
        assert_eq!(
            of(&summed(&format!("sym_{id}{secret}"))),
            Err(Malformed),
            "{id}"
        );
    }
    assert!(of(&summed(&format!("sym_LygHa16AHYF{secret}"))).is_ok());
    let id = &KNOWN[4..15];
    let largest = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
    assert!(of(&summed(&format!("sym_{id}{largest}"))).is_ok());
    for secret in [
        largest.replace("Xp1", "Xp2"),
        largest.replace('y', "z"),
        largest.replace('L', "_"),
    ] {
        assert_eq!(
            of(&summed(&format!("sym_{id}{secret}"))),
            Err(Malformed),
            "{secret}"
        );
    }
}

#[test]
fn other_texts() {
    assert_eq!(of(&"a".repeat(31)), Err(Malformed));
    assert_eq!(of(&"a".repeat(32)), Ok(Shape::Other));
    assert_eq!(of(&"~".repeat(255)), Ok(Shape::Other));
    assert_eq!(of(&"!".repeat(256)), Err(Malformed));
    for bad in [" ", "\0", "\n", "\u{7f}", "é"] {
        assert_eq!(of(&format!("{bad}{}", "a".repeat(40))), Err(Malformed));
    }
    assert_eq!(of(""), Err(Malformed));
    // Not 64 bytes, or another prefix: no text of our own.
    assert_eq!(of(&KNOWN[..63]), Ok(Shape::Other));
    assert_eq!(of(&KNOWN.replace("sym_", "SYM_")), Ok(Shape::Other));
}

#[test]
fn prefixes() {
    for good in ["a_", "db_", "sym_", "A1z_"] {
        let prefix: Prefix = good.parse().unwrap();
        let token = Token::generate(prefix, known_id()).unwrap();
        assert!(token.reveal().starts_with(good));
        assert_eq!(token.reveal().len(), 60 + good.len());
        assert_eq!(
            Shape::of(prefix, token.reveal().as_bytes()),
            Ok(Shape::Native(known_id()))
        );
    }
    for bad in ["", "_", "sym", "long_", "é_", "a-_", "a b_"] {
        assert!(bad.parse::<Prefix>().is_err(), "{bad}");
    }
}

#[test]
fn stored_hashes_of_influxdb() {
    // Worked out with Python's hashlib and base64 for the text `test`.
    let sha256 = "$influxdb2-sha256$n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg=";
    let sha512 = "$influxdb2-sha512$7iaw3Ur350mqGo7jwQrpkj9hiYB3Lkc_iBml1JQODbJ6wYX4oOHV-E-IvIh_1nsUNzLDBMxfqa2Ob1f1ACio_w==";
    assert_eq!(sha256.parse(), Ok(Locator::sha256(b"test")));
    assert_eq!(
        sha256.trim_end_matches('=').parse(),
        Ok(Locator::sha256(b"test"))
    );
    assert_eq!(sha512.parse(), Ok(Locator::sha512(b"test")));
    assert!(sha256.replace("256", "512").parse::<Locator>().is_err());
    for bad in [
        "",
        "$",
        "influxdb2-sha256$AAAA",
        "$influxdb2-sha256$AAAA",
        "$2b$10$x",
        "$influxdb2-sha256$!",
    ] {
        assert_eq!(bad.parse::<Locator>(), Err(InvalidLocator), "{bad}");
    }
}

#[test]
fn nothing_shows_a_secret() {
    let token = Token::parse(Prefix::SYMBOLON, KNOWN).unwrap();
    assert_eq!(format!("{token:?}"), "Token(redacted)");
    let hash = TokenHash::keyed(&HashKey::new(&[7; 32]), KNOWN.as_bytes());
    let credential = Credential::Adopted(Locator::sha256(b"x"), KeyId(7), hash);
    let shown = format!("{credential:?}");
    assert_eq!(shown.matches("redacted").count(), 2, "{shown}");
}

proptest! {
    #[test]
    fn every_generated_text_reads_back(number in 1..=u64::MAX, secret: [u8; 32]) {
        let id = Id::new(number).unwrap();
        let token = Token::assemble(Prefix::SYMBOLON, id, &secret);
        prop_assert_eq!(of(token.reveal()), Ok(Shape::Native(id)));
        prop_assert_eq!(token.reveal().len(), 64);
    }

    #[test]
    fn any_one_changed_character_is_noticed(secret: [u8; 32], at in 4..64_usize, to in 0..62_usize) {
        let token = Token::assemble(Prefix::SYMBOLON, known_id(), &secret);
        let mut text = token.reveal().as_bytes().to_vec();
        let digit = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[to];
        prop_assume!(text[at] != digit);
        text[at] = digit;
        prop_assert_eq!(Shape::of(Prefix::SYMBOLON, &text), Err(Malformed));
    }

    #[test]
    fn no_bytes_make_it_panic(text: Vec<u8>) {
        let _ = Shape::of(Prefix::SYMBOLON, &text);
    }

    #[test]
    fn what_is_native_is_written_in_one_way(body in "[0-9A-Za-z]{54}") {
        let text = summed(&format!("sym_{body}"));
        if let Ok(Shape::Native(id)) = of(&text) {
            let mut digits = String::new();
            base62::push_u64(&mut digits, id.number(), 11);
            prop_assert_eq!(&text[4..15], digits);
        }
    }
}
