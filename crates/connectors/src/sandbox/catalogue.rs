//! The catalogue: every test bank and test account with its name and behaviour.
//!
//! The names are those in Stripe's documentation of its test banks. Older names and published ids
//! lead to the same banks. Two banks are our own: one with a short history and one without any.

use super::pattern::{Pattern, Scale};
use model::Word;
use model::account::{Category, InactiveCause, StatusAction, Subcategory};
use serde::{Deserialize, Serialize};

/// A test bank.
#[derive(Debug)]
pub(super) struct Bank {
    /// The current name. bankfeed's id of the bank is a hash of it.
    pub(super) name: &'static str,
    /// Older names and published ids.
    pub(super) aliases: &'static [&'static str],
    pub(super) description: &'static str,
    pub(super) login: Login,
    /// The number of days between the start of its ledgers and the link.
    pub(super) history_days: i64,
    /// True if a fetch of transactions lists the whole window, and not only the changes.
    pub(super) snapshots: bool,
    pub(super) accounts: &'static [TestAccount],
}

/// The login of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// The bank's own page.
    OAuth,
    /// The bank's own page, on which the holder also picks the accounts.
    OAuthPick,
    /// A form that accepts any values.
    Form,
    /// A form in which some values lead to more questions.
    Prompts,
    /// No login until a known time.
    DownUntil,
    /// No login, and the end is not known.
    Down,
    /// Every login fails.
    Fails,
}

/// A question that a bank asks after the user name and the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Challenge {
    /// The holder chooses how to receive a code.
    Options,
    /// The holder types a code.
    Mfa,
    /// The holder confirms a code.
    ConfirmMfa,
    /// The holder answers a question.
    SecurityQuestion,
}

impl Challenge {
    /// The field of the question.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Options => "option",
            Self::Mfa => "code",
            Self::ConfirmMfa => "confirmation",
            Self::SecurityQuestion => "answer",
        }
    }
}

impl Word for Challenge {
    const ALL: &'static [Self] =
        &[Self::Options, Self::Mfa, Self::ConfirmMfa, Self::SecurityQuestion];

    fn word(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Mfa => "mfa",
            Self::ConfirmMfa => "confirm_mfa",
            Self::SecurityQuestion => "security_question",
        }
    }
}

/// A test account.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestAccount {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) category: Category,
    pub(super) subcategory: Subcategory,
    /// True if it can pay by ACH.
    pub(super) payable: bool,
    pub(super) pattern: Pattern,
    pub(super) scale: Scale,
    /// The holder's account that moves money to this one at the end of a month.
    pub(super) partner: Option<&'static str>,
    pub(super) access: Access,
    pub(super) number: Number,
    pub(super) owners: Owners,
}

/// The duration of the access to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The access never ends.
    Lasting,
    /// The access ends at the first link. A second link restores it.
    LostAtLink(InactiveCause, StatusAction),
    /// The access ends a minute after the first link. A second link restores it for good.
    LostOnce,
    /// The access ends a minute after the first link, and one day after every later one.
    LostDaily,
    /// The access ends thirty days after every link.
    LostMonthly,
}

/// The validity of the account number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The number never expires.
    Permanent,
    /// A token that is deactivated until the account is linked again.
    TokenExpired,
    /// A token that expires thirty days after every link.
    TokenMonthly,
    /// A token that expires a minute after every link.
    TokenMinute,
}

/// The owners that the bank reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owners {
    /// The holder, with a joint holder or as a company if the holder's life says so.
    OfHolder,
    /// This number of owners, with all fields.
    Complete(u8),
    /// One owner with a name only.
    NameOnly,
    /// Two owners, each with some of the fields.
    Partial,
    /// An empty list.
    Unknown,
    /// One owner, a minute after the refresh started.
    Slow,
    /// The bank does not report owners.
    Unsupported,
    /// The refresh fails.
    Broken,
}

const CHECKING: TestAccount = TestAccount {
    name: "",
    description: "",
    category: Category::Cash,
    subcategory: Subcategory::Checking,
    payable: true,
    pattern: Pattern::Checking,
    scale: Scale::Ordinary,
    partner: None,
    access: Access::Lasting,
    number: Number::Permanent,
    owners: Owners::OfHolder,
};

const fn checking(name: &'static str, description: &'static str) -> TestAccount {
    TestAccount { name, description, ..CHECKING }
}

const SAVINGS: TestAccount = TestAccount {
    subcategory: Subcategory::Savings,
    pattern: Pattern::Savings,
    partner: Some("Success"),
    ..checking("Savings", "A savings account. Monthly transfers connect it to the account Success.")
};

const CREDIT_CARD: TestAccount = TestAccount {
    category: Category::Credit,
    subcategory: Subcategory::CreditCard,
    payable: false,
    pattern: Pattern::CreditCard,
    ..checking("Credit Card", "A credit card with a debt. No payments by ACH.")
};

const LINE_OF_CREDIT: TestAccount = TestAccount {
    subcategory: Subcategory::LineOfCredit,
    pattern: Pattern::LineOfCredit,
    name: "Line of Credit",
    description: "A line of credit with a debt. No payments by ACH.",
    ..CREDIT_CARD
};

const MORTGAGE: TestAccount = TestAccount {
    subcategory: Subcategory::Mortgage,
    pattern: Pattern::Mortgage,
    name: "Mortgage",
    description: "A mortgage that is paid down month by month.",
    ..CREDIT_CARD
};

const INVESTMENT: TestAccount = TestAccount {
    category: Category::Investment,
    subcategory: Subcategory::Other,
    pattern: Pattern::Investment,
    name: "Investment",
    description: "A brokerage account that buys and sells securities. No payments by ACH.",
    ..CREDIT_CARD
};

const BASIC: [TestAccount; 15] = [
    checking(
        "Success",
        "A checking account with the income of its holder; payments from it succeed.",
    ),
    TestAccount {
        access: Access::LostAtLink(InactiveCause::Unspecified, StatusAction::None),
        ..checking("Failure", "Inactive from the moment it is linked.")
    },
    TestAccount {
        access: Access::LostAtLink(InactiveCause::AccountClosed, StatusAction::None),
        ..checking(
            "Account closes after linking",
            "Closed, and therefore inactive, from the moment it is linked.",
        )
    },
    TestAccount {
        scale: Scale::High,
        ..checking("High Balance", "Balance and movements of tens of thousands.")
    },
    TestAccount {
        scale: Scale::VeryHigh,
        ..checking("Very High Balance", "Balance and movements of around a million.")
    },
    TestAccount {
        scale: Scale::Poor,
        ..checking("Insufficient Funds", "A very low balance; payments from it fail.")
    },
    checking("Success (Later Disputed)", "Payments from it succeed and are disputed later."),
    checking("Payment Processes Indefinitely", "Payments from it never end."),
    checking("Debit Not Authorized", "The holder's bank rejects payments from it."),
    checking(
        "Weekly Payment Volume Exceeded",
        "Payments from it fail because they exceed the limit.",
    ),
    SAVINGS,
    CREDIT_CARD,
    LINE_OF_CREDIT,
    MORTGAGE,
    INVESTMENT,
];

const OWNERSHIP: [TestAccount; 9] = [
    TestAccount {
        owners: Owners::Complete(1),
        ..checking("One Owner", "One owner, with every field.")
    },
    TestAccount { owners: Owners::Complete(2), ..checking("Joint Owners", "Two owners.") },
    TestAccount { owners: Owners::Complete(4), ..checking("Several Owners", "Four owners.") },
    TestAccount {
        owners: Owners::NameOnly,
        ..checking("Name Only", "One owner, with a name only.")
    },
    TestAccount {
        owners: Owners::Partial,
        ..checking("Missing Fields", "Two owners, each with some fields missing.")
    },
    TestAccount {
        owners: Owners::Unknown,
        ..checking("No Owners", "The refresh succeeds and returns an empty list.")
    },
    TestAccount {
        owners: Owners::Slow,
        ..checking("Slow Ownership", "The refresh takes a minute of the account's time.")
    },
    TestAccount {
        owners: Owners::Unsupported,
        ..checking(
            "Ownership Unsupported",
            "The bank does not report owners, so the refresh fails.",
        )
    },
    TestAccount {
        owners: Owners::Broken,
        ..checking("Ownership Fails", "The refresh fails with a bank error.")
    },
];

const NOT_PAYABLE: [TestAccount; 6] = [
    TestAccount { payable: false, ..checking("Checking Without ACH", "No payments by ACH.") },
    TestAccount {
        payable: false,
        name: "Savings Without ACH",
        description: "No payments by ACH.",
        partner: None,
        ..SAVINGS
    },
    CREDIT_CARD,
    LINE_OF_CREDIT,
    MORTGAGE,
    INVESTMENT,
];

const fn bank(
    name: &'static str,
    description: &'static str,
    accounts: &'static [TestAccount],
) -> Bank {
    Bank {
        name,
        aliases: &[],
        description,
        login: Login::Form,
        history_days: 180,
        snapshots: false,
        accounts,
    }
}

/// Every bank, featured ones first.
pub(super) static BANKS: [Bank; 15] = [
    Bank {
        aliases: &["Test Institution", "fcinst_Qn1a7A4KhL42se"],
        snapshots: true,
        ..bank("Test (Non-OAuth)", "A login form that takes anything.", &BASIC)
    },
    Bank {
        aliases: &["Test OAuth Institution", "fcinst_Qn1a6jqpI0Gb84"],
        login: Login::OAuth,
        ..bank("Test (OAuth)", "The same accounts behind the bank's own page.", &BASIC)
    },
    Bank {
        aliases: &["Sandbox Bank (Non-OAuth)", "fcinst_Qn1aVTBBJ4ubmQ"],
        login: Login::Prompts,
        snapshots: true,
        ..bank(
            "Bank (Non-OAuth)",
            "A login form. Passwords for tests: `options`, `mfa`, `confirm_mfa` and \
             `security_question` lead to that question, `incorrect` is rejected, and `error` ends \
             the sign-in. Every other password works.",
            &BASIC,
        )
    },
    Bank {
        aliases: &["Sandbox Bank (OAuth)", "fcinst_Qn1aNn8l07746s"],
        login: Login::OAuthPick,
        ..bank("Bank (OAuth)", "The bank's own page, on which accounts are picked too.", &BASIC)
    },
    Bank {
        aliases: &["fcinst_Qn1aly9zRRkWP1"],
        ..bank("Ownership Accounts", "Accounts with different kinds of owners.", &OWNERSHIP)
    },
    Bank {
        aliases: &["fcinst_Qn1aporTsLJQH4"],
        ..bank("Invalid Payment Accounts", "Accounts that cannot pay by ACH.", &NOT_PAYABLE)
    },
    Bank {
        aliases: &["Down bank (scheduled)", "fcinst_Qn1aC9A7bD2EED", "fcinst_QH6l5zmRXAepbP"],
        login: Login::DownUntil,
        ..bank("Down (Scheduled)", "Down for maintenance, with a known end.", &[])
    },
    Bank {
        aliases: &["Down bank (unscheduled)", "fcinst_Qn1a8Ynz2Il9zF"],
        login: Login::Down,
        ..bank("Down (Unscheduled)", "Down, without a known end.", &[])
    },
    Bank {
        aliases: &["Down bank (error)", "fcinst_Qn1aOU8Z6Qsvpn"],
        login: Login::Fails,
        ..bank("Down (Error)", "Every login fails.", &[])
    },
    bank(
        "Tokenized Account Number",
        "Accounts with tokens as numbers, which expire.",
        &[
            TestAccount {
                number: Number::TokenExpired,
                ..checking("Expired Tokenized Account Number", "The token is already deactivated.")
            },
            TestAccount {
                number: Number::TokenMonthly,
                ..checking(
                    "Eventually Expiring Tokenized Account Number",
                    "The token expires thirty days after the link.",
                )
            },
            TestAccount {
                number: Number::TokenMinute,
                ..checking(
                    "Immediately Expiring Tokenized Account Number",
                    "The token expires a minute after the link.",
                )
            },
        ],
    ),
    bank(
        "Inactive Accounts",
        "Accounts that become inactive a minute after the link, until they are linked again.",
        &[
            TestAccount {
                access: Access::LostOnce,
                ..checking("Inactive Checking", "Inactive a minute after the first link.")
            },
            TestAccount {
                access: Access::LostOnce,
                name: "Inactive Savings",
                description: "Inactive a minute after the first link.",
                partner: None,
                ..SAVINGS
            },
        ],
    ),
    bank(
        "Immediately Requires Reauthentication",
        "Requires a new login a minute after the first link, and a day after every later one.",
        &[TestAccount {
            access: Access::LostDaily,
            ..checking(
                "Immediate Reauthentication",
                "Requires a new login a minute after the link.",
            )
        }],
    ),
    bank(
        "Eventually Requires Reauthentication",
        "Requires a new login thirty days after every link.",
        &[TestAccount {
            access: Access::LostMonthly,
            ..checking("Eventual Reauthentication", "Requires a new login after thirty days.")
        }],
    ),
    Bank { history_days: 30, ..bank("Short History", "Thirty days of history.", &PLAIN) },
    Bank {
        history_days: 0,
        ..bank("No History", "No history. The ledger is empty at the link.", &PLAIN)
    },
];

const PLAIN: [TestAccount; 2] = [BASIC[0], SAVINGS];

impl Bank {
    /// The account that is preselected for the holder.
    pub(super) fn preselected(&self) -> Option<&'static TestAccount> {
        let named = self.accounts.iter().find(|account| account.name == "Success");
        named.or(self.accounts.first())
    }

    /// True if the name is the current name, an older name or a published id, in any case.
    pub(super) fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name)
            .chain(self.aliases)
            .any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The account with a name.
    pub(super) fn find_account(&self, name: &str) -> Option<&'static TestAccount> {
        self.accounts.iter().find(|account| account.name == name)
    }
}
