//! The chart of the README: a check beside its peers.

use std::fmt::Write as _;

use super::report::quantity;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;
const TOP: f64 = 56.0;
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}\
.axis{font-size:11px;fill:#57606a}.grid{stroke:#d0d7de}.bar{fill:#8c959f}.own{fill:#0969da}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.axis{fill:#9198a1}.grid{stroke:#3d444d}\
.bar{fill:#6e7681}.own{fill:#4493f8}}";

/// A bar: what it is called, how long it takes in nanoseconds, and whether it is our own.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) nanos: f64,
    pub(super) own: bool,
}

/// Horizontal bars on a logarithmic scale, the shortest first.
pub(super) fn svg(title: &str, bars: &[Bar]) -> String {
    let mut bars = bars.to_vec();
    bars.sort_by(|one, other| one.nanos.total_cmp(&other.nanos));
    let least = bars.first().map_or(1.0, |bar| bar.nanos).max(1e-3);
    let most = bars.last().map_or(10.0, |bar| bar.nanos);
    let from = least.log10().floor();
    let to = most.log10().ceil().max(from + 1.0);
    let x = |nanos: f64| LEFT + (nanos.log10() - from) / (to - from) * (WIDTH - LEFT - RIGHT);
    let height = TOP + STEP * bars.len() as f64 + 14.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{0}\">\n\
         <style>{STYLE}</style>\n<text class=\"title\" x=\"10\" y=\"22\">{0}</text>\n",
        escaped(title)
    );
    let bottom = height - 10.0;
    for power in from as i32..=to as i32 {
        let nanos = 10_f64.powi(power);
        let (x, label) = (x(nanos), quantity(nanos, "ns"));
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{0}\" y2=\"{bottom}\"/>\
             <text class=\"axis\" x=\"{x:.1}\" y=\"{1}\" text-anchor=\"middle\">{label}</text>",
            TOP - 6.0,
            TOP - 12.0
        );
    }
    for (place, bar) in bars.iter().enumerate() {
        let y = TOP + STEP * place as f64;
        let (end, middle) = (x(bar.nanos), y + 14.0);
        let class = if bar.own { "own" } else { "bar" };
        let _ = writeln!(
            text,
            "<text x=\"{0}\" y=\"{middle}\" text-anchor=\"end\">{1}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{2:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             <text x=\"{3:.1}\" y=\"{middle}\">{4}</text>",
            LEFT - 8.0,
            escaped(&bar.label),
            (end - LEFT).max(1.0),
            end.max(LEFT) + 6.0,
            quantity(bar.nanos, "ns")
        );
    }
    text.push_str("</svg>\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_comes_first_and_a_decade_is_always_as_wide() {
        let bar = |label: &str, nanos| Bar {
            label: label.to_owned(),
            nanos,
            own: nanos < 100.0,
        };
        let text = svg(
            "a < b",
            &[
                bar("RwLock<Map>", 1000.0),
                bar("own", 10.0),
                bar("far", 100_000.0),
            ],
        );
        let places: Vec<_> = ["own</text>", "RwLock&lt;Map&gt;", "far</text>"]
            .map(|label| text.find(label))
            .into();
        assert!(
            places.is_sorted() && places.iter().all(Option::is_some),
            "{places:?}"
        );
        let widths = text.split("<rect class=\"").skip(1);
        let widths = widths.map(|rect| {
            rect.split("width=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
        });
        let widths: Vec<f64> = widths
            .map(|width| width.unwrap().parse().unwrap())
            .collect();
        assert_eq!(widths, [1.0, 260.0, 520.0]);
        assert!(
            text.contains("class=\"own\"") && text.contains("a &lt; b") && !text.contains("a < b")
        );
    }
}
