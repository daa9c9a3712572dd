//! `/v1/link_flows`, an addition of this server. A browser that has a client secret gets a page of
//! its own.

use crate::http::call::{Call, Outcome};
use engine::connections::link::{CarrierInput, FlowInput};
use model::extra_params::ExtraParams;
use wire::error::Error;
use wire::expand::Returns;
use wire::params::Params;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let publishable = call.publishable;
    let params = &mut call.params;
    let carrier = take_carrier(params, publishable)?;
    let origin = params.text("origin")?.map(|text| read_origin(&text)).transpose()?;
    let billing_details = match params.hash("billing_details")? {
        Some(details) => take_details(details)?,
        None => ExtraParams::empty(),
    };
    let call = call.ready(Returns::Nothing)?;
    let input = FlowInput { carrier, origin, billing_details };
    Ok(call.engine.create_link_flow(&call.context, &input).await?)
}

/// Takes the carrier of a link, by its id or by its client secret. A browser knows only the client
/// secret of the flow that it shows.
pub(in crate::http) fn take_carrier(
    params: &mut Params,
    publishable: bool,
) -> Result<CarrierInput, Error> {
    params.exclusive(&["client_secret", "carrier"])?;
    match (params.text("carrier")?, params.text("client_secret")?) {
        (Some(_), _) if publishable => Err(Error::secret_key_required()),
        (Some(id), _) => Ok(CarrierInput::Id(id)),
        (None, Some(secret)) => Ok(CarrierInput::ClientSecret(secret)),
        (None, None) if publishable => Err(Error::missing_param("client_secret")),
        (None, None) => Err(Error::missing_carrier()),
    }
}

/// Takes the details of the holder that a page sends.
fn take_details(mut params: Params) -> Result<ExtraParams, Error> {
    let mut details = take_texts(&mut params, &["email", "name", "phone", "tax_id"])?;
    if let Some(mut address) = params.hash("address")? {
        let parts = ["city", "country", "line1", "line2", "postal_code", "state"];
        details.put("address", take_texts(&mut address, &parts)?);
        address.finish()?;
    }
    params.finish()?;
    Ok(details)
}

fn take_texts(params: &mut Params, names: &[&'static str]) -> Result<ExtraParams, Error> {
    let mut texts = ExtraParams::empty();
    for name in names {
        if let Some(text) = params.text(name)? {
            texts.put(name, ExtraParams::Text(text));
        }
    }
    Ok(texts)
}

/// Reads an origin as browsers write it: scheme, host, and a port unless it is the scheme's
/// default.
fn read_origin(text: &str) -> Result<String, Error> {
    let error = || {
        let message = "An origin is a scheme and a host, and a port where it needs one, such as \
                       https://shop.example.";
        Error::invalid(message).param("origin")
    };
    let url = url::Url::parse(text).map_err(|_| error())?;
    let origin = url.origin().ascii_serialization();
    let plain = matches!(url.scheme(), "http" | "https") && text.eq_ignore_ascii_case(&origin);
    // The origin becomes part of a content security policy, where these characters begin another
    // part.
    let safe = !origin.contains([';', ',', ' ', '*', '\'', '"']);
    if plain && safe { Ok(origin) } else { Err(error()) }
}

#[cfg(test)]
mod tests {
    use super::read_origin;

    /// Origins are accepted as browsers write them. Paths, other schemes and characters that could
    /// change a policy are rejected.
    #[test]
    fn reads_origins() {
        for good in ["https://shop.example", "http://127.0.0.1:8080", "http://[::1]:9"] {
            assert_eq!(read_origin(good).unwrap(), good);
        }
        for bad in [
            "",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/x",
            "https://shop.example:443",
            "https://a@shop.example",
            "https://*.example",
            "https://a;script-src",
            "https://a 'self'",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://shop.example",
        ] {
            assert!(read_origin(bad).is_err(), "{bad}");
        }
    }
}
