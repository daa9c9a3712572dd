// A stand-in for Stripe.js: defines window.Stripe for pages that collect bank accounts.
//
// It calls the server that this file came from, with a publishable key and a client secret, and
// shows the link flow in a frame above the page. A page includes it before anything that looks for
// window.Stripe; loadStripe of @stripe/stripe-js then takes what it finds.
//
// Every method resolves to its object or to { error }, as Stripe.js does. What this server does not
// have throws an error that names the method.
"use strict";

(() => {
  const SERVER = new URL(document.currentScript.src).origin;
  // The release of the API that this file is written for; loadStripe compares it with its own.
  const RELEASE = "endive";
  // How a run ends that has nothing more to say than its carrier.
  const ENDS = ["succeeded", "cancelled", "failed", "closed"];
  // What programs ask every object for; having it would make this object something else.
  const NOT_METHODS = ["then", "catch", "finally", "toJSON", "nodeType", "constructor", "prototype"];

  const failure = (message, more = {}) => ({
    error: { type: "invalid_request_error", message, ...more },
  });

  // ---- The API ----

  // Names and values of a form, nested in brackets; what is not given is left out.
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

    // Answers the object, or what begins with { error }.
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

  let open = false;

  // Shows a run above the page until it says how it ended.
  function showFlow(url) {
    const { origin } = new URL(url);
    const dialog = document.createElement("dialog");
    const frame = document.createElement("iframe");
    Object.assign(dialog.style, DIALOG_STYLE);
    Object.assign(frame.style, FRAME_STYLE);
    // On wide screens a sheet, on phones the whole screen.
    if (window.innerWidth > 480) frame.style.borderRadius = "0.75rem";
    dialog.setAttribute("aria-label", "Link your bank account");
    frame.title = "Link your bank account";
    frame.src = `${url}?frame=1`;
    dialog.setAttribute("aria-busy", "true");
    dialog.append(frame);
    document.body.append(dialog);
    // A modal dialog keeps focus inside and everything behind it out of reach.
    dialog.showModal();
    const scrolled = document.documentElement.style.overflow;
    document.documentElement.style.overflow = "hidden";

    return new Promise((resolve) => {
      let loaded = false;
      let ended = false;
      const close = (status) => {
        if (ended) return;
        ended = true;
        window.removeEventListener("message", hear);
        document.documentElement.style.overflow = scrolled;
        dialog.close();
        dialog.remove();
        resolve(status);
      };
      const hear = (event) => {
        // Only the page in our frame is believed, and only while it is the server's.
        if (event.origin !== origin || event.source !== frame.contentWindow) return;
        if (event.data?.source === "bankfeed" && typeof event.data.status === "string") {
          close(event.data.status);
        }
      };
      window.addEventListener("message", hear);
      frame.addEventListener("load", () => {
        loaded = true;
        dialog.removeAttribute("aria-busy");
        frame.focus();
      });
      // Escape: the run is ended by its own page, so that the server knows of it too.
      const leave = (event) => {
        event.preventDefault();
        if (loaded) frame.contentWindow.postMessage({ source: "bankfeed-leave" }, origin);
        else close("cancelled");
      };
      dialog.addEventListener("cancel", leave);
      dialog.addEventListener("keydown", (event) => {
        if (event.key === "Escape") leave(event);
      });
      // A browser may close a dialog for good without asking; the promise still ends.
      dialog.addEventListener("close", () => close("cancelled"));
    });
  }

  // Begins a run and waits for its end. Answers the carrier's id, or { error }.
  async function collect(api, clientSecret) {
    if (typeof clientSecret !== "string" || clientSecret === "") {
      return failure("clientSecret is missing.", { param: "client_secret" });
    }
    if (open) return failure("Another bank account is being linked on this page already.");
    open = true;
    try {
      const params = { client_secret: clientSecret, origin: window.location.origin };
      const flow = await api.post("/v1/link_flows", params);
      if (flow.error) return flow;
      const status = await showFlow(flow.url);
      if (ENDS.includes(status)) return { carrier: flow.carrier };
      const message = "This was open for too long; begin again with a new client secret.";
      return failure(message, { code: "session_expired" });
    } finally {
      open = false;
    }
  }

  // ---- Sessions ----

  async function collectSession(api, clientSecret) {
    const run = await collect(api, clientSecret);
    if (run.error) return run;
    const path = `/v1/financial_connections/sessions/${run.carrier}`;
    const session = await api.get(path, { client_secret: clientSecret });
    if (session.error) return session;
    // Stripe.js gives a plain array where the API gives a list.
    return { financialConnectionsSession: { ...session, accounts: session.accounts.data } };
  }

  async function collectToken(api, clientSecret) {
    const answer = await collectSession(api, clientSecret);
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

    // Sends a call and answers { paymentIntent } or { setupIntent }, or { error }.
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

    async collect({ clientSecret, params, expand }) {
      const wanted = params?.payment_method_type ?? "us_bank_account";
      if (wanted !== "us_bank_account") {
        const message = `This server collects us_bank_account, not ${wanted}.`;
        return failure(message, { param: "payment_method_type" });
      }
      const known = await this.retrieve(clientSecret);
      if (known.error) return known;
      const run = await collect(this.api, clientSecret);
      return run.error ? run : this.retrieve(clientSecret, expand);
    }

    confirm(clientSecret, data = {}) {
      const { payment_method: method, ...params } = data;
      if (method && typeof method === "object") {
        params.payment_method_data = { type: "us_bank_account", ...method };
      } else {
        params.payment_method = method;
      }
      return this.send(clientSecret, "post", "/confirm", params);
    }

    verify(clientSecret, deposits) {
      return this.send(clientSecret, "post", "/verify_microdeposits", deposits);
    }

    // Confirms for a form: collects first if there is nothing to confirm yet, and goes on to the
    // return URL if the page wants that always.
    async complete({ elements, clientSecret, confirmParams = {}, redirect = "always" }) {
      const secret = clientSecret ?? elements?.clientSecret;
      let known = await this.retrieve(secret);
      if (known.error) return known;
      const given = confirmParams.payment_method || confirmParams.payment_method_data;
      if (!given && !known[this.kind.name].payment_method) {
        known = await this.collect({ clientSecret: secret });
        if (known.error) return known;
        if (!known[this.kind.name].payment_method) {
          return failure("No bank account was linked.", { code: "payment_method_missing" });
        }
      }
      const answer = await this.send(secret, "post", "/confirm", confirmParams);
      if (answer.error || redirect === "if_required" || !confirmParams.return_url) return answer;
      const next = new URL(confirmParams.return_url, window.location.href);
      const word = this.kind === PAYMENT ? "payment_intent" : "setup_intent";
      next.searchParams.set(word, answer[this.kind.name].id);
      next.searchParams.set(`${word}_client_secret`, secret);
      next.searchParams.set("redirect_status", "succeeded");
      window.location.assign(next);
      // The page is being left.
      return new Promise(() => {});
    }
  }

  // ---- Elements ----

  // The one element there is: a bank account, picked when the form is confirmed.
  class PaymentElement {
    constructor() {
      this.events = new EventTarget();
      this.box = null;
    }

    mount(place) {
      const parent = typeof place === "string" ? document.querySelector(place) : place;
      if (!parent) throw new Error(`mount: nothing on the page matches ${place}.`);
      this.unmount();
      this.box = document.createElement("label");
      Object.assign(this.box.style, { display: "flex", gap: "0.5rem", padding: "0.75rem 0" });
      const choice = document.createElement("input");
      Object.assign(choice, { type: "radio", name: "bankfeed-payment", checked: true });
      this.box.append(choice, "US bank account");
      parent.append(this.box);
      const tell = (name, detail) => this.events.dispatchEvent(new CustomEvent(name, { detail }));
      setTimeout(() => {
        tell("ready", { elementType: "payment" });
        tell("change", {
          elementType: "payment", empty: false, complete: true,
          value: { type: "us_bank_account" },
        });
      });
    }

    unmount() {
      this.box?.remove();
      this.box = null;
    }

    destroy() {
      this.unmount();
    }

    update() {}

    on(name, listener) {
      this.events.addEventListener(name, (event) => listener(event.detail));
      return this;
    }

    once(name, listener) {
      this.events.addEventListener(name, (event) => listener(event.detail), { once: true });
      return this;
    }

    off() {
      return this;
    }

    focus() {
      this.box?.querySelector("input").focus();
    }
  }

  function makeElements(options = {}) {
    const made = new Map();
    return named("elements", {
      clientSecret: options.clientSecret,
      create(type) {
        if (type !== "payment") throw new Error(`elements.create: there is no element "${type}".`);
        if (made.has(type)) throw new Error(`elements.create: there is one "${type}" already.`);
        made.set(type, new PaymentElement());
        return made.get(type);
      },
      getElement: (type) => made.get(type) ?? null,
      update(changes = {}) {
        Object.assign(options, changes);
      },
      fetchUpdates: async () => ({}),
      submit: async () => ({}),
      on() {},
    });
  }

  // ---- What pages use ----

  // An object whose missing methods say what they are.
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
      throw new Error("Stripe(): give a publishable key, which begins with pk_. Secret keys stay on the server.");
    }
    const api = new Api(publishableKey, options);
    const payments = new Intents(api, PAYMENT);
    const setups = new Intents(api, SETUP);
    const ofSecret = (secret) => (String(secret).startsWith(SETUP.prefix) ? setups : payments);

    return named("stripe", {
      collectFinancialConnectionsAccounts: ({ clientSecret } = {}) =>
        collectSession(api, clientSecret),
      collectBankAccountToken: ({ clientSecret } = {}) => collectToken(api, clientSecret),

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
      // What is left to do are deposits, which the holder reads days later: nothing to show now.
      handleNextAction: ({ clientSecret } = {}) => ofSecret(clientSecret).retrieve(clientSecret),
      redirectToCheckout: async () =>
        failure("redirectToCheckout is not available: send the browser to the Session's url instead."),

      elements: makeElements,
      registerAppInfo() {},
      _registerWrapper() {},
    });
  };
  window.Stripe.version = RELEASE;
})();
