//! Rendering: model → JSON, one file per object, written directly into a buffer.
//!
//! Every key that the official clients' types declare as always present is written, with null for
//! unknown values. Keys that they declare optional are left out while unset. The order is `id`,
//! `object`, then the alphabet. The [`View`] decides the differences between API versions.

pub mod connect;
pub mod connections;
pub mod deleted;
pub mod events;
pub mod extra_params;
pub mod included;
pub mod payments;

use crate::address::{HostedPage, PageKey};
use crate::json::JsonWriter;
use crate::version::Version;
use model::account::Holder;
use model::id::MerchantId;

/// The view of a caller or an endpoint on objects.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The API version, which decides the keys.
    pub version: &'a Version,
    /// True if a failed refresh shows its cause in the `error` hash, which is in preview.
    pub preview_errors: bool,
    /// The public address of this server, for the addresses of pages.
    pub public_url: &'a str,
    /// The key of the addresses of pages. Without it objects contain no such addresses.
    pub page_key: Option<&'a PageKey>,
    /// True if the reader is a browser. It sees no balance, owner, refresh or metadata.
    pub browser: bool,
}

impl<'a> View<'a> {
    /// Creates the view of a version. Preview versions see errors, and all versions do if
    /// `errors_shown` is true.
    pub fn new(version: &'a Version, errors_shown: bool) -> Self {
        Self {
            version,
            preview_errors: errors_shown || version.is_preview(),
            public_url: "",
            page_key: None,
            browser: false,
        }
    }

    /// Sets the public address of the server and the key of its pages.
    #[must_use]
    pub fn at(self, public_url: &'a str, page_key: &'a PageKey) -> Self {
        Self { public_url, page_key: Some(page_key), ..self }
    }

    /// Returns the address of a page of an object.
    pub fn page(&self, page: HostedPage, merchant: MerchantId, number: u64) -> Option<String> {
        let token = self.page_key?.token(page, merchant, number);
        Some(format!("{}{}/{token}", self.public_url, page.path()))
    }

    /// Sets if the reader is a browser.
    #[must_use]
    pub fn to_browser(self, browser: bool) -> Self {
        Self { browser, ..self }
    }
}

/// Writes the `account_holder` hash, or null without a holder.
fn write_holder(writer: &mut JsonWriter, holder: Option<&Holder>) {
    let Some(holder) = holder else {
        writer.null();
        return;
    };
    writer.object(|w| match holder {
        Holder::Customer(id) => {
            w.key("customer").plain(id.text());
            w.key("type").plain("customer");
        }
        Holder::Account(id) => {
            w.key("account").string(id);
            w.key("type").plain("account");
        }
    });
}

#[cfg(test)]
mod samples;
