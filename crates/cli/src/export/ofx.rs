//! Exports Open Financial Exchange 2.1.1: a bank or credit card statement for each currency of the
//! account.
//!
//! A statement contains only posted transactions. Others are left out and counted. A transaction
//! has the same id in every export, so programs can recognize it.

use super::{Sink, Target};
use crate::format;
use crate::server::{ServerError, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// The maximum lengths of fields in the specification.
const ACCOUNT_LETTERS_MAX: usize = 22;
const NAME_LETTERS_MAX: usize = 32;
const MEMO_LETTERS_MAX: usize = 255;
/// A placeholder, because the API does not know the bank's number.
const NO_BANK: &str = "000000000";
const STATUS: &str = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>";

/// A file of statements.
pub(super) struct Ofx {
    target: Target,
    kind: Kind,
    account: String,
    balance_at: i64,
    statements: BTreeMap<String, Statement>,
    left_out: usize,
}

/// The statement of one currency.
struct Statement {
    balance: i64,
    rows: Vec<Row>,
}

/// The kind of a statement.
enum Kind {
    Bank(&'static str),
    CreditCard,
}

struct Row {
    id: String,
    posted_at: i64,
    transacted_at: i64,
    amount: i64,
    description: String,
}

impl Ofx {
    pub(super) fn new(target: Target, account: &Value) -> Result<Self, ServerError> {
        let balance = &account["balance"];
        let Some(current) = balance["current"].as_object().filter(|current| !current.is_empty())
        else {
            return Err(ServerError::Usage {
                problem: "an OFX statement needs a balance, and this account has none yet"
                    .to_owned(),
                help: "Fetch it with `bankfeed refresh ACCOUNT --feature balance --wait`"
                    .to_owned(),
            });
        };
        let statement = |balance: &Value| Statement {
            balance: balance.as_i64().unwrap_or_default(),
            rows: Vec::new(),
        };
        let id = text(account, "id");
        let letters = id.chars().count();
        Ok(Self {
            target,
            kind: match account["subcategory"].as_str() {
                Some("credit_card") => Kind::CreditCard,
                Some("savings") => Kind::Bank("SAVINGS"),
                Some("line_of_credit" | "mortgage") => Kind::Bank("CREDITLINE"),
                _ => Kind::Bank("CHECKING"),
            },
            account: id.chars().skip(letters.saturating_sub(ACCOUNT_LETTERS_MAX)).collect(),
            balance_at: balance["as_of"].as_i64().unwrap_or_default(),
            statements: current
                .iter()
                .map(|(currency, balance)| (currency.clone(), statement(balance)))
                .collect(),
            left_out: 0,
        })
    }

    fn document(&self) -> String {
        let (set, from) = match self.kind {
            Kind::Bank(kind) => {
                let from = format!(
                    "<BANKACCTFROM><BANKID>{NO_BANK}</BANKID><ACCTID>{}</ACCTID>\
                     <ACCTTYPE>{kind}</ACCTTYPE></BANKACCTFROM>",
                    escaped(&self.account)
                );
                ("BANKMSGSRSV1", from)
            }
            Kind::CreditCard => {
                let account = escaped(&self.account);
                let from = format!("<CCACCTFROM><ACCTID>{account}</ACCTID></CCACCTFROM>");
                ("CREDITCARDMSGSRSV1", from)
            }
        };
        let mut document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
             <?OFX OFXHEADER=\"200\" VERSION=\"211\" SECURITY=\"NONE\" OLDFILEUID=\"NONE\" \
             NEWFILEUID=\"NONE\"?>\n\
             <OFX>\n<SIGNONMSGSRSV1><SONRS>{STATUS}<DTSERVER>{}</DTSERVER><LANGUAGE>ENG</LANGUAGE>\
             </SONRS></SIGNONMSGSRSV1>\n<{set}>\n",
            time(self.balance_at),
        );
        for ((currency, statement), number) in self.statements.iter().zip(1..) {
            document.push_str(&self.element(currency, statement, number, &from));
        }
        document + &format!("</{set}>\n</OFX>\n")
    }

    fn element(&self, currency: &str, statement: &Statement, number: u32, from: &str) -> String {
        let (transaction, response) = match self.kind {
            Kind::Bank(_) => ("STMTTRNRS", "STMTRS"),
            Kind::CreditCard => ("CCSTMTTRNRS", "CCSTMTRS"),
        };
        let posted = || statement.rows.iter().map(|row| row.posted_at);
        let start = posted().min().unwrap_or(self.balance_at);
        let end = posted().max().unwrap_or(self.balance_at);
        let mut element = format!(
            "<{transaction}><TRNUID>{number}</TRNUID>{STATUS}<{response}><CURDEF>{}</CURDEF>{from}\n\
             <BANKTRANLIST><DTSTART>{}</DTSTART><DTEND>{}</DTEND>\n",
            currency.to_ascii_uppercase(),
            time(start),
            time(end),
        );
        for row in &statement.rows {
            element.push_str(&row.element(currency));
        }
        // Writing to a String cannot fail.
        let _ = write!(
            element,
            "</BANKTRANLIST>\n<LEDGERBAL><BALAMT>{}</BALAMT><DTASOF>{}</DTASOF></LEDGERBAL>\n\
             </{response}></{transaction}>\n",
            format::amount(statement.balance, currency),
            time(self.balance_at),
        );
        element
    }
}

impl Sink for Ofx {
    fn row(&mut self, row: &Value) -> io::Result<()> {
        let posted_at = row["status_transitions"]["posted_at"].as_i64();
        let posted_at = posted_at.filter(|_| row["status"] == "posted");
        match (posted_at, self.statements.get_mut(row["currency"].as_str().unwrap_or_default())) {
            (Some(posted_at), Some(statement)) => statement.rows.push(Row {
                id: text(row, "id"),
                posted_at,
                transacted_at: row["transacted_at"].as_i64().unwrap_or(posted_at),
                amount: row["amount"].as_i64().unwrap_or_default(),
                description: text(row, "description"),
            }),
            _ => self.left_out += 1,
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<usize> {
        let document = self.document();
        self.target.write_all(document.as_bytes())?;
        self.target.flush()?;
        Ok(self.left_out)
    }
}

impl Row {
    fn element(&self, currency: &str) -> String {
        let kind = if self.amount < 0 { "DEBIT" } else { "CREDIT" };
        let mut element = format!(
            "<STMTTRN><TRNTYPE>{kind}</TRNTYPE><DTPOSTED>{}</DTPOSTED><DTUSER>{}</DTUSER>\
             <TRNAMT>{}</TRNAMT><FITID>{}</FITID>",
            time(self.posted_at),
            time(self.transacted_at),
            format::amount(self.amount, currency),
            escaped(&self.id),
        );
        let text: String = self.description.chars().map(in_xml).collect();
        let text = text.trim();
        if !text.is_empty() {
            let name: String = text.chars().take(NAME_LETTERS_MAX).collect();
            let _ = write!(element, "<NAME>{}</NAME>", escaped(name.trim()));
        }
        if text.chars().count() > NAME_LETTERS_MAX {
            let memo: String = text.chars().take(MEMO_LETTERS_MAX).collect();
            let _ = write!(element, "<MEMO>{}</MEMO>", escaped(memo.trim()));
        }
        element + "</STMTTRN>\n"
    }
}

/// A Unix time in the format of OFX, in UTC.
fn time(seconds: i64) -> String {
    let digits = format::moment_of(seconds).replace(['-', ' ', ':'], "");
    format!("{digits}[0:GMT]")
}

/// Replaces a letter that XML cannot contain, or that would break a line, with a space.
fn in_xml(letter: char) -> char {
    let foreign = letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}');
    if foreign { ' ' } else { letter }
}

/// Escapes a text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
