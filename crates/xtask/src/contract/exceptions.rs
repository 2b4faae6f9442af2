//! The form of exceptions: one operation and one check at a time, with a reason.

use crate::Failure;

const HEAD: &str = "[[operations]]";

/// Finds each exception to be for one operation and one check, and to say why.
///
/// # Errors
///
/// Names the first that is not.
pub(crate) fn check(settings: &str) -> Result<(), Failure> {
    let lines: Vec<_> = settings.lines().map(str::trim).collect();
    let (_, tables) = lines.split_at(first_table(&lines));
    for line in tables {
        let known = [HEAD, "include-operation-id = ", "checks.", "#"];
        if !line.is_empty() && !known.iter().any(|known| line.starts_with(known)) {
            return Err(format!("`{line}` is no part of an exception").into());
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
            return Err(format!(
                "an exception of schemathesis is for one operation and one check, below a comment that says why: {body:?}"
            )
            .into());
        }
    }
    Ok(())
}

/// Where the exceptions begin: with the comment above the first.
fn first_table(lines: &[&str]) -> usize {
    let first = lines.iter().position(|line| *line == HEAD);
    let first = first.unwrap_or(lines.len());
    let before = lines.iter().take(first).rev();
    first - before.take_while(|line| line.starts_with('#')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "a = 1\n[checks]\nenabled = true\n\n# why\n[[operations]]\ninclude-operation-id = \"A\"\n\
        checks.x.enabled = false\n\n# why\n[[operations]]\ninclude-operation-id = \"A\"\nchecks.y.enabled = false\n";

    #[test]
    fn one_operation_and_one_check_with_a_reason() {
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
