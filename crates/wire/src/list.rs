//! Lists: the parameters that select a page, and the envelope around it.

use crate::error::{Error, shown};
use crate::json::JsonWriter;
use crate::params::Params;
use crate::search::{Field, Query};
use model::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The requested page of a list. At most one of the two cursors is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageParams {
    /// The number of rows of the page, from 1 to the maximum of the list.
    pub limit: u32,
    /// The id of the row before the page.
    pub starting_after: Option<String>,
    /// The id of the row after the page.
    pub ending_before: Option<String>,
}

/// Takes `limit`, `starting_after` and `ending_before`.
pub fn take_page(params: &mut Params) -> Result<PageParams, Error> {
    take_page_within(params, PAGE_ROWS_MAX, PAGE_ROWS_DEFAULT)
}

/// Takes the same of a list of our own with longer pages. Without `limit`, a page has `rows_max` rows.
pub fn take_page_up_to(params: &mut Params, rows_max: u32) -> Result<PageParams, Error> {
    take_page_within(params, rows_max, rows_max)
}

fn take_page_within(params: &mut Params, rows_max: u32, rows: u32) -> Result<PageParams, Error> {
    params.exclusive(&["starting_after", "ending_before"])?;
    Ok(PageParams {
        limit: take_limit(params, rows_max, rows)?,
        starting_after: params.text("starting_after")?,
        ending_before: params.text("ending_before")?,
    })
}

/// The position in a list of `/v2`, in the `page` of its addresses. The text of the position is an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageToken {
    /// The rows after this one.
    After(String),
    /// The rows before this one.
    Before(String),
}

impl PageToken {
    /// Reads the text of a token.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let after = text.strip_prefix("after_").map(|id| Self::After(id.to_owned()));
        let before = || text.strip_prefix("before_").map(|id| Self::Before(id.to_owned()));
        after.or_else(before).ok_or_else(|| Self::unknown(text))
    }

    /// The error of a token that leads to no position.
    pub fn unknown(text: &str) -> Error {
        let message = format!("No such page: '{}'. Use next_page_url as it is.", shown(text));
        Error::invalid(message).param("page")
    }

    /// Returns the text.
    pub fn text(&self) -> String {
        match self {
            Self::After(id) => format!("after_{id}"),
            Self::Before(id) => format!("before_{id}"),
        }
    }
}

/// The requested page of a list of `/v2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPage {
    /// The number of rows of the page, from 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
    /// The position. `None` for the first page.
    pub token: Option<PageToken>,
}

/// Takes `limit` and `page`.
pub fn take_token_page(params: &mut Params) -> Result<TokenPage, Error> {
    let limit = take_limit(params, PAGE_ROWS_MAX, PAGE_ROWS_DEFAULT)?;
    let token = params.text("page")?.map(|text| PageToken::parse(&text)).transpose()?;
    Ok(TokenPage { limit, token })
}

/// The addresses of the pages beside a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The position of the next page. `None` after the last.
    pub next: Option<PageToken>,
    /// The position of the previous page. `None` before the first.
    pub previous: Option<PageToken>,
}

/// Writes a page of a list of `/v2`. `query` are the other parameters of the call, which the addresses
/// repeat.
pub fn write_token_list(
    writer: &mut JsonWriter,
    path: &str,
    query: &[(String, String)],
    beside: &Beside,
    items: &[Vec<u8>],
) {
    let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let address = |token: &Option<PageToken>| {
        let page = token.as_ref().map(|token| ("page".to_owned(), token.text()))?;
        let pairs = query.iter().chain([&page]);
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        Some(format!("{path}?{}", pairs.join("&")))
    };
    writer.object(|w| {
        w.key("data").array(|w| {
            for item in items {
                w.raw(item);
            }
        });
        w.key("next_page_url").optional_string(address(&beside.next).as_deref());
        w.key("previous_page_url").optional_string(address(&beside.previous).as_deref());
    });
}

/// The parameters of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchParams {
    /// The query.
    pub query: Query,
    /// The number of rows of the page, from 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
    /// The `next_page` of the previous page.
    pub page: Option<String>,
}

/// The parameters of a search before the query is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnparsedSearch {
    query: String,
    limit: u32,
    page: Option<String>,
}

impl UnparsedSearch {
    /// Parses the query about objects with these fields.
    pub fn parse(self, fields: &[Field]) -> Result<SearchParams, Error> {
        let Self { query, limit, page } = self;
        Ok(SearchParams { query: Query::parse(&query, fields)?, limit, page })
    }
}

/// Takes `query`, `limit` and `page` of a search. The query is parsed later, because unknown
/// parameters are rejected first.
pub fn take_search(params: &mut Params) -> Result<UnparsedSearch, Error> {
    let query = params.need("query", Params::text)?;
    let limit = take_limit(params, PAGE_ROWS_MAX, PAGE_ROWS_DEFAULT)?;
    let page = params.text("page")?;
    Ok(UnparsedSearch { query, limit, page })
}

fn take_limit(params: &mut Params, rows_max: u32, rows: u32) -> Result<u32, Error> {
    let limit = params.integer_within("limit", 1, i64::from(rows_max))?;
    let Ok(limit) = u32::try_from(limit.unwrap_or(i64::from(rows))) else {
        unreachable!("the limit was checked against its bounds")
    };
    Ok(limit)
}

/// Writes a page of search results, whose items are rendered already.
pub fn write_search_result(
    writer: &mut JsonWriter,
    url: &str,
    next_page: Option<&str>,
    items: &[Vec<u8>],
) {
    writer.object(|w| {
        w.key("object").plain("search_result");
        w.key("data").array(|w| {
            for item in items {
                w.raw(item);
            }
        });
        w.key("has_more").boolean(next_page.is_some());
        w.key("next_page").optional_string(next_page);
        w.key("url").string(url);
    });
}

/// Writes a page. `url` is the path of the list, and the closure writes one item.
pub fn write_list<T>(
    writer: &mut JsonWriter,
    url: &str,
    has_more: bool,
    items: impl IntoIterator<Item = T>,
    mut write_item: impl FnMut(&mut JsonWriter, T),
) {
    writer.object(|w| {
        w.key("object").plain("list");
        w.key("data").array(|w| {
            for item in items {
                write_item(w, item);
            }
        });
        w.key("has_more").boolean(has_more);
        w.key("url").string(url);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::listed;

    fn page(query: &str) -> Result<PageParams, Error> {
        take_page(&mut Params::parse(query, "").unwrap())
    }

    /// The default page is the first ten rows.
    #[test]
    fn takes_a_page() {
        let first = PageParams { limit: 10, starting_after: None, ending_before: None };
        assert_eq!(page("").unwrap(), first);
        let next = page("limit=100&starting_after=cus_1").unwrap();
        assert_eq!((next.limit, next.starting_after.as_deref()), (100, Some("cus_1")));
        let back = page("limit=1&ending_before=cus_1").unwrap();
        assert_eq!((back.limit, back.ending_before.as_deref()), (1, Some("cus_1")));
    }

    /// A limit out of bounds, a limit that is not a number, and two cursors at once are rejected,
    /// each with its code and path.
    #[test]
    fn rejects_a_bad_page() {
        let errors: Vec<Error> = [
            "limit=0",
            "limit=101",
            "limit=ten",
            "limit=",
            "starting_after=",
            "starting_after=a&ending_before=b",
        ]
        .into_iter()
        .map(|query| page(query).unwrap_err())
        .collect();
        insta::assert_snapshot!(listed(&errors), @"
        400 parameter_invalid_integer limit
            Invalid integer: limit must be between 1 and 100
        400 parameter_invalid_integer limit
            Invalid integer: limit must be between 1 and 100
        400 parameter_invalid_integer limit
            Invalid integer: ten
        400 parameter_invalid_empty limit
            limit is an empty string. Send a value, or leave it out.
        400 parameter_invalid_empty starting_after
            starting_after is an empty string. Send a value, or leave it out.
        400 parameters_exclusive starting_after
            You may give only one of these parameters: starting_after, ending_before.
        ");
    }

    /// The addresses of a list of `/v2` repeat the parameters, and a token reads back from its text.
    #[test]
    fn writes_the_envelope_of_the_second_version() {
        let beside = Beside { next: Some(PageToken::After("evt_1".into())), previous: None };
        let query = [("types[0]".to_owned(), "v1.a.b".to_owned())];
        let mut writer = JsonWriter::default();
        write_token_list(&mut writer, "/v2/x", &query, &beside, &[b"1".to_vec()]);
        insta::assert_snapshot!(String::from_utf8(writer.into_bytes()).unwrap(), @r#"{"data":[1],"next_page_url":"/v2/x?types%5B0%5D=v1%2Ea%2Eb&page=after%5Fevt%5F1","previous_page_url":null}"#);
        for token in [PageToken::After("evt_1".into()), PageToken::Before("ed_2".into())] {
            assert_eq!(PageToken::parse(&token.text()), Ok(token));
        }
        let unknown = PageToken::parse("evt_1").unwrap_err();
        assert_eq!((unknown.status, unknown.param.as_deref()), (400, Some("page")));
    }

    /// The envelope is object, data, `has_more` and url.
    #[test]
    fn writes_the_envelope() {
        let mut writer = JsonWriter::default();
        write_list(&mut writer, "/v1/x", true, [1, 2], |w, item| {
            w.integer(item);
        });
        insta::assert_snapshot!(
            String::from_utf8(writer.into_bytes()).unwrap(),
            @r#"{"object":"list","data":[1,2],"has_more":true,"url":"/v1/x"}"#
        );
    }
}
