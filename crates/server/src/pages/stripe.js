// A replacement for Stripe.js: defines window.Stripe for pages that collect bank accounts.
//
// It calls the server that served this file, with a publishable key and a client secret, and shows
// the link flow in a frame above the page. A page includes it before any code that uses
// window.Stripe. Then loadStripe of @stripe/stripe-js uses the existing object.
//
// Every method resolves to its object or to { error }, as in Stripe.js. An unsupported method
// throws an error that names the method.
"use strict";

(() => {
  const SERVER = new URL(document.currentScript.src).origin;
  // The API release that this file is written for. loadStripe compares it with its own.
  const RELEASE = "endive";
  // Outcomes of a flow for which the carrier contains all further details.
  const ENDS = ["succeeded", "cancelled", "failed", "closed"];
  // Properties that programs read from every object. Defining them would change the object's type.
  const NOT_METHODS = ["then", "catch", "finally", "toJSON", "nodeType", "constructor", "prototype"];

  const failure = (message, more = {}) => ({
    error: { type: "invalid_request_error", message, ...more },
  });

  // An error of the page's program, which Stripe.js throws at once.
  const integrationError = (message) => Object.assign(new Error(message), { name: "IntegrationError" });

  // ---- The API ----

  // Yields the names and values of a form, nested in brackets. Absent values are omitted.
  function* pairs(value, name) {
    if (value === undefined || value === null) return;
    if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) {
        yield* pairs(inner, name ? `${name}[${key}]` : key);
      }
    } else {
      yield [name, String(value)];
    }
  }

  class Api {
    constructor(key, options) {
      this.headers = { Authorization: `Bearer ${key}` };
      if (options.apiVersion) this.headers["Stripe-Version"] = options.apiVersion;
      if (options.stripeAccount) this.headers["Stripe-Account"] = options.stripeAccount;
    }

    get(path, params) {
      return this.call("GET", `${path}?${new URLSearchParams([...pairs(params)])}`);
    }

    post(path, params) {
      return this.call("POST", path, new URLSearchParams([...pairs(params)]));
    }

    // Returns the object, or an object with { error }.
    async call(method, path, body) {
      const request = { method, body, headers: this.headers, credentials: "omit" };
      try {
        const response = await fetch(SERVER + path, request);
        const answer = await response.json();
        if (!answer.error) return answer;
        const more = { requestId: response.headers.get("Request-Id") };
        return { error: { ...answer.error, ...more } };
      } catch {
        const message = "The connection to the server failed. Try again.";
        return failure(message, { type: "api_connection_error" });
      }
    }
  }

  // ---- The frame ----

  const DIALOG_STYLE = {
    position: "fixed", inset: "0", width: "100%", height: "100%", maxWidth: "none",
    maxHeight: "none", margin: "0", padding: "0", border: "0", boxSizing: "border-box",
    display: "grid", placeItems: "center", overflow: "hidden", background: "rgb(0 0 0 / 0.5)",
  };
  const FRAME_STYLE = {
    width: "min(100%, 28rem)", height: "min(100%, 44rem)", border: "0", display: "block",
    background: "Canvas", colorScheme: "light dark",
  };

  const PANEL_STYLE = {
    padding: "1.5rem", borderRadius: "0.75rem", background: "Canvas", color: "CanvasText",
    colorScheme: "light dark", font: "1rem system-ui, sans-serif",
  };

  // Shows a flow in a separate window, for a merchant's page with a policy that forbids frames.
  // Returns a function that returns the window, or null while the browser blocks it. Then the
  // holder has to click the button.
  function showWindow(url, dialog, leave) {
    let shown = null;
    const begin = () => {
      shown = window.open(`${url}?frame=1`, "bankfeed-link", "popup,width=480,height=760");
    };
    const button = (label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = label;
      Object.assign(made.style, { font: "inherit", padding: "0.6rem 1rem", cursor: "pointer" });
      made.addEventListener("click", act);
      return made;
    };
    const panel = document.createElement("div");
    Object.assign(panel.style, PANEL_STYLE);
    const text = document.createElement("p");
    text.textContent = "Link your bank account in the window that opened.";
    panel.append(text, button("Open the window", begin), " ", button("Leave", leave));
    dialog.replaceChildren(panel);
    dialog.removeAttribute("aria-busy");
    begin();
    return () => shown;
  }

  let open = false;

  // Shows a flow above the page until it reports its outcome.
  function showFlow(url) {
    const { origin } = new URL(url);
    const dialog = document.createElement("dialog");
    const frame = document.createElement("iframe");
    Object.assign(dialog.style, DIALOG_STYLE);
    Object.assign(frame.style, FRAME_STYLE);
    // The frame is a sheet on wide screens and fills the screen on phones.
    if (window.innerWidth > 480) frame.style.borderRadius = "0.75rem";
    dialog.setAttribute("aria-label", "Link your bank account");
    frame.title = "Link your bank account";
    frame.src = `${url}?frame=1`;
    dialog.setAttribute("aria-busy", "true");
    dialog.append(frame);
    document.body.append(dialog);
    // A modal dialog keeps focus inside and makes everything behind it unreachable.
    dialog.showModal();
    const scrolled = document.documentElement.style.overflow;
    document.documentElement.style.overflow = "hidden";

    return new Promise((resolve) => {
      let loaded = false;
      let ended = false;
      let place = () => frame.contentWindow;
      let apart = false;
      const close = (status) => {
        if (ended) return;
        ended = true;
        window.removeEventListener("message", hear);
        document.removeEventListener("securitypolicyviolation", refused);
        if (apart) place()?.close();
        document.documentElement.style.overflow = scrolled;
        dialog.close();
        dialog.remove();
        resolve(status);
      };
      const hear = (event) => {
        // Messages are accepted only from the displayed page, and only while it is on the server's
        // origin.
        if (event.origin !== origin || event.source !== place()) return;
        if (event.data?.source === "bankfeed" && typeof event.data.status === "string") {
          close(event.data.status);
        }
      };
      window.addEventListener("message", hear);
      const refused = (event) => {
        if (apart || event.effectiveDirective !== "frame-src") return;
        if (!event.blockedURI.startsWith(origin)) return;
        apart = true;
        place = showWindow(url, dialog, () => close("cancelled"));
      };
      document.addEventListener("securitypolicyviolation", refused);
      frame.addEventListener("load", () => {
        if (apart) return;
        loaded = true;
        dialog.removeAttribute("aria-busy");
        frame.focus();
      });
      // On Escape the page of the flow ends the flow itself, so that the server records it too.
      const leave = (event) => {
        event.preventDefault();
        if (loaded && !apart) place().postMessage({ source: "bankfeed-leave" }, origin);
        else close("cancelled");
      };
      dialog.addEventListener("cancel", leave);
      dialog.addEventListener("keydown", (event) => {
        if (event.key === "Escape") leave(event);
      });
      // A browser may close a dialog without a cancel event. The promise is resolved even then.
      dialog.addEventListener("close", () => close("cancelled"));
    });
  }

  // Begins a flow and waits for its end. Returns the carrier's id, or { error }.
  async function collect(api, clientSecret, more = {}) {
    if (typeof clientSecret !== "string" || clientSecret === "") {
      return failure("clientSecret is missing.", { param: "client_secret" });
    }
    if (open) return failure("Another bank account is already being linked on this page.");
    open = true;
    try {
      const params = { client_secret: clientSecret, origin: window.location.origin, ...more };
      const flow = await api.post("/v1/link_flows", params);
      if (flow.error) return flow;
      const status = await showFlow(flow.url);
      if (ENDS.includes(status)) return { carrier: flow.carrier };
      const message = "This link flow was open for too long. Start again with a new client secret.";
      return failure(message, { code: "session_expired" });
    } finally {
      open = false;
    }
  }

  // The error of an invalid preCollectedConsent, or null. The server has no consents, because they
  // are in private preview. Stripe.js shows the ordinary consent pane for a consent that it does not
  // accept, and every flow here begins with that pane.
  function consentFault({ preCollectedConsent: consent, params }) {
    const given = consent ?? params?.preCollectedConsent;
    if (given === undefined || given === null) return null;
    const isId = typeof given.consent === "string" && given.consent !== "";
    if (isId && Number.isInteger(given.collectedAt)) return null;
    const message = "preCollectedConsent takes the consent's id (fccons_…) and collectedAt in seconds.";
    return failure(message, { param: "preCollectedConsent" });
  }

  // ---- Sessions ----

  async function collectSession(api, given) {
    const fault = consentFault(given);
    if (fault) return fault;
    const { clientSecret } = given;
    const run = await collect(api, clientSecret);
    if (run.error) return run;
    const path = `/v1/financial_connections/sessions/${run.carrier}`;
    const session = await api.get(path, { client_secret: clientSecret });
    if (session.error) return session;
    // Stripe.js returns a plain array where the API returns a list.
    return { financialConnectionsSession: { ...session, accounts: session.accounts.data } };
  }

  async function collectToken(api, given) {
    const answer = await collectSession(api, given);
    if (answer.error) return answer;
    const { bank_account_token: token = null } = answer.financialConnectionsSession;
    return { ...answer, token };
  }

  // ---- Intents ----

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
      let known = await this.retrieve(secret);
      if (known.error) return known;
      const { payment_method_data: data, ...params } = confirmParams;
      // A bank account in the data is one that the page supplies. All other data describe the
      // holder.
      if (data?.us_bank_account) {
        params.payment_method_data = { type: "us_bank_account", ...data };
      } else if (!params.payment_method && !params.confirmation_token && !known[this.kind.name].payment_method) {
        const billing = elements?.billingDetails ?? data?.billing_details;
        const told = { payment_method_data: { billing_details: billing } };
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

  // ---- Confirmation tokens ----

  // Makes a confirmation token from the account of the params, or the one that the element linked.
  async function makeToken(api, { elements, params = {} }) {
    const { payment_method_data: data, payment_method: method, ...more } = params;
    const usage = elements?.setupFutureUsage;
    const given = { setup_future_usage: usage, ...more };
    const linked = elements?.getElement("payment")?.linked;
    if (data?.us_bank_account) {
      given.payment_method_data = { type: TYPE, ...data };
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

  // ---- Checkout ----

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

  // ---- Elements ----

  const BOX_STYLE = {
    display: "flex", flexWrap: "wrap", alignItems: "center", gap: "0.75rem", padding: "0.75rem",
    border: "1px solid #7c8898", borderRadius: "0.625rem", font: "inherit",
  };
  const BUTTON_STYLE = { font: "inherit", minHeight: "2.75rem", padding: "0 1rem" };
  const TYPE = "us_bank_account";

  // The only element: a bank account. With a client secret its button links an account at once.
  // Without one, an account is linked when the form is confirmed.
  class PaymentElement {
    constructor(link) {
      this.link = link;
      this.listeners = new Map();
      this.box = null;
      this.linked = null;
    }

    mount(place) {
      const parent = typeof place === "string" ? document.querySelector(place) : place;
      if (!parent) throw new Error(`mount: nothing on the page matches ${place}.`);
      this.unmount();
      this.box = document.createElement("div");
      Object.assign(this.box.style, BOX_STYLE);
      this.text = document.createElement("span");
      // Screen readers announce the change.
      this.text.setAttribute("role", "status");
      this.text.style.flex = "1 1 auto";
      this.box.append(this.text);
      if (this.link) {
        this.button = document.createElement("button");
        this.button.type = "button";
        Object.assign(this.button.style, BUTTON_STYLE);
        this.button.addEventListener("click", () => this.collect());
        this.box.append(this.button);
      }
      this.show();
      parent.append(this.box);
      setTimeout(() => {
        this.tell("ready", { elementType: "payment" });
        this.changed();
      });
    }

    show() {
      const account = this.linked?.us_bank_account;
      const bank = account?.bank_name ?? "US bank account";
      this.text.textContent = account?.last4 ? `${bank} •••• ${account.last4}` : "US bank account";
      if (this.button) this.button.textContent = account ? "Change" : "Link your bank account";
    }

    async collect() {
      this.button.disabled = true;
      const { error, method } = await this.link();
      this.button.disabled = false;
      if (error) {
        this.tell("loaderror", { elementType: "payment", error });
        return;
      }
      this.linked = method ?? this.linked;
      if (!this.box) return;
      this.show();
      this.button.focus();
      this.changed();
    }

    changed() {
      const complete = !this.link || this.linked !== null;
      const value = { type: TYPE };
      this.tell("change", { elementType: "payment", empty: !complete, complete, collapsed: false, value });
    }

    tell(name, detail) {
      for (const listener of [...(this.listeners.get(name) ?? [])]) listener(detail);
    }

    unmount() {
      this.box?.remove();
      this.box = null;
    }

    destroy() {
      this.unmount();
      this.listeners.clear();
    }

    update() {}

    on(name, listener) {
      const heard = this.listeners.get(name) ?? [];
      this.listeners.set(name, [...heard, listener]);
      return this;
    }

    once(name, listener) {
      const first = (detail) => {
        this.off(name, first);
        listener(detail);
      };
      return this.on(name, first);
    }

    off(name, listener) {
      const heard = this.listeners.get(name) ?? [];
      this.listeners.set(name, listener ? heard.filter((one) => one !== listener) : []);
      return this;
    }

    focus() {
      this.button?.focus();
    }

    blur() {
      this.button?.blur();
    }

    collapse() {}
  }

  // Rejects options of payment method types that the release does not have, or that offer no bank
  // account. With an intent, the intent has the types.
  function checkTypes(method, options, hasIntent) {
    if (hasIntent) return;
    if (options.paymentMethodTypes !== undefined) {
      throw integrationError(
        `${method}: paymentMethodTypes is no option any more. Use allowedPaymentMethodTypes.`,
      );
    }
    const allowed = options.allowedPaymentMethodTypes;
    if (allowed && !allowed.includes(TYPE)) {
      throw integrationError(`${method}: allowedPaymentMethodTypes must include ${TYPE}.`);
    }
  }

  function makeElements(intentsOf, options = {}) {
    const made = new Map();
    const { clientSecret, mode } = options;
    if (clientSecret && mode) throw new Error("elements: give clientSecret, or mode, not both.");
    checkTypes("elements", options, Boolean(clientSecret));
    // Links an account to the intent, and returns the resulting payment method.
    const link = async () => {
      const intents = intentsOf(clientSecret);
      const run = await intents.collect({ clientSecret, expand: ["payment_method"] });
      return run.error ? run : { method: run[intents.kind.name].payment_method };
    };
    const elements = named("elements", {
      clientSecret,
      billingDetails: undefined,
      get setupFutureUsage() {
        return options.setupFutureUsage ?? undefined;
      },
      create(type, given = {}) {
        if (type !== "payment") throw new Error(`elements.create: there is no element "${type}".`);
        if (made.has(type)) throw new Error(`elements.create: there is one "${type}" already.`);
        elements.billingDetails = given.defaultValues?.billingDetails;
        made.set(type, new PaymentElement(clientSecret ? link : null));
        return made.get(type);
      },
      getElement: (type) => made.get(type) ?? null,
      update(changes = {}) {
        checkTypes("elements.update", changes, false);
        Object.assign(options, changes);
      },
      fetchUpdates: async () => ({}),
      // The button or the confirmation of the form links the account, so this has no checks to do.
      submit: async () => ({ selectedPaymentMethod: TYPE }),
      on() {},
    });
    return elements;
  }

  // ---- Public objects ----

  // An object with missing methods that throw an error with their name.
  function named(name, methods) {
    return new Proxy(methods, {
      get(target, property) {
        if (property in target) return target[property];
        const silent = typeof property !== "string" || /^[_$@]/.test(property);
        if (silent || NOT_METHODS.includes(property)) return undefined;
        return () => {
          throw new Error(`${name}.${property} is not available: this server collects bank accounts.`);
        };
      },
    });
  }

  window.Stripe = function Stripe(publishableKey, options = {}) {
    if (typeof publishableKey !== "string" || !publishableKey.startsWith("pk_")) {
      throw new Error("Stripe(): pass a publishable key, which begins with pk_. Secret keys stay on the server.");
    }
    const api = new Api(publishableKey, options);
    const payments = new Intents(api, PAYMENT);
    const setups = new Intents(api, SETUP);
    const ofSecret = (secret) => (String(secret).startsWith(SETUP.prefix) ? setups : payments);

    return named("stripe", {
      collectFinancialConnectionsAccounts: (given = {}) => collectSession(api, given),
      collectBankAccountToken: (given = {}) => collectToken(api, given),

      collectBankAccountForPayment: (given = {}) => payments.collect(given),
      collectBankAccountForSetup: (given = {}) => setups.collect(given),
      confirmUsBankAccountPayment: (secret, data) => payments.confirm(secret, data),
      confirmUsBankAccountSetup: (secret, data) => setups.confirm(secret, data),
      verifyMicrodepositsForPayment: (secret, deposits) => payments.verify(secret, deposits),
      verifyMicrodepositsForSetup: (secret, deposits) => setups.verify(secret, deposits),
      retrievePaymentIntent: (secret) => payments.retrieve(secret),
      retrieveSetupIntent: (secret) => setups.retrieve(secret),

      confirmPayment: (given = {}) => payments.complete(given),
      confirmSetup: (given = {}) => setups.complete(given),
      createConfirmationToken: (given = {}) => makeToken(api, given),
      handleNextAction: ({ clientSecret } = {}) => ofSecret(clientSecret).goOn(clientSecret),
      redirectToCheckout: (given = {}) => toCheckout(api, given),

      elements: (given) => makeElements(ofSecret, given),
      registerAppInfo() {},
      _registerWrapper() {},
    });
  };
  window.Stripe.version = RELEASE;
})();
