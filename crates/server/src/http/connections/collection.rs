//! Link requirements of payment objects, read from the parameter where each kind of object has
//! them.

use super::institution::read_id;
use crate::http::texts::check_return_url;
use model::Word;
use model::account::{Permission, Subcategory};
use model::collection::{Collection, VerificationMethod};
use model::extra_params::ExtraParams;
use model::session::{ManualEntry, Prefetch};
use wire::error::Error;

/// Takes the link requirements of a `payment_method_options` hash at a path of names. The schema of
/// the call has already checked the values. Returns `None` if the request has no options for bank
/// accounts.
pub(in crate::http) fn take(
    params: &mut ExtraParams,
    options: &[&str],
) -> Result<Option<Collection>, Error> {
    let path: Vec<&str> = [options, &["us_bank_account"]].concat();
    let Some(bank) = params.at(&path) else { return Ok(None) };
    let inside = ["financial_connections"];
    let connections = bank.at(&inside).cloned().unwrap_or_else(ExtraParams::empty);
    let permissions = words::<Permission>(&connections, &["permissions"]);
    if let Some(permissions) = &permissions
        && !permissions.contains(&Permission::PaymentMethod)
    {
        let param = format!("{}[financial_connections][permissions]", bracketed(&path));
        let message = "A payment needs the permission payment_method among those it asks for.";
        return Err(Error::invalid(message).param(param));
    }
    let return_url = connections.text(&["return_url"]);
    let param = format!("{}[financial_connections][return_url]", bracketed(&path));
    check_return_url(return_url, &param)?;
    let param = format!("{}[financial_connections][filters][institution]", bracketed(&path));
    let institution = connections.text(&["filters", "institution"]);
    let institution = institution.map(|text| read_id(text, &param)).transpose()?;
    let method = bank.text(&["verification_method"]).and_then(VerificationMethod::from_word);
    Ok(Some(Collection {
        permissions: permissions.map(|permissions| permissions.into_iter().collect()),
        prefetch: words::<Prefetch>(&connections, &["prefetch"]),
        account_subcategories: words::<Subcategory>(
            &connections,
            &["filters", "account_subcategories"],
        ),
        institution,
        manual_entry: connections.text(&["manual_entry", "mode"]).and_then(ManualEntry::from_word),
        return_url: return_url.map(str::to_owned),
        verification_method: method,
    }))
}

fn words<W: Word>(params: &ExtraParams, path: &[&str]) -> Option<Vec<W>> {
    let texts = params.texts(path)?;
    Some(texts.iter().filter_map(|text| W::from_word(text)).collect())
}

fn bracketed(path: &[&str]) -> String {
    let Some((first, rest)) = path.split_first() else { return String::new() };
    rest.iter().fold((*first).to_owned(), |text, name| format!("{text}[{name}]"))
}
