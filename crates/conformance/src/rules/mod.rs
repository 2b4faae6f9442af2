//! The rules, one function each. A rule that is broken panics.
//!
//! What a rule says and why stands above its function. [`RULES`] has all of them.

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

/// A rule: its name, and the function that panics if stores of a kind break it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name of the function.
    pub name: &'static str,
    /// The function.
    pub check: fn(StoreFactory<'_>),
}

/// Makes a list public. A rule that is in no list is not, and the compiler refuses what nobody can reach.
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
        /// The further rules for stores on disk.
        DURABILITY_RULES
    )
}
