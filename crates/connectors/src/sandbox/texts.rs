//! The texts that test banks write beside a movement. All shops and employers are invented.

/// The way in which a shop posts a card payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Booking {
    /// Posts the announced amount.
    AsAnnounced,
    /// Adds a tip to most payments.
    WithTip,
    /// Announces a small hold and posts the true amount.
    AfterHold,
}

/// The way in which a card payment reaches the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// A terminal of the shop's own bank.
    Terminal,
    /// Small shops use Square, which writes `SQ *`.
    Square,
    /// Restaurants use Toast, which writes `TST*`.
    Toast,
    /// Online shops use a wallet, which writes `PAYPAL *`.
    PayPal,
    /// A subscription that is charged each month.
    Recurring,
}

/// A shop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shop {
    pub(super) text: &'static str,
    /// The lowest amount of a payment, in cents.
    pub(super) low: i64,
    /// The highest amount of a payment, in cents.
    pub(super) high: i64,
    pub(super) booking: Booking,
    /// True if the text ends with the number of a branch.
    pub(super) branch: bool,
    /// The way in which its card payments reach the bank.
    pub(super) channel: Channel,
}

const fn shop(text: &'static str, low: i64, high: i64, booking: Booking, branch: bool) -> Shop {
    Shop { text, low, high, booking, branch, channel: Channel::Terminal }
}

const fn through(channel: Channel, shop: Shop) -> Shop {
    Shop { channel, ..shop }
}

/// The shops at which holders pay by card. Shops that are visited more often, such as groceries,
/// are listed more than once.
pub(super) const SHOPS: [Shop; 24] = [
    shop("HARBOR GROCERY", 1_800, 12_500, Booking::AsAnnounced, true),
    shop("HARBOR GROCERY", 1_200, 6_400, Booking::AsAnnounced, true),
    shop("GREEN LANE MARKET", 900, 8_800, Booking::AsAnnounced, true),
    shop("GREEN LANE MARKET", 700, 4_200, Booking::AsAnnounced, true),
    through(Channel::Square, shop("CORNER BREAD BAKERY", 350, 1_900, Booking::AsAnnounced, false)),
    through(Channel::Square, shop("BLUE KETTLE COFFEE", 320, 890, Booking::WithTip, true)),
    through(Channel::Square, shop("BLUE KETTLE COFFEE", 320, 1_250, Booking::WithTip, true)),
    through(Channel::Toast, shop("NOODLE HOUSE", 1_400, 4_600, Booking::WithTip, false)),
    through(Channel::Toast, shop("OAK TABLE RESTAURANT", 2_800, 9_500, Booking::WithTip, false)),
    through(Channel::Square, shop("TACO WAGON", 900, 2_800, Booking::WithTip, false)),
    shop("ROCKET RIDES", 800, 3_900, Booking::WithTip, false),
    through(Channel::PayPal, shop("ROCKET DELIVERY", 1_600, 5_200, Booking::WithTip, false)),
    shop("PRAIRIE FUEL", 2_400, 6_800, Booking::AfterHold, true),
    shop("PRAIRIE FUEL", 2_000, 5_600, Booking::AfterHold, true),
    shop("CITY METRO FARES", 275, 2_750, Booking::AsAnnounced, false),
    shop("PARK AND GO", 200, 1_800, Booking::AsAnnounced, true),
    shop("WELLSPRING PHARMACY", 600, 5_400, Booking::AsAnnounced, true),
    through(Channel::Square, shop("PAPER MOON BOOKS", 900, 4_800, Booking::AsAnnounced, false)),
    shop("THREAD AND NEEDLE", 2_200, 13_900, Booking::AsAnnounced, true),
    through(Channel::PayPal, shop("NORTHSTAR ONLINE", 1_100, 14_900, Booking::AsAnnounced, false)),
    through(Channel::PayPal, shop("NORTHSTAR ONLINE", 700, 5_900, Booking::AsAnnounced, false)),
    shop("HAMMER AND HOME", 1_300, 11_700, Booking::AsAnnounced, true),
    shop("STARLIGHT CINEMA", 1_250, 4_300, Booking::AsAnnounced, false),
    shop("PAWS PET SUPPLY", 1_500, 6_900, Booking::AsAnnounced, true),
];

/// The announced amount of a hold, in cents.
pub(super) const HOLD: i64 = 100;

/// Payers of salaries.
pub(super) const EMPLOYERS: [&str; 6] = [
    "PAYROLL BRIGHTWATER LABS",
    "PAYROLL COPPERFIELD SCHOOLS",
    "PAYROLL EASTGATE CLINIC",
    "PAYROLL FERN AND SONS",
    "PAYROLL LANTERN STUDIOS",
    "PAYROLL SUMMIT FREIGHT",
];

/// Receivers of rent.
pub(super) const LANDLORDS: [&str; 4] =
    ["RENT MAPLE COURT", "RENT RIVERSIDE HOMES", "RENT OLD MILL LOFTS", "RENT JUNIPER TERRACE"];

/// Receivers of monthly bills: power, internet, telephone, subscriptions.
pub(super) const POWER: [&str; 3] =
    ["COUNTY POWER AND LIGHT", "VALLEY ELECTRIC", "TRI RIVER ENERGY"];
pub(super) const LINES: [&str; 3] = ["FIBERLEAF INTERNET", "OPENSKY CABLE", "HOMEWIRE BROADBAND"];
pub(super) const PHONES: [&str; 3] = ["PEBBLE MOBILE", "SIGNAL HILL WIRELESS", "TWOBARS TELECOM"];
pub(super) const STREAMS: [&str; 4] =
    ["MOONBEAM VIDEO", "TUNEBOX MUSIC", "FAIRWAY FITNESS", "DAILY LEDGER NEWS"];

/// Apps that pay gig workers.
pub(super) const APPS: [&str; 4] =
    ["ROCKET RIDES", "ROCKET DELIVERY", "HANDYPAIR", "PAWS AND WALKS"];

/// Companies that pay invoices of the self-employed.
pub(super) const CLIENTS: [&str; 4] =
    ["MERIDIAN DESIGN GROUP", "FOXGLOVE EVENTS", "TIDEWATER LOGISTICS", "GRANITE PEAK BUILDERS"];

/// Payers of pensions.
pub(super) const PENSIONS: [&str; 3] =
    ["STATE TEACHERS RETIREMENT", "HARBOR WORKERS PENSION", "NORTHFIELD ANNUITY"];

/// Suppliers of small businesses.
pub(super) const SUPPLIERS: [&str; 5] = [
    "CASCADE FASTENERS",
    "NORTHWEST LUMBER SUPPLY",
    "PARCEL EXPRESS",
    "BRIGHT PAINTS WHOLESALE",
    "PRAIRIE RESTAURANT SUPPLY",
];

/// A text, followed by the number of a branch if there is one.
pub(super) fn describe(text: &str, branch: Option<u16>) -> String {
    let mut described = String::with_capacity(text.len() + 6);
    push_described(&mut described, text, branch);
    described
}

/// Adds a text, followed by the number of a branch if there is one.
pub(super) fn push_described(described: &mut String, text: &str, branch: Option<u16>) {
    described.push_str(text);
    if let Some(branch) = branch {
        described.push_str(" #");
        push_digits(described, i64::from(branch), 4);
    }
}

/// Writes a number with at least `digits` digits, which is 1 to 20. `format!` takes ten times as
/// long, and this runs twice per row.
pub(super) fn push_digits(text: &mut String, number: i64, digits: usize) {
    // Twenty bytes hold the digits of any number of 64 bits.
    let mut bytes = [b'0'; 20];
    let mut start = bytes.len();
    assert!(number >= 0, "no year, slot or branch is negative");
    let least = start - digits;
    let mut rest = number.unsigned_abs();
    while rest > 0 || start > least {
        start -= 1;
        bytes[start] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
    }
    let Ok(digits) = std::str::from_utf8(&bytes[start..]) else {
        unreachable!("digits are ASCII");
    };
    text.push_str(digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Digits are written in the format of the standard library.
        #[test]
        fn digits_as_formatted(number in 0_i64..10_000_000, digits in 1_usize..9) {
            let mut text = String::new();
            push_digits(&mut text, number, digits);
            prop_assert_eq!(text, format!("{number:0width$}", width = digits));
        }
    }
}
