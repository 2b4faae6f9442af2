//! Encoding of the frames.

use proptest::prelude::*;

use super::super::frame::{Frame, Reader};
use super::*;

/// Every version that was ever written remains readable.
#[test]
fn version_1_has_these_bytes() {
    let Write::Put { record, .. } = put(3, 0x0102, Some(b"org"), 3) else {
        return;
    };
    let one = Stored {
        record: Record { columns: Columns::from_codes(0xa, 0xb, 1, 2).unwrap(), ..record },
        revision: Revision(5),
        last_used: Some(Minute(0x01ff)),
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes).unwrap();
    let at = Timestamp::from_nanos(0x1886_7251_edfa_0001).unwrap();
    let head = Revision(6);
    writer.begin(Begin { head, at }).unwrap();
    writer.record(&one).unwrap();
    let (floor, epoch) = (Revision(2), Epoch(9));
    let trailer = Trailer { records: 1, left_out: 0, end: End { head: Revision(7), floor, epoch } };
    writer.end(trailer).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let wanted = [
        "73796d626f6c6f6e2d6261636b75702d31",
        "42 00000010 0000000000000006 18867251edfa0001",
        "52 00000030 03 0000000000000102 0000000000000005 000000000000000a",
        "000000000000000b 01 02 03 000001ff 0003 6f7267 010101",
        "45 00000028 0000000000000001 0000000000000000 0000000000000007",
        "0000000000000002 0000000000000009",
        HASH,
    ];
    assert_eq!(hex, wanted.concat().replace(' ', ""));
}

const HASH: &str = "c0077ff1834966963b7498c818f297748aae2ade85393047c806cd1725f47e33";

fn stored() -> impl Strategy<Value = Stored> {
    let key = (any::<u8>(), 1..=u64::MAX);
    let unique = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=300));
    let columns = (any::<u64>(), any::<u64>(), 0..=3_u8, 0..=3_u8);
    let rest = (1..=u64::MAX, proptest::option::of(any::<u32>()));
    let bytes = proptest::collection::vec(any::<u8>(), 0..=400);
    (key, unique, columns, rest, bytes).prop_map(|(key, unique, columns, rest, bytes)| Stored {
        record: Record {
            key: RecordKey::new(Kind(key.0), Id::new(key.1).unwrap()),
            unique: unique.map(Into::into),
            columns: Columns::from_codes(columns.0, columns.1, columns.2, columns.3).unwrap(),
            bytes: bytes.into(),
        },
        revision: Revision(rest.0),
        last_used: rest.1.map(Minute),
    })
}

proptest! {
    #[test]
    fn frames_round_trip(items in proptest::collection::vec(stored(), 0..20)) {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes).unwrap();
        let begin = Begin { head: Revision(3), at: Timestamp::MAX };
        writer.begin(begin).unwrap();
        items.iter().for_each(|one| writer.record(one).unwrap());
        let end = End { head: Revision(u64::MAX), floor: Revision(2), epoch: Epoch(9) };
        let trailer = Trailer { records: 7, left_out: 8, end };
        let length = writer.end(trailer).unwrap();
        prop_assert_eq!(length, bytes.len() as u64);
        let mut reader = Reader::new(&*bytes).unwrap();
        prop_assert_eq!(reader.next().unwrap(), Frame::Begin(begin));
        for item in items {
            prop_assert_eq!(reader.next().unwrap(), Frame::Record(item));
        }
        prop_assert_eq!(reader.next().unwrap(), Frame::End(trailer));
        prop_assert_eq!(reader.finish().unwrap().1, length);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify(&*bytes).is_err());
        let begun = [b"symbolon-backup-1".as_slice(), &bytes].concat();
        prop_assert!(verify(&*begun).is_err());
        for tag in *b"BRE" {
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            let frame = [&b"symbolon-backup-1"[..], &[tag], &length, &bytes].concat();
            prop_assert!(verify(&*frame).is_err());
        }
    }
}
