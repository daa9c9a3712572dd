// The object that elements() returns.

function makeElements(intentsOf, given = {}) {
  checkMembers("elements", "", given, GROUP_OPTIONS);
  let options = given ?? {};
  const { clientSecret, mode } = options;
  if (clientSecret && mode) throw integrationError("elements: give clientSecret, or mode, not both.");
  checkTypes("elements", options, Boolean(clientSecret));
  const created = new Map();
  const listeners = new Listeners();
  let appearance = readAppearance("elements", options.appearance);
  // True if the debit has a known purpose. Otherwise the account is saved for later.
  const hasAmount = () => (clientSecret ? !clientSecret.startsWith(SETUP.prefix) : options.mode === "payment");
  // Links an account to the intent, and returns the resulting payment method.
  const link = async (details) => {
    const intents = intentsOf(clientSecret);
    const params = { payment_method_data: { billing_details: details } };
    const run = await intents.collect({ clientSecret, params, expand: ["payment_method"] });
    return run.error ? run : { method: run[intents.kind.name].payment_method };
  };
  // The payment method that the intent has already.
  const load = async () => {
    const intents = intentsOf(clientSecret);
    const known = await intents.retrieve(clientSecret, ["payment_method"]);
    return known.error ? known : { method: known[intents.kind.name].payment_method };
  };
  const elements = named("elements", {
    clientSecret,
    get billingDetails() {
      return created.get("payment")?.billingDetails;
    },
    get setupFutureUsage() {
      return options.setupFutureUsage ?? options.setup_future_usage ?? undefined;
    },
    create(type, choices = {}) {
      if (type !== "payment") throw integrationError(`elements.create: there is no element "${type}".`);
      if (created.has(type)) throw integrationError(`elements.create: there is one "${type}" already.`);
      const element = new PaymentElement({
        calls: clientSecret ? { link, load } : null, options: choices ?? {}, appearance,
        hasAmount: hasAmount(),
      });
      const destroy = element.destroy.bind(element);
      element.destroy = () => {
        created.delete(type);
        destroy();
      };
      created.set(type, element);
      return element;
    },
    getElement: (type) => created.get(type) ?? null,
    update(changes = {}) {
      checkMembers("elements.update", "", changes, GROUP_OPTIONS);
      checkTypes("elements.update", changes, false);
      options = { ...options, ...changes };
      if ("appearance" in changes) {
        appearance = readAppearance("elements.update", changes.appearance);
        for (const element of created.values()) element.dress(appearance);
      }
      return Promise.resolve().then(() => listeners.tell("update-end", {}));
    },
    fetchUpdates: async () => ({}),
    // Checks the fields. The button or the confirmation of the form links the account.
    submit: async () => created.get("payment")?.validate() ?? { selectedPaymentMethod: TYPE },
    on(name, listener) {
      listeners.on(name, listener);
      return elements;
    },
    once(name, listener) {
      listeners.once(name, listener);
      return elements;
    },
    off(name, listener) {
      listeners.off(name, listener);
      return elements;
    },
  });
  return elements;
}
