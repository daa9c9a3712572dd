//! Checks of the format of texts that several calls take: URLs for a browser, and e-mail addresses.

use model::extra_params::ExtraParams;
use url::Url;
use wire::error::Error;

/// Schemes that a link may never use, because they open neither a page nor an app.
const NEVER: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];

/// True if a link may lead to this URL: a page or an app, but never a script.
pub(crate) fn goes_somewhere(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| !NEVER.contains(&url.scheme()))
}

/// Rejects a text that is not the complete URL of a page.
pub(super) fn check_page_url(url: Option<&str>, path: &str) -> Result<(), Error> {
    check(url, path, is_page)
}

/// Rejects a text that is neither the complete URL of a page nor a URL that opens an app.
pub(super) fn check_return_url(url: Option<&str>, path: &str) -> Result<(), Error> {
    check(url, path, |url| is_page(url) || opens_app(url))
}

fn check(url: Option<&str>, path: &str, fits: impl Fn(&str) -> bool) -> Result<(), Error> {
    match url {
        // URL parsers remove these characters, so the displayed URL would differ from the opened
        // one.
        Some(url) if url.contains(char::is_control) || url.trim() != url || !fits(url) => {
            let message = "Not a valid URL: give the whole address, beginning with https://.";
            Err(Error::invalid(message).code("url_invalid").param(path))
        }
        Some(url) if has_credentials(url) => Err(Error::url_with_credentials(path)),
        _ => Ok(()),
    }
}

/// Rejects URLs with a user name or a password, in all of these parameters. Metadata may contain any
/// text.
pub(super) fn check_credentials(params: &ExtraParams) -> Result<(), Error> {
    match find_credentials(params, false) {
        Some(path) => Err(Error::url_with_credentials(&bracketed(&path))),
        None => Ok(()),
    }
}

/// The names on the path to a URL with credentials, the last one first.
fn find_credentials(params: &ExtraParams, is_url: bool) -> Option<Vec<String>> {
    let below = |name: String, found: Vec<String>| [found, vec![name]].concat();
    match params {
        ExtraParams::Text(text) => (is_url && has_credentials(text)).then(Vec::new),
        ExtraParams::Hash(members) => members.iter().find_map(|(name, value)| {
            let is_url = name == "url" || name.ends_with("_url") || name == "images";
            let found = (name != "metadata").then(|| find_credentials(value, is_url))??;
            Some(below(name.clone(), found))
        }),
        ExtraParams::List(items) => items.iter().enumerate().find_map(|(index, item)| {
            Some(below(index.to_string(), find_credentials(item, is_url)?))
        }),
        _ => None,
    }
}

/// The path of a parameter in brackets. The names are given from its end.
fn bracketed(names: &[String]) -> String {
    let Some((first, rest)) = names.split_last() else { return String::new() };
    rest.iter().rev().fold(first.clone(), |path, name| format!("{path}[{name}]"))
}

/// True if a URL has a user name or a password in front of its host. Browsers hide it, so it can make
/// a host look like another one.
fn has_credentials(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("//") else { return false };
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

fn is_page(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    web && !rest.starts_with('/') && Url::parse(url).is_ok_and(|url| url.has_host())
}

fn opens_app(url: &str) -> bool {
    goes_somewhere(url) && Url::parse(url).is_ok_and(|url| !url.is_special())
}

/// Rejects a text that is not an e-mail address.
pub(super) fn check_email(email: Option<&str>, path: &str) -> Result<(), Error> {
    let Some(address) = email else { return Ok(()) };
    let halves = address.split_once('@');
    let plain = halves.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if plain && !address.contains(char::is_whitespace) {
        return Ok(());
    }
    let api_error = Error::invalid(format!("Invalid email address: {address}"));
    Err(api_error.code("email_invalid").param(path))
}

#[cfg(test)]
mod tests {
    use super::{has_credentials, is_page, opens_app};

    /// Page URLs are complete. Apps have schemes of their own, and none of the accepted schemes
    /// runs a script.
    #[test]
    fn tells_pages_from_apps_and_scripts() {
        let pages = ["https://a.example/done?id={CHECKOUT_SESSION_ID}", "HTTP://127.0.0.1:80/"];
        let apps = ["myapp://done", "com.example.app:/done"];
        let none = ["/done", "done", "https:done", "https://", "http:///", "", "ftp://a.example"];
        let scripts = ["javascript:alert(1)", "JavaScript://a%0aalert(1)", "data:,x", "file:///a"];
        assert!(pages.iter().all(|url| is_page(url) && !opens_app(url)));
        assert!(apps.iter().all(|url| opens_app(url) && !is_page(url)));
        assert!(none.iter().chain(&scripts).all(|url| !is_page(url) && !opens_app(url)));
    }

    /// Only the part in front of the path can have a user name.
    #[test]
    fn finds_credentials() {
        for url in
            ["https://a@b.test", "https://a:b@c.test/", "https://@b.test", "app://a@b", "//a@b"]
        {
            assert!(has_credentials(url), "{url}");
        }
        for url in
            ["https://b.test/@a", "https://b.test?a@b", "https://b.test#a@b", "mailto:a@b.test"]
        {
            assert!(!has_credentials(url), "{url}");
        }
    }
}
