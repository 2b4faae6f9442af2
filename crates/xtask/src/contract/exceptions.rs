//! Checks the exceptions of schemathesis: one operation and one check each, with a reason.

use toml::{Table, Value};

use crate::failure::Failure;

const HEAD: &str = "[[operations]]";

/// Fails if an exception in the settings has another form.
pub(super) fn check(settings: &str) -> Result<(), Failure> {
    let table: Table = toml::from_str(settings)?;
    let exceptions =
        table.get("operations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let lines = || settings.lines().map(str::trim);
    let explained = lines().zip(lines().skip(1));
    let explained = explained.filter(|(why, head)| *head == HEAD && why.starts_with("# ")).count();
    if explained == exceptions.len() && exceptions.iter().all(is_exception) {
        return Ok(());
    }
    Err("an exception needs a comment with its reason, one operation and one check".into())
}

fn is_exception(exception: &Value) -> bool {
    let checks = exception.get("checks").and_then(Value::as_table);
    exception.get("include-operation-id").is_some_and(Value::is_str)
        && checks.is_some_and(|checks| checks.len() == 1)
        && exception.as_table().is_some_and(|members| members.len() == 2)
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
        let (operation, rule) = ("include-operation-id = \"A\"\n", "checks.x.enabled = false\n");
        for (from, to) in [
            ("# why\n", ""),
            (rule, ""),
            (rule, "checks.x.enabled = false\nchecks.z.enabled = false\n"),
            (operation, ""),
            (operation, "include-operation-id = [\"A\", \"B\"]\n"),
            (operation, "include-path-regex = \".*\"\n"),
            (rule, "enabled = false\n"),
            (rule, "checks.x.enabled = false\nenabled = false\n"),
        ] {
            let bad = GOOD.replacen(from, to, 1);
            assert!(bad != GOOD && check(&bad).is_err(), "{bad}");
        }
    }
}
