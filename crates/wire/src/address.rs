//! Addresses of hosted pages: Checkout, an open invoice, two small deposits, and the link flow of a
//! hosted session.
//!
//! An address gives access without a login. It therefore ends in a token that cannot be guessed. A
//! token is the merchant, the number of the object, and a code of both that only the server's key
//! can create. Tokens are not stored, so an event can contain the address as well as a response.

use hmac::{Hmac, KeyInit, Mac};
use model::id::MerchantId;
use sha2::Sha256;
use std::fmt;

/// The number of hexadecimal digits of a number in a token.
const NUMBER_CHARS: usize = 16;
/// The size of the code in a token in bytes: 128 bits.
const CODE_BYTES: usize = 16;

/// A hosted page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostedPage {
    /// The page of a Checkout Session.
    Checkout,
    /// The page of an invoice.
    Invoice,
    /// The deposits of a Payment Intent.
    PaymentDeposits,
    /// The deposits of a Setup Intent.
    SetupDeposits,
    /// The link flow of a Financial Connections Session.
    Session,
}

impl HostedPage {
    /// Returns the path before the token.
    pub fn path(self) -> &'static str {
        match self {
            Self::Checkout => "/c/pay",
            Self::Invoice => "/i",
            Self::PaymentDeposits | Self::SetupDeposits => "/microdeposits",
            Self::Session => "/link",
        }
    }

    /// Returns the word that separates the tokens of different pages.
    fn word(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Invoice => "invoice",
            Self::PaymentDeposits => "payment deposits",
            Self::SetupDeposits => "setup deposits",
            Self::Session => "session",
        }
    }
}

/// The key that creates and checks tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct PageKey([u8; 32]);

impl fmt::Debug for PageKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageKey")
    }
}

impl PageKey {
    /// Creates a key from these bytes, which must be secret.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the token of the page of an object.
    pub fn token(&self, page: HostedPage, merchant: MerchantId, number: u64) -> String {
        let numbers = format!("{:016x}{number:016x}", merchant.number());
        let code = self.mac(page, &numbers).finalize().into_bytes();
        format!("{numbers}{}", hex::encode(&code[..CODE_BYTES]))
    }

    /// Returns the object of the page that a token opens, or `None` if the token is not valid for
    /// this page.
    ///
    /// ```
    /// # use wire::address::{HostedPage, PageKey};
    /// # use model::id::MerchantId;
    /// let (key, merchant) = (PageKey::new([1; 32]), MerchantId::from_number(7));
    /// let token = key.token(HostedPage::Invoice, merchant, 9);
    /// assert_eq!(key.read(HostedPage::Invoice, &token), Some((merchant, 9)));
    /// assert_eq!(key.read(HostedPage::Checkout, &token), None);
    /// ```
    pub fn read(&self, page: HostedPage, id: &str) -> Option<(MerchantId, u64)> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !id.bytes().all(plain) {
            return None;
        }
        let (numbers, digits) = id.split_at_checked(2 * NUMBER_CHARS)?;
        let mut code = [0; CODE_BYTES];
        hex::decode_to_slice(digits, &mut code).ok()?;
        // The comparison takes constant time.
        self.mac(page, numbers).verify_truncated_left(&code).ok()?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let merchant = number(&numbers[..NUMBER_CHARS])?;
        Some((MerchantId::from_number(merchant), number(&numbers[NUMBER_CHARS..])?))
    }

    /// Returns the path of the page of an object without the code, for an object that must not store a
    /// token.
    pub fn path_without_code(page: HostedPage, merchant: MerchantId, number: u64) -> String {
        format!("{}/{:016x}{number:016x}", page.path(), merchant.number())
    }

    /// Returns the path with its code. Any other path is returned as it is, because earlier releases
    /// stored whole paths.
    pub fn with_code(&self, path: &str) -> String {
        let complete = |page: HostedPage| {
            let numbers = path.strip_prefix(page.path())?.strip_prefix('/')?;
            let (merchant, number) = numbers.split_at_checked(NUMBER_CHARS)?;
            let merchant = MerchantId::from_number(u64::from_str_radix(merchant, 16).ok()?);
            let fits = number.len() == NUMBER_CHARS;
            let number = u64::from_str_radix(number, 16).ok().filter(|_| fits)?;
            Some(format!("{}/{}", page.path(), self.token(page, merchant, number)))
        };
        let pages = [HostedPage::Checkout, HostedPage::Invoice];
        pages.into_iter().find_map(complete).unwrap_or_else(|| path.to_owned())
    }

    fn mac(&self, page: HostedPage, numbers: &str) -> Hmac<Sha256> {
        // HMAC fills up a short key with zeros.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(page.word().as_bytes());
        mac.update(b"\0");
        mac.update(numbers.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGES: [HostedPage; 5] = [
        HostedPage::Checkout,
        HostedPage::Invoice,
        HostedPage::PaymentDeposits,
        HostedPage::SetupDeposits,
        HostedPage::Session,
    ];

    proptest! {
        /// A token opens its own page of its own object on its own server. A token with another
        /// digit is rejected.
        #[test]
        fn opens_one_page(
            key: [u8; 32], other: [u8; 32], merchant in 0..1_u64 << 63, number: u64,
            at in 0..64_usize, page in 0..5_usize, letter in "[0-9a-f]",
        ) {
            prop_assume!(key != other);
            let (key, other, page) = (PageKey::new(key), PageKey::new(other), PAGES[page]);
            let merchant = MerchantId::from_number(merchant);
            let token = key.token(page, merchant, number);
            prop_assert_eq!(key.read(page, &token), Some((merchant, number)));
            prop_assert_eq!(other.read(page, &token), None);
            for another in PAGES.into_iter().filter(|another| *another != page) {
                prop_assert_eq!(key.read(another, &token), None);
            }
            let mut changed = token.clone();
            changed.replace_range(at..=at, &letter);
            prop_assert_eq!(key.read(page, &changed).is_some(), changed == token);
        }

        /// A path without its code is completed by the key. A whole path stays as it is.
        #[test]
        fn paths_are_completed(key: [u8; 32], merchant in 0..1_u64 << 63, number: u64) {
            let (key, merchant) = (PageKey::new(key), MerchantId::from_number(merchant));
            for page in [HostedPage::Checkout, HostedPage::Invoice] {
                let whole = format!("{}/{}", page.path(), key.token(page, merchant, number));
                let stored = PageKey::path_without_code(page, merchant, number);
                prop_assert!(whole.starts_with(&stored) && stored.len() < whole.len());
                prop_assert_eq!(&key.with_code(&stored), &whole);
                prop_assert_eq!(&key.with_code(&whole), &whole);
            }
        }

        /// No text makes the reader panic.
        #[test]
        fn reads_anything(text in "\\PC{0,80}") {
            let key = PageKey::new([3; 32]);
            prop_assert_eq!(key.read(HostedPage::Checkout, &text), None);
            prop_assert_eq!(key.with_code(&text), text);
        }
    }
}
