//! Enums that know all of their variants, so that a table over them cannot forget one.

/// Defines an enum without fields, with `ALL`.
macro_rules! listed {
    ($(#[$of_all:meta])* $name:ident { $($(#[$of_one:meta])* $variant:ident,)+ }) => {
        $(#[$of_all])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($(#[$of_one])* $variant,)+
        }

        impl $name {
            /// Every variant.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];
        }
    };
}
pub(crate) use listed;
