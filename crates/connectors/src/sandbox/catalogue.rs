//! The catalogue: every test bank and test account, what it is called and how it behaves.
//!
//! Names are those under which Stripe documents its test banks; older names and the ids that were
//! published for them lead to the same banks. Two banks are ours: one with a short history and one
//! without any.

use super::generator::{Pattern, Scale};
use model::account::{Category, InactiveCause, StatusAction, Subcategory};

/// A test bank.
#[derive(Debug)]
pub(super) struct Bank {
    /// The current name; bankfeed's id of the bank is a hash of it.
    pub(super) name: &'static str,
    /// Older names and published ids.
    pub(super) aliases: &'static [&'static str],
    pub(super) description: &'static str,
    pub(super) login: Login,
    /// How many days before the link its ledgers begin.
    pub(super) history_days: i64,
    /// Whether a fetch of transactions lists all of a window, instead of what changed.
    pub(super) snapshots: bool,
    pub(super) accounts: &'static [TestAccount],
}

/// How a holder logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// On the bank's own page.
    OAuth,
    /// On the bank's own page, where accounts are picked too.
    OAuthPick,
    /// By a form that takes everything.
    Form,
    /// By a form whose answers may bring more questions.
    Prompts,
    /// Down, with a known end.
    DownUntil,
    /// Down, nobody knows how long.
    Down,
    /// Broken.
    Fails,
}

/// A test account.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestAccount {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) category: Category,
    pub(super) subcategory: Subcategory,
    /// Whether it can pay by ACH.
    pub(super) payable: bool,
    pub(super) pattern: Pattern,
    pub(super) scale: Scale,
    /// The account of the same holder whose monthly transfers arrive here.
    pub(super) partner: Option<&'static str>,
    pub(super) access: Access,
    pub(super) number: Number,
    pub(super) owners: Owners,
}

/// How long the access to an account lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// For ever.
    Lasting,
    /// It is lost when the account is linked, until it is linked again.
    LostAtLink(InactiveCause, StatusAction),
    /// It is lost a minute after the first link, and lasts after the second.
    LostOnce,
    /// It is lost a minute after the first link, and one day after every later one.
    LostDaily,
    /// It is lost thirty days after every link.
    LostMonthly,
}

/// How long the account number is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// For ever.
    Permanent,
    /// A token, deactivated until the account is linked again.
    TokenExpired,
    /// A token that expires thirty days after every link.
    TokenMonthly,
    /// A token that expires a minute after every link.
    TokenMinute,
}

/// What the bank tells of the owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owners {
    /// So many, with all fields.
    Complete(u8),
    /// One, of whom the name alone is known.
    NameOnly,
    /// Two, each with some of the fields.
    Partial,
    /// Nobody.
    Nobody,
    /// One, a minute after being asked.
    Slow,
    /// The bank does not say.
    Unsupported,
    /// The bank fails to say.
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
    owners: Owners::Complete(1),
};

const fn checking(name: &'static str, description: &'static str) -> TestAccount {
    TestAccount { name, description, ..CHECKING }
}

const SAVINGS: TestAccount = TestAccount {
    subcategory: Subcategory::Savings,
    pattern: Pattern::Savings,
    partner: Some("Success"),
    ..checking("Savings", "A savings account that the account Success moves money to and from.")
};

const CREDIT_CARD: TestAccount = TestAccount {
    category: Category::Credit,
    subcategory: Subcategory::CreditCard,
    payable: false,
    pattern: Pattern::CreditCard,
    ..checking("Credit Card", "A credit card: money owed, no payments by ACH.")
};

const LINE_OF_CREDIT: TestAccount = TestAccount {
    subcategory: Subcategory::LineOfCredit,
    pattern: Pattern::LineOfCredit,
    name: "Line of Credit",
    description: "A line of credit: money owed, no payments by ACH.",
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
    description: "A brokerage account: securities bought and sold, no payments by ACH.",
    ..CREDIT_CARD
};

const BASIC: [TestAccount; 15] = [
    checking("Success", "An ordinary checking account; payments from it succeed."),
    TestAccount {
        access: Access::LostAtLink(InactiveCause::Unspecified, StatusAction::None),
        ..checking("Failure", "Inactive from the moment it is linked.")
    },
    TestAccount {
        access: Access::LostAtLink(InactiveCause::AccountClosed, StatusAction::None),
        ..checking("Account closes after linking", "Closed, hence inactive, once it is linked.")
    },
    TestAccount {
        scale: Scale::High,
        ..checking("High Balance", "Holds and moves tens of thousands.")
    },
    TestAccount {
        scale: Scale::VeryHigh,
        ..checking("Very High Balance", "Holds and moves around a million.")
    },
    TestAccount {
        scale: Scale::Poor,
        ..checking("Insufficient Funds", "Holds next to nothing; payments from it fail.")
    },
    checking("Success (Later Disputed)", "Payments from it succeed and are disputed later."),
    checking("Payment Processes Indefinitely", "Payments from it never end."),
    checking("Debit Not Authorized", "Payments from it are refused by the holder's bank."),
    checking("Weekly Payment Volume Exceeded", "Payments from it fail for exceeding the limit."),
    SAVINGS,
    CREDIT_CARD,
    LINE_OF_CREDIT,
    MORTGAGE,
    INVESTMENT,
];

const OWNERSHIP: [TestAccount; 9] = [
    checking("One Owner", "One owner, with every field."),
    TestAccount { owners: Owners::Complete(2), ..checking("Joint Owners", "Two owners.") },
    TestAccount { owners: Owners::Complete(4), ..checking("Several Owners", "Four owners.") },
    TestAccount {
        owners: Owners::NameOnly,
        ..checking("Name Only", "One owner of whom the bank gives nothing but the name.")
    },
    TestAccount {
        owners: Owners::Partial,
        ..checking("Missing Fields", "Two owners, each with some fields missing.")
    },
    TestAccount {
        owners: Owners::Nobody,
        ..checking("No Owners", "The refresh succeeds and finds nobody.")
    },
    TestAccount {
        owners: Owners::Slow,
        ..checking("Slow Ownership", "The refresh takes a minute of the account's time.")
    },
    TestAccount {
        owners: Owners::Unsupported,
        ..checking("Ownership Unsupported", "The bank gives no owners: the refresh fails.")
    },
    TestAccount {
        owners: Owners::Broken,
        ..checking("Ownership Fails", "The refresh fails with an error of the bank.")
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
            "A login form. The answers options, mfa, confirm_mfa and security_question bring that \
             question, incorrect is refused, error ends the login.",
            &BASIC,
        )
    },
    Bank {
        aliases: &["Sandbox Bank (OAuth)", "fcinst_Qn1aNn8l07746s"],
        login: Login::OAuthPick,
        ..bank("Bank (OAuth)", "The bank's own page, where accounts are chosen too.", &BASIC)
    },
    Bank {
        aliases: &["fcinst_Qn1aly9zRRkWP1"],
        ..bank(
            "Ownership Accounts",
            "Accounts whose owners are known in different ways.",
            &OWNERSHIP,
        )
    },
    Bank {
        aliases: &["fcinst_Qn1aporTsLJQH4"],
        ..bank("Invalid Payment Accounts", "Accounts that cannot pay by ACH.", &NOT_PAYABLE)
    },
    Bank {
        aliases: &["Down bank (scheduled)", "fcinst_Qn1aC9A7bD2EED", "fcinst_QH6l5zmRXAepbP"],
        login: Login::DownUntil,
        ..bank("Down (Scheduled)", "Down for maintenance until a known time.", &[])
    },
    Bank {
        aliases: &["Down bank (unscheduled)", "fcinst_Qn1a8Ynz2Il9zF"],
        login: Login::Down,
        ..bank("Down (Unscheduled)", "Down; the end is not known.", &[])
    },
    Bank {
        aliases: &["Down bank (error)", "fcinst_Qn1aOU8Z6Qsvpn"],
        login: Login::Fails,
        ..bank("Down (Error)", "Every login ends with an error.", &[])
    },
    bank(
        "Tokenized Account Number",
        "Accounts whose numbers are tokens that expire.",
        &[
            TestAccount {
                number: Number::TokenExpired,
                ..checking("Expired Tokenized Account Number", "The token is deactivated already.")
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
        "Accounts that become inactive a minute after the link; linking again helps.",
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
        "Asks for a new login a minute after the first link, and a day after every later one.",
        &[TestAccount {
            access: Access::LostDaily,
            ..checking("Immediate Reauthentication", "Needs a new login a minute after the link.")
        }],
    ),
    bank(
        "Eventually Requires Reauthentication",
        "Asks for a new login thirty days after every link.",
        &[TestAccount {
            access: Access::LostMonthly,
            ..checking("Eventual Reauthentication", "Needs a new login after thirty days.")
        }],
    ),
    Bank { history_days: 30, ..bank("Short History", "Thirty days of history.", &PLAIN) },
    Bank {
        history_days: 0,
        ..bank("No History", "No history: ledgers begin empty when they are linked.", &PLAIN)
    },
];

const PLAIN: [TestAccount; 2] = [BASIC[0], SAVINGS];

impl Bank {
    /// The account that is picked unless the holder picks others.
    pub(super) fn preselected(&self) -> Option<&'static TestAccount> {
        let named = self.accounts.iter().find(|account| account.name == "Success");
        named.or(self.accounts.first())
    }

    /// Whether a name is its current or an older one, in any case.
    pub(super) fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name)
            .chain(self.aliases)
            .any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The account of a name.
    pub(super) fn find_account(&self, name: &str) -> Option<&'static TestAccount> {
        self.accounts.iter().find(|account| account.name == name)
    }
}
