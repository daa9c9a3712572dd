//! Rendering: model → JSON, one file per object, written straight into a buffer.
//!
//! Every key that the official clients' types declare as always present is written, null where
//! nothing is known; keys that they declare optional are left out while unset. The order is `id`,
//! `object`, then the alphabet. What differs between API versions is decided by the [`View`].

pub mod connect;
pub mod connections;
pub mod deleted;
pub mod events;
pub mod given;
pub mod payments;
pub mod test_helpers;

use crate::address::{HostedPage, PageKey};
use crate::json::JsonWriter;
use crate::render::connections::customer::{self, ExpandedCustomer};
use crate::version::Version;
use model::account::Holder;
use model::id::MerchantId;

/// How a caller, or an endpoint, sees objects.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The API version that decides shapes.
    pub version: &'a Version,
    /// Whether a failed refresh shows its cause in the `error` hash, which is in preview.
    pub preview_errors: bool,
    /// Where clients reach this server, for the pages that objects name.
    pub public_url: &'a str,
    /// What makes the addresses of these pages; without it objects name none.
    pub page_key: Option<&'a PageKey>,
    /// Whether a browser reads it, which sees no balance, owner, refresh or metadata.
    pub browser: bool,
}

impl<'a> View<'a> {
    /// The view of a version; errors are shown by preview versions, and to all if `errors_shown`.
    pub fn new(version: &'a Version, errors_shown: bool) -> Self {
        Self {
            version,
            preview_errors: errors_shown || version.is_preview(),
            public_url: "",
            page_key: None,
            browser: false,
        }
    }

    /// The same for a server that clients reach at this address, with pages of this key.
    #[must_use]
    pub fn at(self, public_url: &'a str, page_key: &'a PageKey) -> Self {
        Self { public_url, page_key: Some(page_key), ..self }
    }

    /// The address of a page of an object.
    pub fn page(&self, page: HostedPage, merchant: MerchantId, number: u64) -> Option<String> {
        let token = self.page_key?.token(page, merchant, number);
        Some(format!("{}{}/{token}", self.public_url, page.path()))
    }

    /// The same, and whether a browser reads it.
    #[must_use]
    pub fn to_browser(self, browser: bool) -> Self {
        Self { browser, ..self }
    }
}

/// A holder that stands whole where its id would stand.
#[derive(Clone, Debug)]
pub enum ExpandedHolder {
    /// A customer.
    Customer(Box<ExpandedCustomer>),
    /// A connected account, as it is shown.
    Account(serde_json::Value),
}

/// The `account_holder` hash, or null when nobody is named.
fn write_holder(
    writer: &mut JsonWriter,
    holder: Option<&Holder>,
    expanded: Option<&ExpandedHolder>,
    view: &View<'_>,
) {
    let Some(holder) = holder else {
        writer.null();
        return;
    };
    writer.object(|w| match holder {
        Holder::Customer(id) => {
            w.key("customer");
            match expanded {
                Some(ExpandedHolder::Customer(expanded)) => {
                    let ExpandedCustomer { customer, test_clock } = &**expanded;
                    customer::write(w, customer, view, test_clock.as_ref());
                }
                _ => {
                    w.plain(id.text().as_str());
                }
            }
            w.key("type").plain("customer");
        }
        Holder::Account(id) => {
            w.key("account");
            match expanded {
                Some(ExpandedHolder::Account(account)) => w.raw(account.to_string().as_bytes()),
                _ => w.string(id),
            };
            w.key("type").plain("account");
        }
    });
}

#[cfg(test)]
mod samples;
