"""effaced-stripe exports the personal data of a customer, and erases it."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from effaced import SubjectRef  # noqa: E402
from effaced.exceptions import ResolverError  # noqa: E402
from effaced_stripe import StripeResolver  # noqa: E402
from judging import HELPERS, KEY, Judge, get, post  # noqa: E402

# The agreement of the customer, without which a bank account is not debited.
MANDATE = ("mandate_data[customer_acceptance][type]", "offline")


async def main():
    judge = Judge("effaced-stripe 0.1.0")
    customer = post(
        "/v1/customers",
        ("address[line1]", "510 Townsend St"),
        ("address[city]", "San Francisco"),
        ("shipping[name]", "Jenny Rosen"),
        ("shipping[address][line1]", "27 Fredrick Ave"),
        email="jenny@example.com",
        name="Jenny Rosen",
        phone="+15555550100",
    )["id"]
    setup = post(
        "/v1/setup_intents",
        (
            "payment_method_options[us_bank_account][financial_connections][permissions][]",
            "payment_method",
        ),
        customer=customer,
    )["id"]
    post(f"{HELPERS}/financial_connections/link", carrier=setup)
    method = post(f"/v1/setup_intents/{setup}/confirm", MANDATE)["payment_method"]

    resolver = StripeResolver(KEY)
    subject = SubjectRef(kind="stripe", value=customer)
    exported = await resolver.export_subject(subject)
    seen = {record.field: record.value for record in exported.records}
    of_customer = {name: value for name, value in seen.items() if name.startswith("customer.")}
    expected = {
        "customer.email": "jenny@example.com",
        "customer.name": "Jenny Rosen",
        "customer.phone": "+15555550100",
        "customer.address.line1": "510 Townsend St",
        "customer.address.city": "San Francisco",
        "customer.shipping.name": "Jenny Rosen",
        "customer.shipping.address.line1": "27 Fredrick Ave",
    }
    judge.equal("the customer is exported", of_customer, expected)
    judge.equal(
        "the payment method is exported", seen[f"payment_method.{method}.type"], "us_bank_account"
    )
    details = get(f"/v1/payment_methods/{method}")["billing_details"]
    judge.equal(
        "with its holder",
        seen.get(f"payment_method.{method}.billing_details.name"),
        details["name"],
    )

    first = await resolver.erase_subject(subject)
    judge.equal("the customer is erased", first.already_absent, False)
    judge.equal("the server has deleted it", get(f"/v1/customers/{customer}").get("deleted"), True)
    again = await resolver.erase_subject(subject)
    judge.equal("erasing again finds it absent", again.already_absent, True)
    judge.equal("the export is empty", (await resolver.export_subject(subject)).records, ())
    unknown = await resolver.export_subject(SubjectRef(kind="stripe", value="cus_unknown"))
    judge.equal("an unknown customer has no data", unknown.records, ())
    try:
        await StripeResolver("nonsense").export_subject(subject)
        judge.true("a wrong key is an error", False, "no error")
    except ResolverError:
        judge.true("a wrong key is an error", True)
    judge.end()


asyncio.run(main())
