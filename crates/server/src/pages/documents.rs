//! The documents for callers, as Markdown: `/docs/PAGE.md`, and `/llms.txt`, which lists them.
//!
//! The program contains the pages that a caller or an operator needs. Pages about the making of bankfeed
//! are in its repository only. The list has the form of llmstxt.org, which agents read.

use super::asset;
use crate::http::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use std::fmt::Write as _;
use std::sync::Arc;

/// The response to a name that is not the name of a page here.
const UNKNOWN: &str = "No such page. /llms.txt lists the pages of this server.\n";

/// The beginning of the list. `BASE` is replaced by the server's address.
const HEAD: &str = "\
# bankfeed

> A self-hosted server that speaks Stripe's Financial Connections API, with test banks and a clock \
that tests control. Every Stripe SDK works against it after a change of the base URL to BASE.

Any key of the form `sk_test_…` is a separate, empty merchant, unless the operator issues keys. Test \
helpers under `/v1/test_helpers` act for the holder and for the bank. `bankfeed mcp` serves the most \
frequent calls as tools of the Model Context Protocol.
";

/// The pages of a section of the list.
struct Section {
    title: &'static str,
    pages: &'static [Page],
}

/// A page.
struct Page {
    /// The name of its file.
    file: &'static str,
    text: &'static str,
    /// Its content, as the list describes it.
    about: &'static str,
}

/// A page of the folder `docs`.
macro_rules! page {
    ($file:literal, $about:literal) => {
        Page { file: $file, text: include_str!(concat!("../../../../docs/", $file)), about: $about }
    };
}

const SECTIONS: [Section; 3] = [
    Section {
        title: "Write tests",
        pages: &[
            page!("first-test.md", "a complete test in Python, Node, Go and Java"),
            page!("run-it.md", "a server beside tests: binary, container, CI, reverse proxy"),
            page!("recipes.md", "the API base in the tests of web frameworks"),
            page!("sdks.md", "the base URL of each Stripe SDK"),
            page!("test-banks.md", "the test banks, and calls that change the bank's side"),
            page!("scenarios.md", "bank timelines as TOML or JSON files"),
            page!("judge.md", "the report about clients that would lose data, with each finding"),
            page!("commands.md", "every command of the program"),
            page!("troubleshooting.md", "symptoms, reasons and solutions"),
        ],
    },
    Section {
        title: "Look up",
        pages: &[
            page!("api.md", "every call: parameters, responses, errors, events, test helpers"),
            page!("carriers.md", "the objects that can start a link flow"),
            page!("versions.md", "the API versions and their differences"),
            page!("scope.md", "supported parts of Stripe's API"),
            page!("install.md", "packages for Python, Node, Debian and Docker"),
        ],
    },
    Section {
        title: "Optional",
        pages: &[
            page!("parameters.md", "the effect of each parameter of each call"),
            page!("operations.md", "settings, keys, files, backup, logs, metrics, bounds"),
            page!("security.md", "who can reach what, and the promises to each"),
            page!("comparison.md", "this server beside other ways to test"),
            page!("glossary.md", "the words of the documents"),
        ],
    },
];

/// The list of the pages.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Response {
    let list = list_at(app.public_url());
    (super::headers("text/plain; charset=utf-8", "no-cache"), list).into_response()
}

/// A page.
pub(crate) async fn show(Path(file): Path<String>) -> Response {
    let mut pages = SECTIONS.iter().flat_map(|section| section.pages);
    let Some(page) = pages.find(|page| page.file == file) else {
        let plain = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        return (StatusCode::NOT_FOUND, plain, UNKNOWN).into_response();
    };
    asset("text/markdown; charset=utf-8", page.text).into_response()
}

/// The list, with links below this address.
fn list_at(base: &str) -> String {
    let mut list = HEAD.replace("BASE", base);
    for Section { title, pages } in &SECTIONS {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "\n## {title}\n");
        for Page { file, text, about } in *pages {
            let title = title_of(text);
            let _ = writeln!(list, "- [{title}]({base}/docs/{file}): {about}");
        }
    }
    list
}

/// The first heading of a page.
fn title_of(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Untitled")
}
