"""What goes wrong: errors of each type, a forged webhook, a connection that is cut. And pages, which end."""

from cut_once import CutOnce


def webhooks_are_signed(bench):
    """With the secret of the endpoint, and no other; a changed body is not what was signed."""
    made = bench.customer()["id"]
    told = bench.inbox.wait(
        "the customer", lambda event: event["data"]["object"]["id"] == made
    )
    assert signed(bench, told)
    assert not bench.inbox.verify(told, "whsec_other")
    body, signature = bench.inbox.posts[told["id"]]
    bench.inbox.posts[told["id"]] = (body.replace(b"false", b"true", 1), signature)
    assert not signed(bench, told)


def signed(bench, event):
    return bench.inbox.verify(event, bench.secret)


def pages_are_followed_to_their_end(bench):
    account = bench.account()
    account.ended("refresh")
    page = account.call("list transactions").ok()
    rows = page["data"]
    assert page["has_more"] and len(rows) == 10, page
    for _ in range(100):
        if not page["has_more"]:
            break
        page = account.call("list transactions from a row on", row_id=rows[-1]["id"]).ok()
        rows += page["data"]
    assert not page["has_more"]
    assert len({row["id"] for row in rows}) == len(rows) > 100, len(rows)


def errors_of_each_type(bench):
    curl = bench.curl
    account = bench.account()
    refused(account.call("refresh nothing"), 400, "invalid_request_error", "parameter_missing")
    key = curl.key
    curl.key = "sk_wrong"
    refused(curl("list customers", customer_email="a@b.c"), 401, "invalid_request_error", None)
    curl.key = "pk_test_curl"
    browser = curl("list customers", customer_email="a@b.c")
    refused(browser, 403, "invalid_request_error", "secret_key_required")
    curl.key = key
    unknown = curl("retrieve account", financialconnectionsaccount_id="fca_none")
    refused(unknown, 404, "invalid_request_error", "resource_missing")
    once = {"key": "errors-once"}
    first = curl("create customer once", customer_email="once@example.com", **once).ok()
    assert curl("create customer once", customer_email="once@example.com", **once).ok() == first
    reused = curl("create customer once", customer_email="twice@example.com", **once)
    refused(reused, 400, "idempotency_error", None)
    curl("fail the next call", fault_kind="api_rate_limited").ok()
    limited = curl("list customers", customer_email="a@b.c")
    refused(limited, 429, "invalid_request_error", "rate_limit")
    curl("fail the next call", fault_kind="api_error_before").ok()
    refused(curl("list customers", customer_email="a@b.c"), 500, "api_error", None)


def refused(answer, status, kind, code):
    error = answer.body["error"]
    found = (answer.status, error["type"], error.get("code"))
    assert found == (status, kind, code), answer


def a_cut_connection_is_tried_again(bench):
    """The work is done once, because of the idempotency key that the test adds."""
    front = CutOnce(bench.server.port)
    address = {"customer_email": "cut@example.com"}
    made = bench.curl.through(front.port)("create customer once", key="curl-cut", **address).ok()
    front.close()
    listed = bench.curl("list customers", **address).ok()["data"]
    assert [customer["id"] for customer in listed] == [made["id"]], listed


CHECKS = [
    webhooks_are_signed,
    pages_are_followed_to_their_end,
    errors_of_each_type,
    a_cut_connection_is_tried_again,
]
