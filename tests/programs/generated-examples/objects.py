"""Fresh objects in the place of an example's placeholders."""

from judging import HELPERS, every, get, post, settled

LINK = f"{HELPERS}/financial_connections/link"
METHOD_ONLY = (
    "payment_method_options[us_bank_account][financial_connections][permissions][]",
    "payment_method",
)
# A bank account that is typed, so that it must be verified by two small deposits.
DEPOSITS = [
    ("payment_method_data[type]", "us_bank_account"),
    ("payment_method_data[billing_details][name]", "Jenny Rosen"),
    ("payment_method_data[us_bank_account][routing_number]", "110000000"),
    ("payment_method_data[us_bank_account][account_number]", "000123456789"),
    ("payment_method_data[us_bank_account][account_holder_type]", "individual"),
    ("mandate_data[customer_acceptance][type]", "offline"),
    ("confirm", "true"),
]
# The agreement of the customer, without which a bank account is not debited.
MANDATE = [("mandate_data[customer_acceptance][type]", "offline")]
# Placeholders whose beginning is another kind's, by the class of the call.
RENAMED = {
    ("stripe.financial_connections.", "fa"): "fca",
    ("stripe.financial_connections.Transaction", "tr"): "fctxn",
    ("stripe.checkout.Session", "sess"): "cs_test",
    ("stripe.SetupAttempt", "si"): "seti",
}


class Objects:
    """Makes an object for each placeholder that it fills."""

    def fill(self, call, text, placeholder):
        if text == "foo" and call.startswith("stripe.PaymentMethodConfiguration"):
            return post("/v1/payment_method_configurations", name="Other")["id"]
        match = placeholder.fullmatch(text)
        if not match:
            return text
        kind = match["kind"]
        for (beginning, old), new in RENAMED.items():
            if kind == old and call.startswith(beginning):
                kind = new
        make = getattr(self, kind, None)
        return make(call) if make else text

    def cus(self, call=""):
        if call.startswith("stripe.Subscription.create("):
            return self.payer()
        return post("/v1/customers", email="jenny.rosen@example.com")["id"]

    def payer(self):
        """A customer with a default payment method."""
        method = get(f"/v1/payment_methods/{self.pm('')}")
        default = ("invoice_settings[default_payment_method]", method["id"])
        return post(f"/v1/customers/{method['customer']}", default)["id"]

    def fcsess(self, _=None):
        permissions = ["balances", "ownership", "payment_method", "transactions"]
        holder = ("account_holder[type]", "customer"), ("account_holder[customer]", self.cus())
        return post("/v1/financial_connections/sessions", *holder, permissions=permissions)["id"]

    def fca(self, call):
        linked = post(LINK, carrier=self.fcsess())
        self.account = linked["accounts"]["data"][0]["id"]
        if ".Transaction." in call:
            path = f"/v1/financial_connections/accounts/{self.account}"
            post(f"{path}/refresh", features=["transactions"])
            settled()
        return self.account

    def fctxn(self, call):
        account = self.fca(call)
        return get("/v1/financial_connections/transactions", account=account)["data"][0]["id"]

    def pi(self, call):
        if ".verify_microdeposits(" in call:
            return post(
                "/v1/payment_intents", *DEPOSITS, customer=self.cus(), amount=2000, currency="usd"
            )["id"]
        customer = self.cus()
        return post(
            "/v1/payment_intents", METHOD_ONLY, amount=2000, currency="usd", customer=customer
        )["id"]

    def seti(self, call):
        if ".verify_microdeposits(" in call:
            return post("/v1/setup_intents", *DEPOSITS, customer=self.cus())["id"]
        return post("/v1/setup_intents", METHOD_ONLY, customer=self.cus())["id"]

    def pm(self, call):
        if ".attach(" in call:
            return "pm_usBankAccount_success"
        intent = self.seti("")
        post(LINK, carrier=intent)
        method = post(f"/v1/setup_intents/{intent}/confirm", *MANDATE)["payment_method"]
        return method

    def paid(self, *pairs):
        intent = self.pi("")
        post(LINK, *pairs, carrier=intent)
        confirmed = post(f"/v1/payment_intents/{intent}/confirm", *MANDATE)
        settled()
        return confirmed

    def ch(self, call):
        return self.paid()["latest_charge"]

    def dp(self, call):
        intent = self.paid(("accounts[]", "Success (Later Disputed)"))
        return get("/v1/disputes", payment_intent=intent["id"])["data"][0]["id"]

    def mandate(self, call):
        charge = get(f"/v1/charges/{self.ch(call)}")
        return charge["payment_method_details"]["us_bank_account"]["mandate"]

    def prod(self, _=None):
        return post("/v1/products", name="Gold")["id"]

    def price(self, call):
        recurring = {} if ".checkout." in call else {"recurring[interval]": "month"}
        return post(
            "/v1/prices", *recurring.items(), currency="usd", unit_amount=2000, product=self.prod()
        )["id"]

    def sub(self, call=""):
        items = ("items[0][price]", self.price(""))
        return post(
            "/v1/subscriptions", items, customer=self.cus(), payment_behavior="default_incomplete"
        )["id"]

    def si(self, call):
        return get("/v1/subscription_items", subscription=self.sub())["data"][0]["id"]

    def invoice(self):
        draft = post("/v1/invoices", customer=self.cus())
        self.ii_of(draft)
        return draft["id"]

    def ii_of(self, draft):
        item = {
            "customer": draft["customer"],
            "invoice": draft["id"],
            "amount": 2000,
            "currency": "usd",
        }
        return post("/v1/invoiceitems", **item)["id"]

    def ii(self, call):
        return self.ii_of(post("/v1/invoices", customer=self.cus()))

    def needs_final(self, call):
        return any(
            word in call
            for word in [".pay(", ".void_invoice(", ".mark_uncollectible(", ".send_invoice("]
        )

    def __getattr__(self, name):
        # `in` is a word of Python.
        if name == "in":
            return self.in_
        raise AttributeError(name)

    def in_(self, call):
        invoice = self.invoice()
        if self.needs_final(call):
            post(f"/v1/invoices/{invoice}/finalize")
        if ".pay(" in call:
            post(LINK, carrier=invoice)
        return invoice

    def cs_test(self, call):
        line = [
            ("line_items[0][quantity]", 1),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", 2000),
            ("line_items[0][price_data][product_data][name]", "Gold"),
        ]
        return post(
            "/v1/checkout/sessions", *line, mode="payment", success_url="https://example.com/done"
        )["id"]

    def acct(self, _=None):
        wanted = ("capabilities[transfers][requested]", "true")
        self.connected = post("/v1/accounts", wanted, type="custom", country="US")["id"]
        return self.connected

    def btok(self, call):
        fields = {
            "country": "US",
            "currency": "usd",
            "account_holder_name": "Jenny Rosen",
            "account_holder_type": "individual",
            "routing_number": "110000000",
            "account_number": "000123456789",
        }
        return post(
            "/v1/tokens", *[(f"bank_account[{name}]", value) for name, value in fields.items()]
        )["id"]

    def tok(self, call):
        return self.btok(call)

    def re(self, call):
        return post("/v1/refunds", charge=self.ch(call))["id"]

    def ba(self, call):
        # The account was filled before.
        path = f"/v1/accounts/{self.connected}/external_accounts"
        first = post(path, external_account=self.btok(call))["id"]
        if ".delete_" in call:
            post(path, external_account=self.btok(call), default_for_currency="true")
        return first

    def clock(self, call):
        # The examples advance to fixed times.
        start = 100 if "frozen_time=142" in call else 1_675_465_861
        return post(f"{HELPERS}/test_clocks", frozen_time=start)["id"]

    def evt(self, call):
        self.cus()
        return every("/v1/events")[0]["id"]

    def we(self, call):
        return post("/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"])[
            "id"
        ]

    def fcaowns(self, call):
        path = f"/v1/financial_connections/accounts/{self.account}"
        post(f"{path}/refresh", features=["ownership"])
        settled()
        return get(path)["ownership"]
