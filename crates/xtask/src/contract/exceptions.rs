//! Checks the exceptions of schemathesis: one operation and one check each, with a reason.

use crate::Failure;

const HEAD: &str = "[[operations]]";

/// Checks every exception in the settings.
///
/// # Errors
///
/// Fails with the first exception that has another form.
pub(crate) fn check(settings: &str) -> Result<(), Failure> {
    let lines: Vec<_> = settings.lines().map(str::trim).collect();
    let (_, tables) = lines.split_at(first_table(&lines));
    for line in tables {
        let known = [HEAD, "include-operation-id = ", "checks.", "#"];
        if !line.is_empty() && !known.iter().any(|known| line.starts_with(known)) {
            return Err(format!("`{line}` is not part of an exception").into());
        }
    }
    for (number, _) in tables.iter().enumerate().filter(|(_, line)| **line == HEAD) {
        let (before, rest) = tables.split_at(number);
        let body: Vec<_> = rest
            .iter()
            .skip(1)
            .take_while(|line| **line != HEAD)
            .collect();
        let count = |start: &str| body.iter().filter(|line| line.starts_with(start)).count();
        let one = count("include-operation-id = \"") == 1 && count("checks.") == 1;
        let says_why = before.last().is_some_and(|line| line.starts_with("# "));
        if !one || !says_why {
            let form = "an exception needs a comment with its reason, one operation and one check";
            return Err(format!("{form}: {body:?}").into());
        }
    }
    Ok(())
}

/// Returns the first line of the exceptions: the comment above the first.
fn first_table(lines: &[&str]) -> usize {
    let first = lines.iter().position(|line| *line == HEAD);
    let first = first.unwrap_or(lines.len());
    let before = lines.iter().take(first).rev();
    first - before.take_while(|line| line.starts_with('#')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "a = 1\n[checks]\nenabled = true\n\n\
        # why\n[[operations]]\ninclude-operation-id = \"A\"\nchecks.x.enabled = false\n\n\
        # why\n[[operations]]\ninclude-operation-id = \"A\"\nchecks.y.enabled = false\n";

    #[test]
    fn exceptions_need_one_operation_one_check_and_a_reason() {
        check(GOOD).unwrap();
        check("a = 1\n[checks]\nenabled = true\n").unwrap();
        for (from, to) in [
            ("# why\n", ""),
            ("checks.x.enabled = false\n", ""),
            (
                "checks.x.enabled = false\n",
                "checks.x.enabled = false\nchecks.z.enabled = false\n",
            ),
            ("include-operation-id = \"A\"\n", ""),
            (
                "include-operation-id = \"A\"\n",
                "include-operation-id = [\"A\", \"B\"]\n",
            ),
            (
                "include-operation-id = \"A\"\n",
                "include-path-regex = \".*\"\n",
            ),
            ("checks.x.enabled = false\n", "enabled = false\n"),
        ] {
            let bad = GOOD.replacen(from, to, 1);
            assert!(bad != GOOD && check(&bad).is_err(), "{bad}");
        }
    }
}
