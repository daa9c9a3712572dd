// Collects bank accounts by a link flow, for Sessions and for other carriers.

let open = false;

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
