//! What the hosted pages share: a holder comes to them by an address that a merchant handed on, links
//! a bank account, and says the last word. The token in the address stands in place of a key.
//!
//! A page is read from the store each time; nothing of it lives anywhere else.

use crate::connections::link::flow;
use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::id::PaymentMethodId;
use model::link::LinkFlow;
use model::money::Currency;
use model::payments::payment_method::PaymentMethod;
use store::Object;

/// What is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLine {
    /// What it is called.
    pub name: String,
    /// How many.
    pub quantity: i64,
    /// What all of them cost, in minor units.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
}

/// A bank account that will be debited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageBank {
    /// The bank's name, where it is known.
    pub name: Option<String>,
    /// The last four digits of the account's number.
    pub last4: Option<String>,
    /// Whether two small deposits come first.
    pub deposits: bool,
}

/// What the holder typed into a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their browser, as it calls itself.
    pub user_agent: String,
}

/// What the holder has to put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFault {
    /// There is no name, or one that is too long.
    Name,
    /// What was typed is no e-mail address.
    Email,
    /// No bank account was linked yet.
    NoBank,
    /// The attempt failed at once.
    Failed,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStep {
    /// The page is to be shown anew.
    Done,
    /// The holder goes on there, a path of this server.
    Go(String),
    /// The holder has to put something right.
    Fault(PageFault),
}

/// Characters of a name.
const NAME_CHARS_MAX: usize = 200;

/// A name that was typed.
pub(crate) fn read_name(given: Option<&str>) -> Result<String, PageFault> {
    let name = given.unwrap_or_default().trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if fits { Ok(name.to_owned()) } else { Err(PageFault::Name) }
}

/// An e-mail address that was typed.
pub(crate) fn read_email(given: Option<&str>) -> Result<String, PageFault> {
    crate::connections::link::address(given.unwrap_or_default()).map_err(|_| PageFault::Email)
}

/// Where the holder goes to link an account, and what has to be stored for it.
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
            .find_changed::<PaymentMethod>(context.merchant, &Changes::default(), id.number())
            .await?;
        Ok(found.map(|PaymentMethod { bank_name, last4, verified, .. }| PageBank {
            name: bank_name,
            last4,
            deposits: !verified,
        }))
    }
}
