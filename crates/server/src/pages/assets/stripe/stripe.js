// The objects that a merchant's page sees. An unsupported method throws an error that names it.

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
