//! A browser without script for tests. It reads the text of a page and posts its forms.

use testkit::show::redacted;
use testkit::{App, Client, Response};

/// A link flow in a browser.
pub(crate) struct Browser {
    client: Client,
    /// The path of the flow, which contains its token.
    pub(crate) path: String,
}

impl Browser {
    /// Opens the flow of a carrier by its client secret.
    pub(crate) async fn open(app: &App, carrier: &Response) -> Self {
        Self::open_for(app, carrier, "").await
    }

    /// Opens the flow of a new session of a customer with these further parameters.
    pub(crate) async fn of_session(app: &App, customer: &str, more: &str) -> (Response, Self) {
        let session = app.session(customer, more).await;
        let browser = Self::open(app, &session).await;
        (session, browser)
    }

    /// Opens the flow of a carrier with further parameters.
    pub(crate) async fn open_for(app: &App, carrier: &Response, more: &str) -> Self {
        Self::open_as(&app.with_key("pk_test_123"), carrier, more).await
    }

    /// Opens the flow of a carrier as a page with this key, and in this connected account.
    pub(crate) async fn open_as(client: &Client, carrier: &Response, more: &str) -> Self {
        let form = format!("client_secret={}&{more}", carrier.text("/client_secret"));
        Self::opened(client, &client.post("/v1/link_flows", &form).await.ok())
    }

    /// Opens the flow of a carrier by its id, as the merchant does.
    pub(crate) async fn open_of_id(app: &App, carrier: &str) -> Self {
        Self::opened(app, &app.post("/v1/link_flows", &format!("carrier={carrier}")).await.ok())
    }

    fn opened(client: &Client, made: &Response) -> Self {
        assert_eq!(made.text("/object"), "link_flow");
        let url = made.text("/url");
        let path = url.split_once("/link/").unwrap().1;
        Self { client: Client::of(client.url()), path: format!("/link/{path}") }
    }

    /// Opens a page by its address.
    pub(crate) fn at(app: &App, url: &str) -> Self {
        let path = url.strip_prefix("http://127.0.0.1:12111").unwrap_or(url);
        Self { client: Client::of(app.url()), path: path.to_owned() }
    }

    /// Opens the flow that a page leads to.
    pub(crate) fn flow_of(app: &App, page: &Response) -> Self {
        let after = page.body.split_once("action=\"/link/").unwrap().1;
        Self::at(app, &format!("/link/{}", after.split_once('"').unwrap().0))
    }

    /// The current pane.
    pub(crate) async fn page(&self) -> Response {
        self.client.bare_request("GET", &self.path).send().await
    }

    /// Posts a step with the version of the current pane, and returns the page that follows.
    pub(crate) async fn step(&self, step: &str, form: &str) -> Response {
        let version = version(&self.page().await);
        self.step_of(version, step, form).await
    }

    /// Posts a step with an explicit version.
    pub(crate) async fn step_of(&self, version: u64, step: &str, form: &str) -> Response {
        let form = format!("step={step}&version={version}&{form}");
        let page = self.client.bare_request("POST", &self.path).form(&form).send().await;
        // The page about the connection to a bank leads to the next pane.
        match next(&page) {
            Some(path) => self.client.bare_request("GET", path).send().await,
            None => page,
        }
    }

    /// Types the numbers of an account into the form for them, with these further parameters.
    pub(crate) async fn type_numbers(&self, number: &str, more: &str) -> Response {
        let account = format!("account_number={number}&account_number_again={number}");
        self.step("numbers", &format!("routing_number=110000000&{account}&{more}")).await
    }

    /// The bank's own page.
    pub(crate) async fn bank_page(&self) -> Response {
        self.client.bare_request("GET", &format!("{}/bank", self.path)).send().await
    }

    /// Posts the form of the bank's own page.
    pub(crate) async fn bank_step(&self, step: &str, form: &str) -> Response {
        let form = format!("step={step}&version={}&{form}", version(&self.bank_page().await));
        self.client.bare_request("POST", &format!("{}/bank", self.path)).form(&form).send().await
    }

    /// Picks the bank with this name, and gives consent.
    pub(crate) async fn log_in_at(&self, app: &App, bank: &str) -> Response {
        self.step("institution", &format!("institution={}", institution(app, bank).await)).await;
        self.step("consent", "").await
    }

    /// Completes the form of a bank up to the list of accounts.
    pub(crate) async fn accounts_of(&self, app: &App, bank: &str) -> Response {
        self.log_in_at(app, bank).await;
        self.step("login", "bank_username=ada&bank_password=secret").await
    }
}

/// The id of a test bank.
pub(crate) async fn institution(app: &App, name: &str) -> String {
    let banks = app.get("/v1/test_helpers/financial_connections/institutions").await.ok();
    let bank = banks.items("/data").into_iter().find(|bank| bank["name"] == name).unwrap();
    bank["id"].as_str().unwrap().to_owned()
}

/// The version in the forms of a page, or 0 if there is none.
pub(crate) fn version(page: &Response) -> u64 {
    let after = page.body.split_once("name=\"version\" value=\"");
    let digits = after.and_then(|(_, rest)| rest.split_once('"'));
    digits.map_or(0, |(digits, _)| digits.parse().unwrap())
}

/// The path that a page leads to after a moment, if it does.
pub(crate) fn next(page: &Response) -> Option<&str> {
    page.body.split_once("data-next=\"").and_then(|(_, rest)| rest.split('"').next())
}

/// The messages about the holder's faults.
pub(crate) fn faults(page: &Response) -> Vec<String> {
    let signs = ["class=\"error\"", "class=\"alert\""];
    let places = signs.iter().flat_map(|sign| page.body.match_indices(sign));
    let text = |(at, _): (usize, &str)| {
        let (_, after) = page.body[at..].split_once("<span>")?;
        after.split_once("</span>").map(|(text, _)| text.to_owned())
    };
    places.filter_map(text).collect()
}

/// The result of [`read`] in lines that a snapshot can contain.
pub(crate) fn shown(page: &Response) -> String {
    const LINE_CHARS_MAX: usize = 96;
    let mut text = String::new();
    for line in redacted(&read(page)).lines() {
        let line = without_last4(line);
        let mut room = LINE_CHARS_MAX;
        for word in line.split(' ') {
            if word.chars().count() + 1 > room {
                text.truncate(text.trim_end().len());
                text.push_str("\n   ");
                room = LINE_CHARS_MAX - 3;
            }
            room -= word.chars().count() + 1;
            text.push_str(word);
            text.push(' ');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// A line without the last digits of an account, which follow from the id of its holder.
fn without_last4(line: &str) -> String {
    let Some((name, digits)) = line.rsplit_once("ending in ") else { return line.to_owned() };
    assert!(digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{line}");
    format!("{name}ending in …")
}

/// The text that a person reads in the main part of a page and in the bar of actions, one line per
/// block. Fields are in brackets, and choices have marks before them.
pub(crate) fn read(page: &Response) -> String {
    let (_, rest) = page.body.split_once("<main").unwrap();
    let (main, actions) = rest.split_once('>').unwrap().1.split_once("</main>").unwrap();
    let actions = actions.split("<footer").next().unwrap();
    // The script shows this part while the holder is at the bank.
    let (actions, waiting) =
        actions.split_once("<div class=\"turn\" data-waiting").unwrap_or((actions, ""));
    let after = waiting.split_once("</div>").map_or("", |(_, after)| after);
    let content = format!("{main}{actions}{after}");
    let mut text = format!("{}\n", page.status);
    for piece in content.split('<').filter(|piece| !piece.is_empty()) {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        let fresh = [
            "h1", "h2", "p", "li", "form", "button", "a", "div", "dt", "label", "legend",
            "summary", "ul", "section",
        ];
        if (!tag.starts_with('/') && fresh.contains(&name)) || tag.contains("class=\"mark") {
            text.push('\n');
        }
        match name {
            "input" if tag.contains("type=\"hidden\"") => {}
            "input" if tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"") => {
                let sign = match (tag.contains(" disabled"), tag.contains(" checked")) {
                    (true, _) => "[-]",
                    (false, true) => "[x]",
                    (false, false) => "[ ]",
                };
                text += "\n";
                text += sign;
            }
            "input" => {
                let value = tag.split_once(" value=\"").map_or("", |(_, rest)| rest);
                let value = value.split('"').next().unwrap();
                text += &["\n[", value, "]"].concat();
            }
            "button" if !tag.starts_with('/') => text.push_str("> "),
            "a" if !tag.starts_with('/') => text.push_str("-> "),
            "span" | "strong" | "dd" if !tag.starts_with('/') => text.push(' '),
            _ => {}
        }
        // The script file shows the elements that are hidden here.
        if !tag.contains(" hidden") || name == "input" {
            text.push_str(words);
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let choice = lines.last().is_some_and(|last| ["[ ]", "[x]", "[-]"].contains(&&**last));
        match lines.last_mut() {
            Some(last) if choice && !line.is_empty() => {
                last.push(' ');
                last.push_str(&line);
            }
            _ if line.is_empty() || line == ">" => {}
            _ => lines.push(line),
        }
    }
    lines.join("\n")
}
