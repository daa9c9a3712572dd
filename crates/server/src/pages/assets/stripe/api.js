// Calls of the API, with a publishable key. Every call resolves to its object or to { error }.

const SERVER = new URL(document.currentScript.src).origin;
// The API release that this file is written for. loadStripe compares it with its own.
const RELEASE = "endive";
// Outcomes of a flow for which the carrier contains all further details. After "left" the flow can be
// continued.
const ENDS = ["succeeded", "cancelled", "failed", "closed", "left"];
// Properties that programs read from every object. Defining them would change the object's type.
const NOT_METHODS = ["then", "catch", "finally", "toJSON", "nodeType", "constructor", "prototype"];

const failure = (message, more = {}) => ({
  error: { type: "invalid_request_error", message, ...more },
});

// An error of the page's program, which Stripe.js throws at once.
const integrationError = (message) => Object.assign(new Error(message), { name: "IntegrationError" });

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
