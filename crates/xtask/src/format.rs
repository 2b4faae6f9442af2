//! Numbers in output for people.

/// Writes a number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number with its unit, in three or four digits.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    const LARGER: [(&str, f64, &str); 7] = [
        ("ns", 1e9, "s"),
        ("ns", 1e6, "ms"),
        ("ns", 1e3, "µs"),
        ("B", 1e9, "GB"),
        ("B", 1e6, "MB"),
        ("1/s", 1e6, "M/s"),
        ("1/s", 1e3, "k/s"),
    ];
    let mut larger = LARGER.into_iter();
    let larger = larger.find(|(of, least, _)| *of == unit && value >= *least);
    let (divisor, unit) = larger.map_or((1.0, unit), |(_, divisor, unit)| (divisor, unit));
    let number = match value / divisor {
        whole if whole.fract() == 0.0 && whole.abs() < 1e6 => format!("{whole:.0}"),
        small if small < 10.0 => format!("{small:.2}"),
        small if small < 100.0 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    };
    format!("{number} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let numbers = [0, 999, 1_000, 123_456, 1_234_567];
        let wanted = ["0", "999", "1,000", "123,456", "1,234,567"];
        assert_eq!(numbers.map(grouped), wanted);
    }

    #[test]
    fn quantities_are_short_and_have_a_unit() {
        for (value, unit, text) in [
            (3.0, "ns", "3 ns"),
            (94.26, "ns", "94.3 ns"),
            (1234.0, "ns", "1.23 µs"),
            (2.5e9, "ns", "2.50 s"),
            (0.0, "", "0"),
            (1e8, "B", "100 MB"),
        ] {
            assert_eq!(quantity(value, unit), text);
        }
    }
}
