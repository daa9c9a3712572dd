//! Enums with one word per variant, spelled as Stripe spells it. The word is the same in the API,
//! in the database and in logs.

/// An enum with variants that are words of the API.
pub trait Word: Copy + 'static {
    /// Every variant, in the order in which messages list them.
    const ALL: &'static [Self];

    /// Returns the word of this variant.
    fn word(self) -> &'static str;

    /// Returns the variant of a word.
    fn from_word(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.word() == text)
    }
}

/// Declares an enum together with its words, so that no variant can lack one. A crate that uses it
/// needs `serde` with its derive macros.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $crate::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

pub(crate) use words;
