//! The parts that the hosted pages share. A holder opens a page by an address from the merchant,
//! links a bank account, and confirms. The token in the address replaces a key.
//!
//! A page is read from the store each time and has no other state.

use crate::connections::link::flow;
use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::id::PaymentMethodId;
use model::link::LinkFlow;
use model::money::Currency;
use model::payments::payment_method::PaymentMethod;
use store::Object;

/// A line of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLine {
    /// Its name.
    pub name: String,
    /// Its quantity.
    pub quantity: i64,
    /// The amount of all of them, in minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
}

/// A bank account to debit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageBank {
    /// The bank's name, if known.
    pub name: Option<String>,
    /// The last four digits of the account's number.
    pub last4: Option<String>,
    /// True if two small deposits come first.
    pub deposits: bool,
}

/// The fields that the holder typed on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// The user agent of their browser.
    pub user_agent: String,
}

/// An error that the holder can correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFault {
    /// The name is missing or too long.
    Name,
    /// The text is no e-mail address.
    Email,
    /// No bank account was linked yet.
    NoBank,
    /// The attempt failed at once.
    Failed,
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStep {
    /// The page is shown again.
    Done,
    /// The holder continues at this path of the server.
    Go(String),
    /// The holder can correct an error.
    Fault(PageFault),
}

/// Characters of a name.
const NAME_CHARS_MAX: usize = 200;

/// A name that was typed.
pub(crate) fn read_name(text: Option<&str>) -> Result<String, PageFault> {
    let name = text.unwrap_or_default().trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if fits { Ok(name.to_owned()) } else { Err(PageFault::Name) }
}

/// An e-mail address that was typed.
pub(crate) fn read_email(text: Option<&str>) -> Result<String, PageFault> {
    crate::connections::link::address(text.unwrap_or_default()).map_err(|_| PageFault::Email)
}

/// The path where the holder links an account. The flow is put among the changes.
pub(crate) fn begun(flow: LinkFlow, changes: &mut Changes) -> PageStep {
    let path = flow::path(&flow);
    changes.put(Object::LinkFlow(flow));
    PageStep::Go(path)
}

impl Engine {
    /// The bank account behind a payment method.
    pub(crate) async fn page_bank(
        &self,
        context: &Context,
        method: Option<PaymentMethodId>,
    ) -> Result<Option<PageBank>, Error> {
        let Some(id) = method else { return Ok(None) };
        let found = self
            .find_changed::<PaymentMethod>(context.merchant, &Changes::none(), id.number())
            .await?;
        Ok(found.map(|PaymentMethod { bank_name, last4, verified, .. }| PageBank {
            name: bank_name,
            last4,
            deposits: !verified,
        }))
    }
}
