//! The page of an invoice: its amounts, and payment by a bank account.

use crate::connections::carrier::Carrier;
use crate::connections::hosted::{PageBank, PageFault, PageLine, PageStep, begun};
use crate::payments::checkout::deposits_url;
use crate::payments::intent::Confirmation;
use crate::payments::{Changes, intent_object};
use crate::settings::Brand;
use crate::{Context, Engine, Error};
use model::clock::{AccountTime, DAY_S};
use model::id::RequestId;
use model::money::Currency;
use model::payments::intent::{Intent, IntentStatus};
use model::payments::invoice::{Invoice, InvoiceStatus, Line};
use model::payments::mandate::accepted_online;
use wire::address::HostedPage;

/// An invoice as its page shows it.
#[derive(Clone, Debug)]
pub struct InvoicePage {
    /// The merchant's name.
    pub merchant_name: String,
    /// The rest of the merchant's brand.
    pub brand: Brand,
    /// True if it is about real money.
    pub livemode: bool,
    /// The state of the invoice.
    pub standing: InvoiceStanding,
    /// The printed number.
    pub number: Option<String>,
    /// The lines of the addressee: name, e-mail address and address, as far as they are known.
    pub addressee: Vec<String>,
    /// The lines, in the order of their creation.
    pub lines: Vec<PageLine>,
    /// The sum of the lines, in minor units.
    pub total: i64,
    /// The earlier balance of the customer and the balance for the next invoice. They explain the
    /// difference between the total and the amount due.
    pub balances: Vec<PageLine>,
    /// The amount due, in minor units.
    pub amount_due: i64,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The date of issue.
    pub issued_at: Option<AccountTime>,
    /// The due date.
    pub due_date: Option<AccountTime>,
    /// The account to debit.
    pub bank: Option<PageBank>,
    /// The error of the last attempt.
    pub failure: Option<String>,
}

/// The state of an invoice for its payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvoiceStanding {
    /// It is unpaid.
    Open,
    /// The debit is pending.
    UnderWay,
    /// Two small deposits come first. The holder enters them at this URL.
    Deposits(String),
    /// It was paid.
    Paid,
    /// It was voided.
    Void,
    /// The customer was deleted.
    Gone,
}

impl Engine {
    /// Shows the page of an invoice. Returns `None` for an unknown token.
    pub async fn show_invoice_page(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<InvoicePage>, Error> {
        let Some((context, invoice)) = self.open_invoice(token, request).await? else {
            return Ok(None);
        };
        let intent = self.find_intent_of(&context, &invoice, &Changes::none()).await?;
        let deposits = intent.as_ref().and_then(|one| deposits_url(one, &context.view(self)));
        let gone = self.customer_gone(&context, Some(invoice.customer)).await?;
        let standing = match (invoice.status, intent.as_ref().map(|intent| intent.status)) {
            (InvoiceStatus::Paid, _) => InvoiceStanding::Paid,
            (InvoiceStatus::Open, Some(IntentStatus::Processing | IntentStatus::Succeeded)) => {
                InvoiceStanding::UnderWay
            }
            (InvoiceStatus::Open, Some(_)) if gone => InvoiceStanding::Gone,
            (InvoiceStatus::Open, Some(IntentStatus::RequiresAction)) => {
                deposits.map_or(InvoiceStanding::UnderWay, InvoiceStanding::Deposits)
            }
            (InvoiceStatus::Open, Some(_)) => InvoiceStanding::Open,
            _ => InvoiceStanding::Void,
        };
        let method = intent.as_ref().and_then(|intent| intent.payment_method);
        Ok(Some(InvoicePage {
            merchant_name: self.merchant_name(&context),
            brand: self.merchant_brand(&context),
            livemode: invoice.livemode,
            standing,
            number: invoice.printed_number.clone(),
            addressee: addressee(&invoice),
            lines: invoice.lines.iter().rev().map(line).collect(),
            total: invoice.total(),
            balances: balances(&invoice).collect(),
            amount_due: invoice.amount_due(),
            currency: invoice.currency,
            issued_at: invoice.finalized_at,
            due_date: due_date(&invoice),
            bank: self.page_bank(&context, method).await?,
            failure: intent.and_then(|intent| intent.last_error).map(|error| error.message),
        }))
    }

    /// Begins a link flow from the page. Returns `None` for an unknown token.
    pub async fn link_on_invoice_page(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<PageStep>, Error> {
        self.change("link_on_invoice_page", async || {
            let Some((context, invoice)) = self.open_invoice(token, request).await? else {
                return Ok(Some(None));
            };
            let intent = self.find_intent_of(&context, &invoice, &Changes::none()).await?;
            let Some(intent) = intent.filter(Intent::collects) else {
                return Ok(Some(Some(PageStep::Done)));
            };
            if self.customer_gone(&context, intent.customer).await? {
                return Ok(Some(Some(PageStep::Done)));
            }
            let page = (HostedPage::Invoice, invoice.id.number());
            let carrier = Carrier::Intent(intent);
            let (flow, mut changes) = self.begin_flow(&context, &carrier, Some(page)).await?;
            let step = begun(flow, &mut changes);
            if !self.commit(&context, changes, &[]).await? {
                return Ok(None);
            }
            Ok(Some(Some(step)))
        })
        .await
    }

    /// Confirms the debit of the bank account. Returns `None` for an unknown token.
    pub async fn pay_on_invoice_page(
        &self,
        token: &str,
        user_agent: &str,
        request: RequestId,
    ) -> Result<Option<PageStep>, Error> {
        self.change("pay_on_invoice_page", async || {
            let Some((context, invoice)) = self.open_invoice(token, request).await? else {
                return Ok(Some(None));
            };
            let mut changes = self.changes_on(&context, invoice.clock).await?;
            let intent = self.find_intent_of(&context, &invoice, &changes).await?;
            let Some(mut intent) = intent.filter(Intent::collects) else {
                return Ok(Some(Some(PageStep::Done)));
            };
            let merchant = context.merchant;
            if self.has_no_customer(&mut changes, merchant, intent.customer).await? {
                return Ok(Some(Some(PageStep::Done)));
            }
            if intent.payment_method.is_none() {
                return Ok(Some(Some(PageStep::Fault(PageFault::NoBank))));
            }
            intent.version += 1;
            let acceptance = Some(accepted_online(user_agent.to_owned()));
            let confirmation = Confirmation { acceptance, ..Confirmation::default() };
            self.confirm_intent_with(&context, &mut intent, &confirmation, &mut changes).await?;
            changes.put(intent_object(intent));
            if !self.commit(&context, changes, &[]).await? {
                return Ok(None);
            }
            Ok(Some(Some(PageStep::Done)))
        })
        .await
    }

    /// The invoice of a token. A draft has no page.
    async fn open_invoice(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<(Context, Invoice)>, Error> {
        let Some((merchant, number)) = self.page_key.read(HostedPage::Invoice, token) else {
            return Ok(None);
        };
        let found = self.find::<Invoice>(merchant, number).await?;
        let Some(invoice) = found.filter(|invoice| invoice.finalized_at.is_some()) else {
            return Ok(None);
        };
        let context = self.page_context(merchant, invoice.livemode, request).await?;
        Ok(context.map(|context| (context, invoice)))
    }
}

fn line(line: &Line) -> PageLine {
    let details = &line.details;
    PageLine {
        name: details.description.clone().unwrap_or_else(|| "Item".to_owned()),
        quantity: details.quantity,
        amount: details.amount,
        currency: details.currency,
    }
}

/// The lines of the addressee.
fn addressee(invoice: &Invoice) -> Vec<String> {
    let part = |path: &[&str]| invoice.addressee.text(path).unwrap_or_default();
    let of_address = |name: &str| part(&["customer_address", name]);
    let place = [of_address("city"), of_address("state"), of_address("postal_code")].join(" ");
    let place = place.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = [
        part(&["customer_name"]),
        part(&["customer_email"]),
        of_address("line1"),
        of_address("line2"),
        &place,
        of_address("country"),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The earlier balance of the customer and the balance for the next invoice, which lead from the total
/// to the amount due.
fn balances(invoice: &Invoice) -> impl Iterator<Item = PageLine> {
    let currency = invoice.currency;
    let named = [
        ("Balance from before", invoice.starting_balance),
        ("Left for the next invoice", -invoice.ending_balance),
    ];
    named.into_iter().filter(|(_, amount)| *amount != 0).map(move |(name, amount)| PageLine {
        name: name.to_owned(),
        quantity: 1,
        amount,
        currency,
    })
}

fn due_date(invoice: &Invoice) -> Option<AccountTime> {
    let date = invoice.given.integer(&["due_date"]).map(AccountTime);
    let days = || Some((invoice.finalized_at?, invoice.given.integer(&["days_until_due"])?));
    date.or_else(|| days().map(|(from, days)| from.plus(days.saturating_mul(DAY_S))))
}
