//! A line of a chain: one JSON object, sealed by its last two fields. See `docs/format.md`.

use serde::{Deserialize, Serialize};
use symbolon::journal::{Event, JournalKeys, Mac};
use symbolon::{KeyId, Timestamp};

/// Maximum length of a line in bytes, without its end.
pub(crate) const LONGEST: usize = 16 << 20;

/// Length of the unsealed part of a line: `,"key":"…","mac":"…"}`.
pub(crate) const SEAL: usize = KEY.len() + 8 + MAC.len() + 32 + END.len();

const KEY: &[u8] = br#","key":""#;
const MAC: &[u8] = br#"","mac":""#;
const END: &[u8] = br#""}"#;
const CHAIN: &[u8] = br#"{"chain":"#;
const NUMBER: &[u8] = br#","number":"#;
const OPENED: &[u8] = br#","event":"opened","#;

/// Contents of a line without its seal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Body {
    pub(crate) at: Timestamp,
    #[serde(flatten)]
    pub(crate) event: Event,
}

#[derive(Serialize)]
struct LineForm<'a> {
    chain: u32,
    number: u64,
    at: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

/// A line with a seal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'l> {
    /// Chain and number of the line; none if it has none.
    pub(crate) head: Option<(u32, u64)>,
    /// The bytes covered by its MAC.
    pub(crate) sealed: &'l [u8],
    pub(crate) key: KeyId,
    pub(crate) mac: Mac,
}

/// Position of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinePosition {
    pub(crate) chain: u32,
    pub(crate) number: u64,
    /// MAC of the previous line, zeros for the first.
    pub(crate) previous: Mac,
}

/// Appends the line of this event to `out`, with its end, and returns its MAC.
pub(crate) fn write(
    out: &mut Vec<u8>,
    keys: &JournalKeys,
    place: LinePosition,
    at: Timestamp,
    event: &Event,
) -> Result<Mac, serde_json::Error> {
    let start = out.len();
    let LinePosition { chain, number, .. } = place;
    let written = LineForm { chain, number, at, event };
    serde_json::to_writer(&mut *out, &written)?;
    // The closing brace of the object follows the seal.
    out.pop();
    let (key, mac) = keys.seal(place.previous, out.get(start..).unwrap_or_default());
    for part in [KEY, key.to_string().as_bytes(), MAC, mac.to_string().as_bytes(), END, b"\n"] {
        out.extend_from_slice(part);
    }
    Ok(mac)
}

impl<'l> Line<'l> {
    /// Splits a line, without its end. Returns none if it has no seal.
    pub(crate) fn parse(line: &'l [u8]) -> Option<Self> {
        let (sealed, seal) = line.split_at_checked(line.len().checked_sub(SEAL)?)?;
        let (key, mac) = parse_seal(seal)?;
        Some(Self { head: head(sealed), sealed, key, mac })
    }
}

/// Parses a line without its end. Returns none if this version does not know it.
pub(crate) fn body(line: &[u8]) -> Option<Body> {
    serde_json::from_slice(line).ok()
}

/// Returns the key and the MAC in the last [`SEAL`] bytes of a line.
pub(crate) fn parse_seal(seal: &[u8]) -> Option<(KeyId, Mac)> {
    let (key, rest) = seal.strip_prefix(KEY)?.split_at_checked(8)?;
    let (mac, rest) = rest.strip_prefix(MAC)?.split_at_checked(32)?;
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let parsed = (text(key)?.parse().ok()?, text(mac)?.parse().ok()?);
    (rest == END).then_some(parsed)
}

/// Returns whether a line looks like [`Event::Opened`]. Only its MAC is proof.
pub(crate) fn looks_opened(line: &[u8]) -> bool {
    // Chain, number and time have at most 90 bytes. A quote within a string is escaped.
    let start = line.get(..128).unwrap_or(line);
    start.windows(OPENED.len()).any(|part| part == OPENED)
}

fn head(sealed: &[u8]) -> Option<(u32, u64)> {
    let (chain, rest) = digits(sealed.strip_prefix(CHAIN)?)?;
    let (number, _) = digits(rest.strip_prefix(NUMBER)?)?;
    Some((chain.try_into().ok()?, number))
}

fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}
