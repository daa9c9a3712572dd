//! The texts of the pages for values of the model.

use super::form::Fault;
use engine::connections::link::{Choice, PickFault, Unusable};
use maud::{Markup, html};
use model::account::{Permission, Subcategory};
use model::calendar::{date_of, day_of_second};
use model::clock::AccountTime;
use model::money::Currency;

/// The label of a permission and its purpose.
pub(super) fn permission(permission: Permission) -> (&'static str, &'static str) {
    match permission {
        Permission::Balances => ("Balances", "To see the amount of money in your accounts"),
        Permission::Ownership => {
            ("Owner details", "Names and addresses, to confirm that the accounts belong to you")
        }
        Permission::PaymentMethod => {
            ("Account and routing numbers", "To make the bank transfers that you agree to")
        }
        Permission::Transactions => ("Transactions", "To see the money that comes in and goes out"),
    }
}

/// The name of an account subcategory.
pub(super) fn subcategory(subcategory: Subcategory) -> &'static str {
    match subcategory {
        Subcategory::Checking => "Checking",
        Subcategory::CreditCard => "Credit card",
        Subcategory::LineOfCredit => "Line of credit",
        Subcategory::Mortgage => "Mortgage",
        Subcategory::Other => "Account",
        Subcategory::Savings => "Savings",
    }
}

/// The subcategory and last digits of an account.
pub(super) fn account(choice: &Choice) -> String {
    let kind = subcategory(choice.subcategory);
    match &choice.last4 {
        Some(last4) => format!("{kind} ending in {last4}"),
        None => kind.to_owned(),
    }
}

/// The reason why an account cannot be picked.
pub(super) fn unusable(unusable: Unusable) -> &'static str {
    match unusable {
        Unusable::Kind => "This type of account is not accepted",
        Unusable::CannotPay => "Cannot be used for payments",
        Unusable::NotWanted => "This is not the account to connect again",
    }
}

/// The message for a fault that the holder has to correct.
pub(super) fn fault(fault: Fault, accounts_max: usize) -> String {
    let step = match fault {
        Fault::NumbersDiffer => return "The two account numbers are not the same.".into(),
        Fault::Blank => return "Fill in this field.".into(),
        Fault::Step(step) => step,
    };
    match step {
        PickFault::NoSuchInstitution => "Choose a bank from the list.".into(),
        PickFault::Nothing => "Choose at least one account.".into(),
        PickFault::TooMany if accounts_max == 1 => "Choose one account.".into(),
        PickFault::TooMany => format!("Choose at most {accounts_max} accounts."),
        PickFault::NoneCanPay => {
            "Choose at least one account that can be used for payments.".into()
        }
        PickFault::Unusable { why, .. } => {
            format!("Choose another account. {}.", unusable(why))
        }
        PickFault::RoutingNumber => {
            "A routing number has nine digits. Check your bank statement.".into()
        }
        PickFault::AccountNumber => "An account number has 4 to 17 digits.".into(),
        PickFault::NotForTests => {
            "This is a test. Use the routing and account numbers shown below.".into()
        }
        PickFault::ForTestsOnly => {
            "These are numbers of the test bank. Enter the numbers of your own account.".into()
        }
        PickFault::Email => "Enter an email address, such as ada@example.com.".into(),
        PickFault::Code => "The code has six digits.".into(),
    }
}

/// The label of a bank's field, an optional hint, and the browser's autocomplete value.
pub(super) fn bank_field(name: &str) -> (String, Option<&'static str>, &'static str) {
    match name {
        "username" => ("Username".into(), None, "username"),
        "password" => ("Password".into(), None, "current-password"),
        "option" => (
            "How should your bank send you a code?".into(),
            Some("For example text message or email"),
            "off",
        ),
        "code" => ("Code".into(), Some("The code that your bank sent you"), "one-time-code"),
        "confirmation" => {
            ("Confirmation".into(), Some("Confirm the code that your bank sent you"), "off")
        }
        "answer" => ("What was the name of your first pet?".into(), None, "off"),
        other => {
            let mut label = other.replace('_', " ");
            if let Some(first) = label.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            (label, None, "off")
        }
    }
}

/// Renders a time. The text names UTC, and the script replaces it with the time in the holder's zone.
pub(super) fn time_tag(at: AccountTime) -> Markup {
    html! { time datetime=(machine_time(at)) data-time { (time(at)) } }
}

/// Formats a time for programs, in UTC.
fn machine_time(at: AccountTime) -> String {
    let date = date_of(day_of_second(at.0));
    let second = at.0.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", date.year, date.month, date.day)
}

/// Formats a time for people.
pub(super) fn time(at: AccountTime) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let date = date_of(day_of_second(at.0));
    let month = usize::try_from(date.month - 1).ok().and_then(|month| MONTHS.get(month));
    let second = at.0.rem_euclid(86_400);
    format!(
        "{} {} {}, {:02}:{:02} UTC",
        date.day,
        month.unwrap_or(&""),
        date.year,
        second / 3_600,
        second / 60 % 60
    )
}

/// Formats a date for people.
pub(super) fn day(at: AccountTime) -> String {
    time(at).split(',').next().unwrap_or_default().to_owned()
}

/// Formats an amount of minor units for people.
pub(super) fn money(amount: i64, currency: Currency) -> String {
    let decimal = currency.decimal(amount);
    let (sign, number) = match decimal.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", decimal.as_str()),
    };
    let (digits, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if currency == Currency::USD {
        format!("{sign}${grouped}{fraction}")
    } else {
        format!("{sign}{grouped}{fraction} {}", currency.as_str().to_uppercase())
    }
}

/// A line in the form of a web address, which distinguishes banks with similar names. Test banks
/// have no address of their own.
pub(super) fn address(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    format!("{}.test", words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times, marks and addresses are readable for people.
    #[test]
    fn reads_well() {
        assert_eq!(time(AccountTime(1_767_232_800)), "1 January 2026, 02:00 UTC");
        assert_eq!(day(AccountTime(1_767_232_800)), "1 January 2026");
        assert_eq!(machine_time(AccountTime(1_767_232_805)), "2026-01-01T02:00:05Z");
        assert_eq!(money(5, Currency::USD), "$0.05");
        assert_eq!(money(-123_456_789, Currency::USD), "-$1,234,567.89");
        assert_eq!(money(100_000, Currency::USD), "$1,000.00");
        let of = |code| Currency::parse(code).unwrap();
        assert_eq!(money(-123_456, of("eur")), "-1,234.56 EUR");
        assert_eq!(money(123_456, of("jpy")), "123,456 JPY");
        assert_eq!(money(1_234_567, of("kwd")), "1,234.567 KWD");
        assert_eq!(address("Test (Non-OAuth)"), "test-non-oauth.test");
        assert_eq!(bank_field("mother_maiden_name").0, "Mother maiden name");
        assert_eq!(bank_field("émile").0, "émile");
    }
}
