//! The rules, one function each, which panics if a store breaks the rule.
//!
//! The documentation of each function states its rule. [`RULES`] lists them all.

mod atomicity;
mod concurrency;
mod durability;
mod expectations;
mod finding;
mod last_used;
mod limits;
mod reading;
mod renewing;
mod revisions;
mod scanning;
mod unique;
mod waiting;
mod walking;

use crate::fresh_store::StoreFactory;

/// A rule: its name, and the function that checks it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name of the function.
    pub name: &'static str,
    /// The function, which panics if stores of the factory break the rule.
    pub check: fn(StoreFactory<'_>),
}

/// Makes the rules of a list public. The compiler reports a rule that is in no list as dead code.
macro_rules! define {
    (
        ($(#[$doc:meta])* $list:ident)
        $($module:ident { $($rule:ident,)* })*
    ) => {
        $($(pub use self::$module::$rule;)*)*

        $(#[$doc])*
        pub const $list: &[Rule] = &[
            $($(Rule { name: stringify!($rule), check: $module::$rule },)*)*
        ];
    };
}

crate::__for_each_rule! {
    define,
    (
        /// The rules for every store.
        RULES
    )
}

crate::__for_each_durability_rule! {
    define,
    (
        /// The additional rules for stores on disk.
        DURABILITY_RULES
    )
}
