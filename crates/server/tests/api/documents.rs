//! The documents that the server contains: `/llms.txt` and `/docs/PAGE.md`.

use testkit::{App, Client, start_process};

/// The links of a list in Markdown, below the server's address.
fn links(list: &str, base: &str) -> Vec<String> {
    let lines = list.lines().filter(|line| line.starts_with("- ["));
    let link = |line: &str| {
        let (_, rest) = line.split_once("](").unwrap();
        let (url, about) = rest.split_once("): ").unwrap();
        assert!(!about.is_empty(), "{line}");
        url.strip_prefix(base).unwrap().to_owned()
    };
    lines.map(link).collect()
}

/// `/llms.txt` needs no key, and has a title, a summary and sections. Each page that it lists is
/// served as Markdown, and is the file of the repository.
#[tokio::test]
async fn listed_pages_are_the_files() {
    let app = App::start().await;
    let list = app.bare_request("GET", "/llms.txt").send().await.ok();
    assert_eq!(list.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(list.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(list.header("cache-control"), Some("no-cache"));
    assert!(list.body.starts_with("# bankfeed\n\n> A self-hosted server"), "{}", list.body);
    let sections: Vec<&str> = list.body.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(sections, ["## Write tests", "## Look up", "## Optional"]);

    let base = app.engine.settings().public_url.clone();
    let links = links(&list.body, &base);
    assert!(links.len() > 15, "{links:?}");
    for link in links {
        let page = app.bare_request("GET", &link).send().await.ok();
        assert_eq!(page.header("content-type"), Some("text/markdown; charset=utf-8"), "{link}");
        let file = format!("{}/../..{link}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(page.body, std::fs::read_to_string(&file).unwrap(), "{link}");
    }
}

/// A page that the server does not contain is not found, and the text says where the pages are listed.
#[tokio::test]
async fn other_names_are_not_found() {
    let app = App::start().await;
    for path in ["/docs/nowhere.md", "/docs/api", "/docs/..%2FREADME.md", "/docs/SUMMARY.md"] {
        let response = app.bare_request("GET", path).send().await;
        assert_eq!(response.status, 404, "{path}");
        assert!(response.body.contains("/llms.txt"), "{path}: {}", response.body);
    }
}

/// Links begin with the public address. A server with issued keys needs none for the list.
#[tokio::test]
async fn links_begin_with_the_public_address() {
    let flags = [("public-url", "https://bank.example"), ("keys", "issued")];
    let (server, _) = start_process(&flags).await;
    let list = Client::of(&server.local_url).bare_request("GET", "/llms.txt").send().await.ok();
    assert!(list.body.contains("](https://bank.example/docs/api.md): "), "{}", list.body);
}
