//! The reader of stretches: repeated transactions of an account.

use super::super::plan::Opening;
use super::super::routine::{DAY_ROWS_MAX, Days, Period, Stretch};
use super::money::Money;
use super::tree::{At, ScenarioError, Table, Value};
use super::value::{DAYS_MAX, TEXT_CHARS_MAX, read_currency, read_time};
use crate::sandbox::row::SETTLE_DAYS_MAX;
use model::clock::DAY_S;
use model::limits::SCENARIO_STRETCHES_MAX;
use model::money::Currency;

/// Reads the stretches of an account.
pub(super) fn read_all(
    table: &mut Table,
    money: Money,
    balances: &[Opening],
) -> Result<Vec<Stretch>, ScenarioError> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for stretch in table.tables("stretches", SCENARIO_STRETCHES_MAX)? {
        let line = stretch.line;
        stretches.push(read_stretch(stretch, money, balances)?);
        let rows: u32 = stretches.iter().map(|stretch| u32::from(stretch.times)).sum();
        if rows > u32::from(DAY_ROWS_MAX) {
            let problem = format!("all stretches together have more than {DAY_ROWS_MAX} times");
            return Err(table.error(line, "stretches.times", problem));
        }
    }
    Ok(stretches)
}

fn read_stretch(
    mut table: Table,
    money: Money,
    balances: &[Opening],
) -> Result<Stretch, ScenarioError> {
    let (every, interval) = read_period(&mut table)?;
    let on = read_days(&mut table, every)?;
    let times = table.integer("times", 1, i64::from(DAY_ROWS_MAX))?;
    let Ok(times) = u8::try_from(times.map_or(1, |times| times.value)) else {
        unreachable!("the table checked the bounds of the number");
    };
    let currency = read_other_currency(&mut table, money, balances)?;
    let money = Money { currency: currency.unwrap_or(money.currency) };
    let amount = read_amounts(&mut table, money)?;
    let texts = table.texts("description", 100)?;
    let texts = table.need("description", texts)?;
    let fits = |text: &String| {
        text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control)
    };
    if texts.value.is_empty() || !texts.value.iter().all(fits) {
        let problem = format!("texts of 1 to {TEXT_CHARS_MAX} characters are expected");
        return Err(table.error(texts.line, "description", problem));
    }
    let seconds = |day: At<i64>| day.value * DAY_S;
    let from = table.integer("from", -DAYS_MAX, DAYS_MAX)?;
    let to = table.integer("to", -DAYS_MAX, DAYS_MAX)?;
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value < from.value
    {
        return Err(table.error(to.line, "to", "is before from"));
    }
    let hundredths = |taken: Option<At<i64>>| taken.map_or(0, |taken| taken.value);
    let stretch = Stretch {
        from: from.map(seconds),
        // The last day is included.
        until: to.map(|to| (to.value + 1) * DAY_S),
        every,
        interval,
        on,
        times,
        amount,
        currency,
        descriptions: texts.value,
        time: read_time(&mut table, "time")?,
        pending_days: hundredths(table.integer("pending_days", 0, SETTLE_DAYS_MAX)?),
        tip_percent: hundredths(table.integer("tip_percent", 0, 100)?),
        vanish_percent: hundredths(table.integer("vanish_percent", 0, 100)?),
    };
    if stretch.vanish_percent > 0 && stretch.pending_days == 0 {
        let problem = "only a pending transaction can vanish; set pending_days";
        return Err(table.error(table.line, "vanish_percent", problem));
    }
    table.finish()?;
    Ok(stretch)
}

/// Reads the currency of a stretch, unless it is the account's own. The account needs a balance in
/// it, because the rows of a stretch are counted from the balance at the link.
fn read_other_currency(
    table: &mut Table,
    money: Money,
    balances: &[Opening],
) -> Result<Option<Currency>, ScenarioError> {
    let line = table.line_of("currency");
    let currency = read_currency(table)?.filter(|currency| *currency != money.currency);
    let opens = |currency| balances.iter().any(|known| known.currency == currency);
    match currency {
        Some(currency) if !opens(currency) => {
            let word = currency.as_str();
            let problem = format!("the account has no balance in {word}; add one to balances");
            Err(table.error(line, "currency", problem))
        }
        currency => Ok(currency),
    }
}

/// Reads `day`, `week`, `2 weeks`, `month` or `3 months`.
fn read_period(table: &mut Table) -> Result<(Period, i64), ScenarioError> {
    let text = table.text("every", 20)?;
    let At { line, value } = table.need("every", text)?;
    let (number, unit) = match value.split_once(' ') {
        Some((number, unit)) => (number.parse().unwrap_or(0), unit.trim_end_matches('s')),
        None => (1, value.as_str()),
    };
    let period = match unit {
        "day" => Some(Period::Day),
        "week" => Some(Period::Week),
        "month" => Some(Period::Month),
        _ => None,
    };
    period.filter(|_| (1..=366).contains(&number)).map(|period| (period, number)).ok_or_else(|| {
        table.error(line, "every", "day, week, month, or such as \"2 weeks\" is expected")
    })
}

/// Reads names of days in weeks, or numbers of days in months.
fn read_days(table: &mut Table, every: Period) -> Result<Option<Days>, ScenarioError> {
    const NAMES: [&str; 7] =
        ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let Some(At { line, value }) = table.list("on", 31)? else { return Ok(None) };
    let wanted = match every {
        Period::Day => "does not apply to every = \"day\"; remove it",
        Period::Week => "names of days are expected, such as \"friday\", or \"workdays\"",
        Period::Month => "numbers of days from 1 to 31 are expected",
    };
    let mut days = Vec::new();
    for node in value {
        match (every, node.value) {
            (Period::Week, Value::Text(text)) if text == "workdays" => days.extend(1..=5),
            (Period::Week, Value::Text(text)) if NAMES.contains(&text.as_str()) => {
                days.extend((0..).zip(NAMES).filter(|(_, name)| *name == text).map(|(day, _)| day));
            }
            (Period::Month, Value::Integer(day)) if (1..=31).contains(&day) => days.push(day),
            _ => return Err(table.error(node.line, "on", wanted)),
        }
    }
    if days.is_empty() {
        return Err(table.error(line, "on", wanted));
    }
    Ok(Some(if every == Period::Week { Days::OfWeek(days) } else { Days::OfMonth(days) }))
}

/// Reads one amount, or the least and the most.
fn read_amounts(table: &mut Table, money: Money) -> Result<(i64, i64), ScenarioError> {
    let texts = table.texts("amount", 2)?;
    let At { line, value } = table.need("amount", texts)?;
    let amounts = value.iter().map(|text| money.parse(text));
    let amounts: Result<Vec<i64>, String> = amounts.collect();
    let amounts = amounts.map_err(|problem| table.error(line, "amount", problem))?;
    match amounts.as_slice() {
        [one] => Ok((*one, *one)),
        [least, most] if is_upwards(*least, *most) => Ok((*least.min(most), *least.max(most))),
        [_, _] => {
            let problem = format!(
                "write the least first, then the most: [\"{}\", \"{}\"]",
                value[1], value[0]
            );
            Err(table.error(line, "amount", problem))
        }
        _ => Err(table.error(line, "amount", money.wanted())),
    }
}

/// True if the amounts are in order. For two amounts of money out, the smaller movement comes
/// first.
fn is_upwards(least: i64, most: i64) -> bool {
    if least < 0 && most <= 0 { least >= most } else { least <= most }
}
