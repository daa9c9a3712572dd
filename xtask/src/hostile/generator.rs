//! Malformed requests from a seed. Each kind breaks another part of a request.
//!
//! Requests that could write name the parameter [`POISON`], which no call has. So none of them may
//! succeed, however well the rest of it is formed.

use super::raw::request;
use testkit::rng::SeededRng;

/// A parameter that every call rejects.
pub(super) const POISON: &str = "zz_unknown";
/// The key of the requests, which owns the data that must not change.
pub(super) const KEY: &str = "sk_test_hostile";

/// The part that is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Line,
    Headers,
    Path,
    Query,
    Form,
    Json,
    Multipart,
    Nesting,
    Size,
    Noise,
}

impl Part {
    pub(super) const ALL: [Self; 10] = [
        Self::Line,
        Self::Headers,
        Self::Path,
        Self::Query,
        Self::Form,
        Self::Json,
        Self::Multipart,
        Self::Nesting,
        Self::Size,
        Self::Noise,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Line => "malformed request lines",
            Self::Headers => "malformed headers",
            Self::Path => "malformed paths",
            Self::Query => "malformed queries",
            Self::Form => "malformed forms",
            Self::Json => "malformed JSON",
            Self::Multipart => "multipart bodies",
            Self::Nesting => "deeply nested values",
            Self::Size => "huge values",
            Self::Noise => "random bytes",
        }
    }
}

/// Calls that take a form.
const POSTS: &[&str] = &[
    "/v1/customers",
    "/v1/webhook_endpoints",
    "/v1/financial_connections/sessions",
    "/v1/payment_intents",
    "/v1/setup_intents",
    "/v1/checkout/sessions",
    "/v1/invoices",
    "/v1/subscriptions",
    "/v1/prices",
    "/v1/refunds",
    "/v1/accounts",
    "/v1/tokens",
    "/v1/link_flows",
    "/v1/test_helpers/test_clocks",
    "/v1/test_helpers/financial_connections/link",
    "/v1/test_helpers/financial_connections/scenarios",
    "/v1/financial_connections/accounts/fca_1/refresh",
    "/v1/unknown",
];
/// Calls that take a query.
const LISTS: &[&str] = &[
    "/v1/customers",
    "/v1/events",
    "/v1/financial_connections/accounts",
    "/v1/financial_connections/transactions",
    "/v1/payment_intents",
    "/v1/customers/search",
    "/v1/charges",
    "/v2/core/events",
    "/v2/core/event_destinations",
];
/// Calls that take JSON.
const JSON_POSTS: &[&str] =
    &["/v2/core/event_destinations", "/v2/core/event_destinations/ed_1/ping"];
const NAMES: &[&str] = &[
    "limit",
    "starting_after",
    "ending_before",
    "created",
    "created[gt]",
    "created[gte][x]",
    "transaction_refresh[after]",
    "expand[]",
    "expand[0]",
    "expand[999999999999]",
    "query",
    "page",
    "account",
    "account_holder",
    "account_holder[customer]",
    "metadata",
    "metadata[a]",
    "metadata[]",
    "features[]",
    "amount",
    "currency",
    "url",
    "enabled_events[]",
    "frozen_time",
    "limit[]",
    "[]",
    "[a]",
    "a[",
    "a]",
    "a[[b]]",
    "a[b]c",
    "",
    "%",
    "%00",
    "é",
    "types[]",
    "object_id",
];
const VALUES: &[&str] = &[
    "",
    "0",
    "-1",
    "1e9",
    "99999999999999999999999",
    "NaN",
    "null",
    "true",
    "cus_",
    "cus_1",
    "fca_1",
    "fctxnref_1",
    "evt_1",
    "%",
    "%zz",
    "%00",
    "%ff%fe",
    "é",
    "\u{202e}",
    "a\u{0}b",
    "'",
    "\"",
    "<b>",
    "{}",
    "[]",
    "${1}",
    "../..",
    "data.a.b.c.d.e.f",
    "name:'a' AND name~'",
    "name:\"",
    "-name:",
    "::",
    "status:'x' OR status:'y' AND",
    "9223372036854775808",
    "0x10",
    "1.5",
    " ",
    "+",
    "&",
    "=",
];
const METHODS: &[&str] =
    &["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "TRACE", "get", "G\u{0}T"];

/// A seeded generator of requests to one server.
pub(super) struct Generator<'a> {
    pub(super) rng: SeededRng,
    pub(super) address: &'a str,
}

impl Generator<'_> {
    /// A request that is malformed in one part.
    pub(super) fn request(&self, part: Part) -> Vec<u8> {
        match part {
            Part::Line => self.line(),
            Part::Headers => self.headers(),
            Part::Path => self.path(),
            Part::Query => self.query(),
            Part::Form => self.form(),
            Part::Json => self.json(),
            Part::Multipart => self.multipart(),
            Part::Nesting => self.nesting(),
            Part::Size => self.size(),
            Part::Noise => self.noise(),
        }
    }

    fn one<'b>(&self, of: &[&'b str]) -> &'b str {
        of[self.rng.index(of)]
    }

    fn authorized(&self, method: &str, path: &str, kind: &str, body: &str) -> Vec<u8> {
        let headers = format!("authorization: Bearer {KEY}\r\ncontent-type: {kind}\r\n");
        request(self.address, method, path, &headers, body).into_bytes()
    }

    fn line(&self) -> Vec<u8> {
        let (method, path) = (self.one(METHODS), self.one(LISTS));
        let target = match self.rng.below(6) {
            0 => "*".to_owned(),
            1 => format!("//{path}"),
            2 => format!("{path} {path}"),
            3 => format!("{path}\t"),
            4 => String::new(),
            _ => format!("{path}#{}", self.one(VALUES)),
        };
        let version = self.one(&["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", "HTP", ""]);
        let end = self.one(&["\r\n", "\n", "\r", "\r\n\r\n\r\n"]);
        let host = self.address;
        format!(
            "{method} {target} {version}{end}host: {host}\r\nconnection: close\r\n\
             authorization: Bearer {KEY}\r\n\r\n"
        )
        .into_bytes()
    }

    fn headers(&self) -> Vec<u8> {
        let value = self.one(VALUES);
        let header = match self.rng.below(14) {
            0 => format!("{value}: x"),
            1 => "no colon".to_owned(),
            2 => format!("x-a: {value}\n b: c"),
            3 => format!("stripe-version: {value}"),
            4 => format!("stripe-account: {value}"),
            5 => format!("idempotency-key: {}", value.repeat(300)),
            6 => format!("content-length: {value}"),
            7 => "content-length: 5\r\ncontent-length: 6".to_owned(),
            8 => "transfer-encoding: chunked\r\ncontent-length: 3".to_owned(),
            9 => format!("transfer-encoding: {value}"),
            10 => format!("authorization: {value}\r\nauthorization: Basic {value}"),
            11 => format!("x-forwarded-for: {value}, {value}"),
            12 => format!("expect: {value}"),
            _ => repeated(300, |number| format!("x-{number}: 1\r\n")) + "x-a: 1",
        };
        let path = self.one(POSTS);
        let host = self.address;
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{header}\r\n\
             content-type: application/x-www-form-urlencoded\r\n\r\n{POISON}=1"
        )
        .into_bytes()
    }

    fn path(&self) -> Vec<u8> {
        let parts = ["/v1", "/v2", "/link", "/c/pay", "/i", "", "/settings", "/js"];
        let mut path = self.one(&parts).to_owned();
        for _ in 0..=self.rng.below(5) {
            path.push('/');
            let piece = self.one(VALUES);
            path.extend(piece.bytes().map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'%' | b'\'' | b':' => {
                    char::from(byte)
                }
                _ => '~',
            }));
        }
        self.authorized(self.one(&["GET", "DELETE"]), &path, "text/plain", "")
    }

    fn query(&self) -> Vec<u8> {
        let path = format!("{}?{}", self.one(LISTS), self.pairs(true));
        self.authorized("GET", &path, "text/plain", "")
    }

    /// Pairs of names and values. Some are encoded, and others are as they are.
    fn pairs(&self, is_line: bool) -> String {
        let mut text = String::new();
        for _ in 0..=self.rng.below(8) {
            let (name, value) = (self.one(NAMES), self.one(VALUES));
            if is_line || self.rng.one_in(2) {
                let pairs = [(name, value)];
                let encoded = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(pairs)
                    .finish();
                text.push_str(&encoded);
            } else {
                text.extend([name, "=", value]);
            }
            text.push_str(self.one(&["&", "&", "&", "&&", ";", "=", "&%5B"]));
        }
        text
    }

    fn form(&self) -> Vec<u8> {
        let kind = self.one(&[
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-16",
            "text/plain",
            "",
        ]);
        let body = format!("{}&{POISON}=1", self.pairs(false));
        self.authorized("POST", self.one(POSTS), kind, &body)
    }

    fn json(&self) -> Vec<u8> {
        let value = self.one(VALUES);
        let body = match self.rng.below(10) {
            0 => "{".to_owned(),
            1 => format!("{{\"{POISON}\": {value}}}"),
            2 => format!("{{\"{POISON}\": 1, \"{POISON}\": 2}}"),
            3 => format!("[{{\"{POISON}\": 1}}]"),
            4 => format!("{{\"name\": \"\\ud800\", \"{POISON}\": 1}}"),
            5 => format!("{{\"name\": 1e999, \"{POISON}\": 1}}"),
            6 => format!("{{\"events_from\": {{\"{POISON}\": []}}}}"),
            7 => format!("\u{feff}{{\"{POISON}\": 1}}"),
            8 => format!("{{\"{POISON}\": 1}} {value}"),
            _ => format!("{{\"enabled_events\": [null, {{}}, [[]], {value:?}], \"{POISON}\": 1}}"),
        };
        let paths = if self.rng.one_in(4) { POSTS } else { JSON_POSTS };
        self.authorized("POST", self.one(paths), "application/json", &body)
    }

    fn multipart(&self) -> Vec<u8> {
        let boundary = self.one(&["x", "--", "a b", ""]);
        let value = self.one(VALUES);
        let end = self.one(&["--", "", "\r\n", "-- --"]);
        let body = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{POISON}\"; \
             filename=\"{value}\"\r\n\r\n{value}\r\n--{boundary}{end}"
        );
        let kind = format!("multipart/form-data; boundary={boundary}");
        self.authorized("POST", self.one(&["/v1/files", "/v1/customers"]), &kind, &body)
    }

    fn nesting(&self) -> Vec<u8> {
        let depth = usize::try_from(1 + self.rng.below(4_000)).unwrap_or(1);
        match self.rng.below(4) {
            0 => {
                let body = format!("{{\"{POISON}\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
                self.authorized("POST", self.one(JSON_POSTS), "application/json", &body)
            }
            1 => {
                let open = "{\"a\":".repeat(depth);
                let body = format!("{{\"{POISON}\": {open}1{}}}", "}".repeat(depth));
                self.authorized("POST", self.one(JSON_POSTS), "application/json", &body)
            }
            2 => {
                let body = format!("{POISON}=1&metadata{}=1", "[a]".repeat(depth));
                let kind = "application/x-www-form-urlencoded";
                self.authorized("POST", self.one(POSTS), kind, &body)
            }
            _ => {
                let path =
                    format!("{}?expand[]={}x", self.one(LISTS), "data.".repeat(depth.min(2_000)));
                self.authorized("GET", &path, "text/plain", "")
            }
        }
    }

    fn size(&self) -> Vec<u8> {
        let bytes = usize::try_from(1 + self.rng.below(700_000)).unwrap_or(1);
        let kind = "application/x-www-form-urlencoded";
        match self.rng.below(4) {
            0 => {
                let body = format!("{POISON}=1&name={}", "a".repeat(bytes));
                self.authorized("POST", self.one(POSTS), kind, &body)
            }
            1 => {
                let pairs: String = repeated(bytes / 300, |number| format!("a[{number}]=1&"));
                self.authorized("POST", self.one(POSTS), kind, &format!("{pairs}{POISON}=1"))
            }
            2 => {
                let path = format!("{}?limit={}", self.one(LISTS), "9".repeat(bytes / 8));
                self.authorized("GET", &path, "text/plain", "")
            }
            _ => {
                let headers =
                    format!("authorization: Bearer {KEY}\r\nx-a: {}\r\n", "a".repeat(bytes));
                request(self.address, "GET", self.one(LISTS), &headers, "").into_bytes()
            }
        }
    }

    fn noise(&self) -> Vec<u8> {
        let byte = |bound: u64| u8::try_from(self.rng.below(bound)).unwrap_or(0);
        if self.rng.one_in(2) {
            return (0..=self.rng.below(2_000)).map(|_| byte(256)).collect();
        }
        // A well-formed request with a few changed bytes.
        let body = format!("{POISON}=1");
        let mut bytes =
            self.authorized("POST", "/v1/unknown", "application/x-www-form-urlencoded", &body);
        for _ in 0..=self.rng.below(6) {
            let index = self.rng.index(&bytes);
            bytes[index] = byte(256);
        }
        bytes
    }
}

/// The texts of the numbers below a count, one after the other.
fn repeated(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal seeds give equal requests.
    #[test]
    fn a_seed_repeats_its_requests() {
        let requests = |seed| {
            let generator = Generator { rng: SeededRng::new(seed), address: "127.0.0.1:1" };
            let parts = Part::ALL.into_iter().cycle().take(100);
            parts.map(|part| generator.request(part)).collect::<Vec<_>>()
        };
        assert_eq!(requests(1), requests(1));
        assert_ne!(requests(1), requests(2));
    }
}
