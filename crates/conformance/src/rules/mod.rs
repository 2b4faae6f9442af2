//! The rules, one function each. A rule that is broken panics.
//!
//! What a rule says and why stands above its function. [`RULES`] has all of them.

mod atomicity;
mod concurrency;
mod expectations;
mod finding;
mod limits;
mod reading;
mod revisions;
mod scanning;
mod touching;
mod unique;
mod waiting;

use crate::fresh::Make;

/// A rule: its name, and the function that panics if stores of a kind break it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name of the function.
    pub name: &'static str,
    /// The function.
    pub check: fn(Make<'_>),
}

/// Makes the list public. A rule that is missing from it is not, and the compiler refuses what nobody can reach.
macro_rules! define {
    (() $($module:ident { $($rule:ident,)* })*) => {
        $($(pub use self::$module::$rule;)*)*

        /// All rules.
        pub const RULES: &[Rule] = &[
            $($(Rule { name: stringify!($rule), check: $module::$rule },)*)*
        ];
    };
}

crate::__for_each_rule! { define, () }
