//! The brand of a merchant on its pages: name, colour, logo, address.

use std::io::Write as _;
use tempfile::NamedTempFile;
use testkit::server::start_process;
use testkit::{Client, ONE_ITEM, Response};

const SVG: &[u8] =
    b"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 4 1\"><path d=\"M0 0h4\"/></svg>";

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Creates a Checkout Session and opens its page.
async fn checkout_page(client: &Client, stranger: &Client) -> Response {
    let session = client.post("/v1/checkout/sessions", ONE_ITEM).await.ok();
    let url = session.text("/url");
    let path = url.strip_prefix(stranger.url()).unwrap();
    stranger.bare_request("GET", path).send().await.ok()
}

/// The settings decide the name, the colour, the logo and the address of all pages.
#[tokio::test]
async fn pages_have_the_brand_of_the_settings() {
    let logo = file(SVG);
    let flags = [
        ("merchant-name", "Rocket Tea"),
        ("merchant-color", "#FFCC00"),
        ("merchant-logo", logo.path().to_str().unwrap()),
        ("merchant-address", "1 Kettle Lane, Suite 4| Ashland, VA 23005"),
    ];
    let (started, client) = start_process(&flags).await;
    let page = checkout_page(&client.with_key("sk_test_1"), &client).await;
    for part in [
        "<link rel=\"stylesheet\" href=\"/assets/brand.css?color=ffcc00\">",
        "<img class=\"logo\" src=\"/assets/logo\" alt=\"Rocket Tea\">",
        "<strong>Rocket Tea</strong>",
        "<span>1 Kettle Lane, Suite 4</span><span>Ashland, VA 23005</span>",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(page.header("content-security-policy").unwrap().contains("img-src 'self'"));

    let style = client.bare_request("GET", "/assets/brand.css?color=ffcc00").send().await.ok();
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    insta::assert_snapshot!(style.body, @"
    :root{--accent:#826800;--accent-deep:#655100;--on-accent:#ffffff}
    @media (prefers-color-scheme:dark){:root{--accent:#ffcc00;--accent-deep:#ffd738;--on-accent:#3f3300}}
    ");

    // The logo may contain script, which never runs.
    let logo = client.bare_request("GET", "/assets/logo").send().await.ok();
    assert_eq!(logo.body.as_bytes(), SVG);
    assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
    assert_eq!(logo.header("x-content-type-options"), Some("nosniff"));
    insta::assert_snapshot!(logo.header("content-security-policy").unwrap(), @"default-src 'none'; style-src 'unsafe-inline'; sandbox");
    started.stop().await.unwrap();
}

/// Without settings a page has the colour of the server, the name as a text, and no address.
#[tokio::test]
async fn a_page_without_a_brand() {
    let (started, client) = start_process(&[]).await;
    let page = checkout_page(&client.with_key("sk_test_1"), &client).await;
    assert!(page.body.contains("<p class=\"who\">Test merchant</p>"), "{}", page.body);
    assert!(!page.body.contains("brand.css") && !page.body.contains("<img"), "{}", page.body);
    let paths =
        ["logo", "brand.css", "brand.css?color=", "brand.css?color=fc0", "brand.css?color=}"];
    for path in paths {
        let absent = client.bare_request("GET", &format!("/assets/{path}")).send().await;
        assert_eq!(absent.status, 404, "{path}");
    }
    started.stop().await.unwrap();
}

/// A connected account has its own brand, and not that of its platform.
#[tokio::test]
async fn a_connected_account_has_its_own_brand() {
    let logo = file(SVG);
    let flags = [
        ("merchant-color", "#ffcc00"),
        ("merchant-logo", logo.path().to_str().unwrap()),
        ("merchant-address", "1 Kettle Lane"),
    ];
    let (started, client) = start_process(&flags).await;
    let platform = client.with_key("sk_test_1");
    let form = "type=custom&country=US&business_profile[name]=Rocket+Rides\
                &business_profile[support_address][line1]=2+Launch+Pad\
                &business_profile[support_address][city]=Ashland\
                &business_profile[support_address][postal_code]=23005\
                &settings[branding][primary_color]=%23663399";
    let account = platform.post("/v1/accounts", form).await.ok().id();
    let page = checkout_page(&platform.in_account(&account), &client).await;
    for part in [
        "href=\"/assets/brand.css?color=663399\"",
        "<p class=\"who\">Rocket Rides</p>",
        "<span>2 Launch Pad</span><span>Ashland 23005</span></div>",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("<img") && !page.body.contains("Kettle"), "{}", page.body);

    // The accent of the brand is more important for buttons.
    let accent = "settings[branding][secondary_color]=%23008080";
    platform.post(&format!("/v1/accounts/{account}"), accent).await.ok();
    let page = checkout_page(&platform.in_account(&account), &client).await;
    assert!(page.body.contains("brand.css?color=008080"), "{}", page.body);
    started.stop().await.unwrap();
}
