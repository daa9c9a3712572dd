// Intents, confirmation tokens, and the page of a Checkout Session.

const PAYMENT = { name: "paymentIntent", prefix: "pi_", path: "/v1/payment_intents" };
const SETUP = { name: "setupIntent", prefix: "seti_", path: "/v1/setup_intents" };

// The calls of one kind of intent.
class Intents {
  constructor(api, kind) {
    this.api = api;
    this.kind = kind;
  }

  // Sends a call and returns { paymentIntent } or { setupIntent }, or { error }.
  async send(clientSecret, verb, action, params) {
    const { name, prefix, path } = this.kind;
    const id = typeof clientSecret === "string" ? clientSecret.split("_secret_")[0] : "";
    if (!id.startsWith(prefix)) {
      const message = `The client secret of a ${name} begins with ${prefix}.`;
      return failure(message, { param: "client_secret" });
    }
    const given = { ...params, client_secret: clientSecret };
    const answer = await this.api[verb](`${path}/${encodeURIComponent(id)}${action}`, given);
    return answer.error ? answer : { [name]: answer };
  }

  retrieve(clientSecret, expand) {
    return this.send(clientSecret, "get", "", { expand });
  }

  async collect({ clientSecret, params, expand, preCollectedConsent }) {
    const fault = consentFault({ preCollectedConsent, params });
    if (fault) return fault;
    const wanted = params?.payment_method_type ?? "us_bank_account";
    if (wanted !== "us_bank_account") {
      const message = `This server collects us_bank_account, not ${wanted}.`;
      return failure(message, { param: "payment_method_type" });
    }
    const known = await this.retrieve(clientSecret);
    if (known.error) return known;
    const details = params?.payment_method_data?.billing_details;
    const run = await collect(this.api, clientSecret, { billing_details: details });
    return run.error ? run : this.retrieve(clientSecret, expand);
  }

  // The holder's acceptance of the debit, which a confirmation in a browser carries.
  accepted(params) {
    if (params.mandate_data || params.mandate) return params;
    const online = { user_agent: window.navigator.userAgent };
    return { ...params, mandate_data: { customer_acceptance: { type: "online", online } } };
  }

  confirm(clientSecret, data = {}) {
    const { payment_method: method, ...params } = data;
    if (method && typeof method === "object") {
      params.payment_method_data = { type: "us_bank_account", ...method };
    } else {
      params.payment_method = method;
    }
    return this.send(clientSecret, "post", "/confirm", this.accepted(params));
  }

  verify(clientSecret, deposits) {
    return this.send(clientSecret, "post", "/verify_microdeposits", deposits);
  }

  // Confirms the intent for a form. First collects an account if the intent has no payment
  // method. Then opens the return URL, unless the page wants this only if required.
  async complete({ elements, clientSecret, confirmParams = {}, redirect = "always" }) {
    const secret = clientSecret ?? elements?.clientSecret;
    const { payment_method_data: data, ...params } = confirmParams;
    const element = elements?.getElement("payment");
    const details = { ...element?.billingDetails, ...data?.billing_details };
    const fault = data?.us_bank_account ? null : checkDetails(element, details);
    if (fault) return fault;
    let known = await this.retrieve(secret);
    if (known.error) return known;
    const changed = changedMethod(element, details);
    // A bank account in the data is one that the page supplies. All other data describe the
    // holder.
    if (data?.us_bank_account) {
      params.payment_method_data = { type: TYPE, ...data };
    } else if (changed) {
      params.payment_method_data = changed;
    } else if (!params.payment_method && !params.confirmation_token && !known[this.kind.name].payment_method) {
      const told = { payment_method_data: { billing_details: details } };
      known = await this.collect({ clientSecret: secret, params: told });
      if (known.error) return known;
      if (!known[this.kind.name].payment_method) {
        return failure("No bank account was linked.", { code: "payment_method_missing" });
      }
    }
    const answer = await this.send(secret, "post", "/confirm", this.accepted(params));
    if (answer.error || redirect === "if_required" || !confirmParams.return_url) return answer;
    const next = new URL(confirmParams.return_url, window.location.href);
    const word = this.kind === PAYMENT ? "payment_intent" : "setup_intent";
    next.searchParams.set(word, answer[this.kind.name].id);
    next.searchParams.set(`${word}_client_secret`, secret);
    next.searchParams.set("redirect_status", outcomeOf(answer[this.kind.name].status));
    return leaveFor(next);
  }

  // Opens the page for the intent's next action, which asks for its deposits.
  async goOn(clientSecret) {
    const known = await this.retrieve(clientSecret);
    if (known.error) return known;
    const deposits = known[this.kind.name].next_action?.verify_with_microdeposits;
    return deposits ? leaveFor(deposits.hosted_verification_url) : known;
  }
}

// Shows the faults of the element's fields. Throws if the element has no field for a detail that a
// debit needs, and the page does not pass it.
function checkDetails(element, details) {
  if (!element) return null;
  for (const name of ["name", "email"]) {
    if (!hasField(element.options, name) && details[name] === undefined) {
      throw integrationError(
        `The element has no field for the ${name}, because fields.billingDetails.${name} is "never". ` +
        `Pass it in payment_method_data.billing_details.${name}.`,
      );
    }
  }
  return element.validate();
}

// A payment method of the linked account with other details than at the link, or null. The details
// of a payment method can be changed with a secret key only.
function changedMethod(element, details) {
  const account = element?.linked?.us_bank_account?.financial_connections_account;
  if (!account || element.linkedFor === JSON.stringify(details)) return null;
  return { type: TYPE, billing_details: details, us_bank_account: { financial_connections_account: account } };
}

// Makes a confirmation token from the account of the params, or the one that the element linked.
async function makeToken(api, { elements, params = {} }) {
  const { payment_method_data: data, payment_method: method, ...more } = params;
  const usage = elements?.setupFutureUsage;
  const given = { setup_future_usage: usage, ...more };
  const element = elements?.getElement("payment");
  const details = { ...element?.billingDetails, ...data?.billing_details };
  const linked = element?.linked;
  const fault = data?.us_bank_account || method ? null : checkDetails(element, details);
  if (fault) return fault;
  const changed = method ? null : changedMethod(element, details);
  if (data?.us_bank_account) {
    given.payment_method_data = { type: TYPE, ...data };
  } else if (changed) {
    given.payment_method_data = changed;
  } else if (method ?? linked) {
    given.payment_method = method ?? linked.id;
  } else {
    const message = "No bank account was linked. Link one by the button of the element, or give " +
      "params.payment_method or params.payment_method_data.us_bank_account.";
    return failure(message, { code: "payment_method_missing" });
  }
  const token = await api.post("/v1/test_helpers/confirmation_tokens", given);
  return token.error ? token : { confirmationToken: token };
}

// Opens the page of a Checkout Session, for pages that know only its id.
async function toCheckout(api, { sessionId }) {
  if (typeof sessionId !== "string" || sessionId === "") {
    return failure("redirectToCheckout takes the sessionId of a Checkout Session.", { param: "sessionId" });
  }
  const page = await api.get(`/v1/checkout/sessions/${encodeURIComponent(sessionId)}/page`);
  if (page.error) return page;
  if (!page.url) return failure("This Checkout Session is complete or has expired.");
  return leaveFor(page.url);
}

// The outcome of a confirmed intent for the return URL. A running debit has not failed yet.
function outcomeOf(status) {
  if (status === "requires_action") return "pending";
  return status === "succeeded" || status === "processing" ? "succeeded" : "failed";
}

// The browser leaves the page, so the promise never resolves.
function leaveFor(url) {
  window.location.assign(url);
  return new Promise(() => {});
}
