//! Durations on the command line.

use std::time::Duration;

/// Parses a duration such as `500ms`, `10s`, `5m`, `1h` or `30d`; without a unit, seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("invalid duration `{text}`; give a number and a unit: ms, s, m, h or d, as `30d`")
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(60 * 60),
        "d" => Duration::from_secs(24 * 60 * 60),
        _ => return Err(wrong()),
    };
    Ok(unit * number)
}

/// Parses a duration as [`duration`] does. Fails if it is zero.
pub(crate) fn nonzero_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be at least 1ms".into()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed_with_units() {
        assert_eq!(nonzero_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(nonzero_duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(nonzero_duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(nonzero_duration("30d"), Ok(Duration::from_secs(2_592_000)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "s", "-1s", "1.5s", "1w", "0s", "99999999999s", "1 s", "é"] {
            assert!(nonzero_duration(wrong).is_err(), "{wrong}");
        }
    }
}
