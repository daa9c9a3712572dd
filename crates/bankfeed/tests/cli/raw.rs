//! Tests of `get`, `post` and `delete`.

use crate::support::Server;

/// A customer is created, read and deleted by raw calls. The response is indented, with its keys in
/// the API's order.
#[test]
fn makes_raw_calls() {
    let server = Server::start();
    let data = ["-d", "email=ada@example.com", "-d", "metadata[order]=a=b"];
    let mut shown = server.run(&[&["post", "/v1/customers"][..], &data].concat());
    let customer = server.call("GET", "/v1/customers", "")["data"][0]["id"].clone();
    let customer = customer.as_str().unwrap();
    shown += &server.run(&["get", "customers", "-d", "limit=1", "-d", "email=nobody@example.com"]);
    shown += &server.run(&["delete", &format!("customers/{customer}")]);
    shown += &server.run(&["get", &format!("v1/customers/{customer}?expand[]=none")]);
    insta::assert_snapshot!(shown, @r#"
    $ bankfeed post /v1/customers -d email=ada@example.com -d metadata[order]=a=b
    {
      "id": "cus_0vIseXMSf66gKkPr5RRiG6Qh",
      "object": "customer",
      "address": null,
      "balance": 0,
      "created": 1767225600,
      "currency": null,
      "customer_account": null,
      "default_source": null,
      "delinquent": false,
      "description": null,
      "discount": null,
      "email": "ada@example.com",
      "invoice_prefix": null,
      "invoice_settings": {
        "custom_fields": null,
        "default_payment_method": null,
        "footer": null,
        "rendering_options": null
      },
      "livemode": false,
      "metadata": {
        "order": "a=b"
      },
      "name": null,
      "next_invoice_sequence": 1,
      "phone": null,
      "preferred_locales": [],
      "shipping": null,
      "tax_exempt": "none",
      "test_clock": null
    }
    $ bankfeed get customers -d limit=1 -d email=nobody@example.com
    {
      "object": "list",
      "data": [],
      "has_more": false,
      "url": "/v1/customers"
    }
    $ bankfeed delete customers/cus_0vIseXMSf66gKkPr5RRiG6Qh
    {
      "id": "cus_0vIseXMSf66gKkPr5RRiG6Qh",
      "object": "customer",
      "deleted": true
    }
    $ bankfeed get v1/customers/cus_0vIseXMSf66gKkPr5RRiG6Qh?expand[]=none
    {
      "error": {
        "message": "The property 'none' cannot be expanded.",
        "param": "expand",
        "type": "invalid_request_error"
      }
    }
    ! error: the server rejected the call: The property 'none' cannot be expanded.
    ends with 1
    "#);
}

/// An API error is printed, and its message ends the command with 1.
#[test]
fn prints_api_errors() {
    let server = Server::start();
    let mut shown = server.run(&["get", "/v1/customers/cus_1"]);
    shown += &server.run(&["post", "customers", "-d", "emial=ada@example.com"]);
    shown += &server.run(&["get", "customers", "--api-key", "nonsense"]);
    shown += &server.run(&["post", "customers", "-d", "email"]);
    shown += &server.run(&["get", "http://127.0.0.1:12111/v1/customers"]);
    shown += &server.run(&["delete", "customers/cus_1#x"]);
    insta::assert_snapshot!(shown, @r#"
    $ bankfeed get /v1/customers/cus_1
    {
      "error": {
        "code": "resource_missing",
        "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
        "message": "No such customer: 'cus_1'",
        "param": "id",
        "type": "invalid_request_error"
      }
    }
    ! error: the server rejected the call: No such customer: 'cus_1'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    $ bankfeed post customers -d emial=ada@example.com
    {
      "error": {
        "code": "parameter_unknown",
        "doc_url": "https://stripe.com/docs/error-codes/parameter-unknown",
        "message": "Received unknown parameter: emial. Did you mean email?",
        "param": "emial",
        "type": "invalid_request_error"
      }
    }
    ! This call takes: test_clock, address, shipping, balance, business_name, invoice_settings, description, email, individual_name, invoice_prefix, metadata, name, next_invoice_sequence, phone, preferred_locales, tax_exempt, expand. Ignored: cash_balance, source, tax, payment_method, tax_id_data.
    ! error: the server rejected the call: Received unknown parameter: emial. Did you mean email?
    ends with 1
    $ bankfeed get customers --api-key nonsense
    {
      "error": {
        "message": "Invalid API key: ****",
        "type": "invalid_request_error"
      }
    }
    ! error: the server rejected the key …: Invalid API key: ****
    !   tip: Name a key with --api-key or BANKFEED_API_KEY; `bankfeed key create` issues one
    ends with 1
    $ bankfeed post customers -d email
    ! error: invalid value 'email' for '--data <KEY=VALUE>': a parameter looks like email=ada@example.com or metadata[order]=7
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed get http://127.0.0.1:12111/v1/customers
    ! error: invalid value 'http://127.0.0.1:12111/v1/customers' for '<PATH>': a path looks like /v1/customers; name the server with --api-base
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed delete customers/cus_1#x
    ! error: invalid value 'customers/cus_1#x' for '<PATH>': a URL ends at #; write %23 for it
    !
    ! For more information, try '--help'.
    ends with 2
    "#);
}

/// Parameters of the path and of `-d` add up, for each method.
#[test]
fn a_path_can_have_parameters() {
    let server = Server::start();
    let customer = server.run(&["post", "customers?email=ada@example.com", "-d", "name=Ada"]);
    assert!(customer.contains("\"email\": \"ada@example.com\""), "{customer}");
    assert!(customer.contains("\"name\": \"Ada\""), "{customer}");
    server.run(&["post", "customers", "-d", "email=ada@example.com"]);
    for path in ["customers?email=ada@example.com", "customers?email=ada%40example.com&"] {
        let list = server.run(&["get", path, "-d", "limit=1"]);
        assert_eq!(list.matches("\"object\": \"customer\"").count(), 1, "{list}");
        assert!(list.contains("\"has_more\": true"), "{list}");
    }
}

/// Flags set the headers of a call: version, connected account and idempotency key.
#[test]
fn flags_set_headers() {
    let server = Server::start();
    let one = ["post", "customers", "--idempotency-key", "one"];
    let [first, second] = [0, 1].map(|_| server.run(&one));
    assert_eq!(first, second);
    let other = server.run(&["post", "customers", "--idempotency-key", "one", "-d", "name=Ada"]);
    assert!(other.contains("ends with 1"), "{other}");

    let connected = server.call("POST", "/v1/accounts", "type=custom&country=US");
    let connected = connected["id"].as_str().unwrap();
    server.run(&["post", "customers", "--account", connected]);
    for (account, customers) in [(&["--account", connected][..], 1), (&[], 1)] {
        let list = server.command(&[&["get", "customers"], account].concat()).output().unwrap();
        let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
        assert_eq!(list["data"].as_array().unwrap().len(), customers);
    }

    let event = |version: &str| {
        server.run(&["get", "financial_connections/accounts", "--api-version", version])
    };
    assert!(event("2026-08-26.dahlia").contains("\"object\": \"list\""));
    assert!(event("1999-01-01").contains("ends with 1"));
}

/// A flag that cannot be sent as a header is a usage error, which names the flag. The usual cause is
/// a key with the line break of its file.
#[test]
fn header_values_are_checked() {
    let server = Server::start();
    for flag in ["--api-key", "--account", "--idempotency-key"] {
        let rejected = server.run(&["post", "customers", flag, "one\n"]);
        assert!(
            rejected.contains(&format!("the value of {flag} contains a line break")),
            "{rejected}"
        );
        assert!(rejected.contains("ends with 2"), "{rejected}");
    }
}
