//! Enums spelled as Stripe spells them: one word per variant, the same in the API, in the
//! database and in logs.

/// An enum whose variants are words of the API.
pub trait Word: Copy + 'static {
    /// Every variant, in the order in which messages list them.
    const ALL: &'static [Self];

    /// The word of this variant.
    fn word(self) -> &'static str;

    /// The variant of a word, if it is one.
    fn from_word(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.word() == text)
    }
}

/// Declares an enum together with its words, so that a variant cannot lack one.
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
