// Checks of the options that a page passes. A value of the wrong type throws an IntegrationError. An
// unknown name has no effect and leads to a warning in the console.

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const KINDS = {
  string: { what: "a string", fits: (value) => typeof value === "string" },
  number: { what: "a number", fits: (value) => typeof value === "number" },
  boolean: { what: "a boolean", fits: (value) => typeof value === "boolean" },
  object: { what: "an object", fits: isObject },
  array: { what: "an array", fits: Array.isArray },
};

// Warns about something that a page asks for and that has no effect.
function warn(method, text) {
  console.warn(`[Stripe.js] ${method}: ${text}`);
}

// A short form of a value, for messages.
const shortly = (value) => JSON.stringify(value)?.slice(0, 60) ?? String(value);

function checkKind(method, path, value, kind) {
  if (value === undefined || value === null || KINDS[kind].fits(value)) return;
  throw integrationError(`${method}: ${path} must be ${KINDS[kind].what}, not ${shortly(value)}.`);
}

// Throws unless the value is one of the words.
function checkWord(method, path, value, words) {
  if (value === undefined || value === null || words.includes(value)) return;
  const list = words.map(shortly).join(", ");
  throw integrationError(`${method}: ${path} must be one of ${list}, not ${shortly(value)}.`);
}

// Checks the names and the kinds of an object's members. `known` has a kind, a list of words or a
// function for each name.
function checkMembers(method, path, given, known) {
  checkKind(method, path || "options", given, "object");
  for (const [name, value] of Object.entries(given ?? {})) {
    const full = path ? `${path}.${name}` : name;
    const rule = known[name];
    if (rule === undefined) warn(method, `${full} is unknown and has no effect.`);
    else if (typeof rule === "function") rule(method, full, value);
    else if (Array.isArray(rule)) checkWord(method, full, value, rule);
    else checkKind(method, full, value, rule);
  }
}

// A check of an object with these members.
const members = (known) => (method, path, given) => checkMembers(method, path, given, known);

// ---- The options of elements() ----

const GROUP_OPTIONS = {
  adaptivePricing: "object", amount: "number", appearance: "object", captureMethod: "string",
  capture_method: "string", clientSecret: "string", currency: "string",
  customPaymentMethods: "array", customerOptions: "object", customerSessionClientSecret: "string",
  excludedPaymentMethodTypes: "array", externalPaymentMethodTypes: "array", fonts: "array",
  loader: ["auto", "always", "never"], locale: "string", mode: ["payment", "setup", "subscription"],
  onBehalfOf: "string", on_behalf_of: "string", allowedPaymentMethodTypes: "array",
  paymentMethodConfiguration: "string", paymentMethodCreation: "string",
  paymentMethodOptions: "object", paymentMethodTypes: "array", payment_method_configuration: "string",
  payment_method_options: "object", setupFutureUsage: "string", setup_future_usage: "string",
  syncAddressCheckbox: ["billing", "shipping", "none"],
};

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
  if (options.excludedPaymentMethodTypes?.includes(TYPE)) {
    throw integrationError(`${method}: excludedPaymentMethodTypes must not include ${TYPE}.`);
  }
}

// ---- The options of the Payment Element ----

const SHOWN = ["auto", "never"];
const ADDRESS_PARTS = ["country", "postalCode", "state", "city", "line1", "line2"];

// A word for all parts of an address, or an object with a word for each.
function checkAddressFields(method, path, value) {
  if (typeof value === "string") return checkWord(method, path, value, [...SHOWN, "if_required"]);
  const known = Object.fromEntries(ADDRESS_PARTS.map((part) => [part, SHOWN]));
  return checkMembers(method, path, value, known);
}

// A word for all billing details, or an object with a word for each.
function checkBillingFields(method, path, value) {
  if (typeof value === "string") return checkWord(method, path, value, SHOWN);
  return checkMembers(method, path, value, {
    name: [...SHOWN, "always"], email: SHOWN, phone: SHOWN, address: checkAddressFields,
  });
}

// The fields of all methods, or of one.
function checkFields(method, path, value) {
  checkKind(method, path, value, "object");
  for (const [name, inner] of Object.entries(value ?? {})) {
    if (name === "billingDetails") checkBillingFields(method, `${path}.${name}`, inner);
    else checkMembers(method, `${path}.${name}`, inner, { billingDetails: checkBillingFields });
  }
}

const LAYOUTS = ["tabs", "accordion", "auto"];

function checkLayout(method, path, value) {
  if (typeof value === "string") return checkWord(method, path, value, LAYOUTS);
  return checkMembers(method, path, value, {
    type: LAYOUTS, defaultCollapsed: "boolean", spacedAccordionItems: "boolean",
    // Earlier releases had a boolean.
    radios: ["auto", "never", "always", "if_multiple", true, false],
    visibleAccordionItemsCount: "number", paymentMethodLogoPosition: ["start", "end"],
  });
}

const TERMS = ["auto", "always", "never"];
const TERMS_OF = [
  "applePay", "auBecsDebit", "bancontact", "card", "cashapp", "googlePay", "ideal", "klarna",
  "paypal", "sepaDebit", "sofort", "usBankAccount",
];
const TEXTS_OF_ADDRESS = ["country", "postal_code", "state", "city", "line1", "line2"];
const texts = (names) => Object.fromEntries(names.map((name) => [name, "string"]));

const PAYMENT_OPTIONS = {
  applePay: "object",
  business: members({ name: "string" }),
  defaultValues: members({
    billingDetails: members({
      ...texts(["name", "email", "phone"]), address: members(texts(TEXTS_OF_ADDRESS)),
    }),
    card: "object",
  }),
  fields: checkFields,
  layout: checkLayout,
  paymentMethodOrder: "array",
  readOnly: "boolean",
  terms: members(Object.fromEntries(TERMS_OF.map((name) => [name, TERMS]))),
  walletOptions: members({ emailRequired: "boolean", phoneNumberRequired: "boolean" }),
  wallets: members({ applePay: SHOWN, googlePay: SHOWN, link: SHOWN }),
};

// The layout in its long form.
function longLayout(layout) {
  const given = typeof layout === "string" ? { type: layout } : layout ?? {};
  const { type = "auto", radios = "auto", ...more } = given;
  const radio = { true: "always", false: "never" }[radios] ?? radios;
  return { ...more, type: type === "accordion" ? "accordion" : "tabs", radios: radio };
}

// True if the element has a field for this billing detail.
function hasField(options, name) {
  const { fields = {} } = options;
  const given = fields[TYPE]?.billingDetails ?? fields.billingDetails ?? "auto";
  return (isObject(given) ? given[name] ?? "auto" : given) !== "never";
}
