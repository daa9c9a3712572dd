// The Payment Element: its appearance, its layouts, its fields and its events.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LIMIT, PUBLISHABLE, bed, flowFrame, linkInFrame, look, lookBothWays, openShop, press, setUp,
} from "./bed.js";

setUp();

const makePayment = (more = {}) => bed.stripe.paymentIntents.create({
  amount: 2000, currency: "usd", ...more,
});

/** Mounts the element of a group. Its events are recorded. */
async function mount(page, group = {}, choices = {}) {
  await page.evaluate(([key, options, given]) => {
    document.querySelector("#place")?.remove();
    const place = document.createElement("div");
    place.id = "place";
    document.querySelector("main").append(place);
    window.stripe = window.Stripe(key);
    window.elements = window.stripe.elements({ mode: "payment", amount: 2000, currency: "usd", ...options });
    window.element = window.elements.create("payment", given);
    window.seen = [];
    for (const name of ["loaderstart", "ready", "change", "focus", "blur", "escape", "loaderror"]) {
      window.element.on(name, (event) => window.seen.push({ name, ...event }));
    }
    window.element.mount("#place");
  }, [PUBLISHABLE, group, choices]);
  await page.waitForFunction(() => window.seen.some(({ name }) => name === "change" || name === "loaderror"));
}

const ofIntent = (intent, more = {}) => ({ ...more, mode: undefined, amount: undefined, currency: undefined, clientSecret: intent.client_secret });

/** Computed styles of a part. */
const styleOf = (page, selector, names) => page.locator(`#place ${selector}`).first().evaluate(
  (part, wanted) => wanted.map((name) => getComputedStyle(part)[name]), names,
);

const fill = async (page, { email = "ada@example.com", name = "Ada Byron" } = {}) => {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Full name").fill(name);
};

const changes = (page) => page.evaluate(() => window.seen.filter(({ name }) => name === "change"));

/** The warnings of a page's console. */
function warningsOf(page) {
  const warnings = [];
  page.on("console", (line) => line.type() === "warning" && warnings.push(line.text()));
  return warnings;
}

/** The error that a call on the page throws, or null. */
const thrown = (page, text) => page.evaluate((code) => {
  try {
    new Function("stripe", code)(window.Stripe("pk_test_browser"));
    return null;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}, text);

test("each theme has its look, which variables and rules change", LIMIT, async () => {
  const page = await openShop();
  const warnings = warningsOf(page);
  const grounds = new Set();
  for (const theme of ["stripe", "night", "flat"]) {
    // A shop with the dark theme is dark itself.
    await page.evaluate((dark) => {
      Object.assign(document.body.style, dark ? { background: "#15171c", color: "#ffffff" }
        : { background: "#ffffff", color: "#000000" });
    }, theme === "night");
    await mount(page, { appearance: { theme } });
    const [ground] = await styleOf(page, ".Input", ["backgroundColor"]);
    grounds.add(ground);
    await look(page, `element-${theme}`);
    const variables = {
      colorPrimary: "#7a1fa2", colorBackground: "#fffbe6", colorText: "#102030", colorDanger: "#b00020",
      fontFamily: "Georgia, serif", fontSizeBase: "18px", spacingUnit: "5px", borderRadius: "12px",
      spacingGridRow: "21px",
    };
    const rules = {
      ".Input": { border: "2px solid #333333", backgroundColor: "var(--colorBackground)" },
      ".Input:focus": { boxShadow: "none", borderColor: "#008000" },
      ".Input--invalid": { borderColor: "#0000ff" },
      ".Label": { textTransform: "uppercase", fontWeight: "700" },
      ".Tab--selected": { backgroundColor: "#eef3ff" },
      ".Error": { color: "#123456" },
    };
    await mount(page, { appearance: { theme, variables, rules } });
    assert.deepEqual(
      await styleOf(page, ".Input", ["backgroundColor", "borderTopWidth", "borderTopColor", "fontFamily", "fontSize", "borderRadius"]),
      ["rgb(255, 251, 230)", "2px", "rgb(51, 51, 51)", "Georgia, serif", "18px", "12px"], theme,
    );
    assert.deepEqual(await styleOf(page, ".Label", ["textTransform", "fontWeight", "color"]), ["uppercase", "700", "rgb(16, 32, 48)"]);
    assert.deepEqual(await styleOf(page, ".Tab", ["backgroundColor", "borderTopColor"]), ["rgb(238, 243, 255)", "rgb(122, 31, 162)"]);
    assert.deepEqual(await styleOf(page, ".p-Panel", ["rowGap"]), ["21px"]);
    await page.getByLabel("Email").focus();
    await page.waitForFunction(() => {
      const { activeElement } = document.querySelector("#place > div").shadowRoot;
      return getComputedStyle(activeElement).borderTopColor === "rgb(0, 128, 0)";
    });
    await page.evaluate(() => window.elements.submit());
    await page.waitForFunction(() => {
      const input = document.querySelector("#place > div").shadowRoot.querySelector("#name");
      return getComputedStyle(input).borderTopColor === "rgb(0, 0, 255)";
    });
    assert.deepEqual(await styleOf(page, ".Error", ["color"]), ["rgb(18, 52, 86)"]);
  }
  assert.equal(grounds.size, 3);
  assert.deepEqual([warnings, page.faults], [[], []]);
});

test("update changes the appearance of a mounted element, and keeps what was typed", LIMIT, async () => {
  const page = await openShop();
  await mount(page, { appearance: { theme: "stripe" } });
  await fill(page);
  const ended = await page.evaluate(async () => {
    let heard = 0;
    window.elements.on("update-end", () => { heard += 1; });
    await window.elements.update({ appearance: { theme: "night", variables: { colorPrimary: "#ffcc00" } } });
    return heard;
  });
  assert.equal(ended, 1);
  assert.deepEqual(await styleOf(page, ".Tab", ["borderTopColor"]), ["rgb(255, 204, 0)"]);
  assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Byron");
});

test("labels float, and condensed inputs touch", LIMIT, async () => {
  const page = await openShop();
  await mount(page, { appearance: { inputs: "condensed" } }, { layout: "accordion" });
  const tops = async () => (await page.locator("#place .Label").first().boundingBox()).y;
  const resting = await tops();
  await page.getByLabel("Email").fill("ada@example.com");
  assert.ok((await tops()) < resting, "the label moves above the value");
  const [first, second] = await Promise.all(["#email", "#name"].map((id) => page.locator(`#place ${id}`).boundingBox()));
  assert.ok(Math.abs(first.y + first.height - second.y) <= 1);
  await lookBothWays(page, "element-condensed");
});

test("unknown names warn, and wrong types throw an IntegrationError", LIMIT, async () => {
  const page = await openShop();
  const warnings = warningsOf(page);
  await mount(page, {
    colour: "red",
    appearance: {
      theme: "neon", variables: { colourPrimary: "red", iconCardErrorColor: "red" },
      rules: {
        ".Inputs": { color: "red" }, ".Input > p": { color: "red" }, ".Input:target": { color: "red" },
        ".Input": { position: "fixed", color: "no-colour", backgroundColor: "#ffffff" }, ".Switch": { color: "red" },
      },
    },
  }, { size: "big", layout: { type: "tabs", rows: 2 } });
  for (const part of [
    "colour is unknown", 'theme "neon"', "variables.colourPrimary", '".Inputs"', '".Input > p"', '".Input:target"',
    '".Input"].position', '".Input"].color', "size is unknown", "layout.rows",
  ]) assert.ok(warnings.some((text) => text.includes(part)), `${part}: ${warnings.join("\n")}`);
  assert.equal(warnings.length, 10, warnings.join("\n"));
  const group = "{ mode: 'payment', amount: 1, currency: 'usd'";
  for (const [code, part] of [
    [`stripe.elements(${group}, appearance: 5 })`, "appearance must be an object"],
    [`stripe.elements(${group}, appearance: { theme: 5 } })`, "appearance.theme must be a string"],
    [`stripe.elements(${group}, appearance: { variables: { colorText: 5 } } })`, "appearance.variables.colorText"],
    [`stripe.elements(${group}, appearance: { rules: { '.Input': { color: 5 } } } })`, 'rules[".Input"].color'],
    [`stripe.elements(${group}, appearance: { labels: 'left' } })`, "appearance.labels must be one of"],
    [`stripe.elements(${group} }).update({ appearance: [] })`, "appearance must be an object"],
    [`stripe.elements(${group} }).create('payment', { layout: 'grid' })`, "layout must be one of"],
    [`stripe.elements(${group} }).create('payment', { layout: { radios: 'some' } })`, "layout.radios"],
    [`stripe.elements(${group} }).create('payment', { fields: { billingDetails: 'no' } })`, "fields.billingDetails"],
    [`stripe.elements(${group} }).create('payment', { fields: { us_bank_account: { billingDetails: { name: 1 } } } })`,
      "fields.us_bank_account.billingDetails.name"],
    [`stripe.elements(${group} }).create('payment', { terms: { usBankAccount: 'no' } })`, "terms.usBankAccount"],
    [`stripe.elements(${group} }).create('payment', { defaultValues: { billingDetails: { name: 5 } } })`,
      "defaultValues.billingDetails.name must be a string"],
    [`stripe.elements(${group} }).create('payment', { readOnly: 'yes' })`, "readOnly must be a boolean"],
    [`stripe.elements(${group} }).create('card')`, 'no element "card"'],
    [`stripe.elements(${group}, clientSecret: 'pi_1_secret_2' })`, "not both"],
    [`stripe.elements(${group} }).create('payment').mount('#nowhere')`, "#nowhere"],
  ]) {
    const text = await thrown(page, code);
    assert.ok(text?.startsWith("IntegrationError: ") && text.includes(part), `${code}: ${text}`);
  }
});

test("tabs and an accordion, with and without radio buttons, spaced or not, open or not", LIMIT, async () => {
  const page = await openShop();
  const panel = page.locator("#place .p-Panel");
  await mount(page, {}, { layout: "tabs" });
  assert.equal(await page.getByRole("tab", { name: "US bank account", selected: true }).count(), 1);
  assert.equal(await page.getByRole("tabpanel").count(), 1);

  await mount(page, {}, { layout: { type: "accordion", radios: "always", spacedAccordionItems: true } });
  assert.equal(await page.getByRole("button", { name: "US bank account", expanded: true }).count(), 1);
  assert.equal(await page.locator("#place .RadioIcon--checked").count(), 1);
  await look(page, "element-accordion");

  const layout = { type: "accordion", defaultCollapsed: true, radios: "never", paymentMethodLogoPosition: "end" };
  await mount(page, {}, { layout });
  assert.equal(await page.locator("#place .RadioIcon").count(), 0);
  assert.equal(await panel.isVisible(), false);
  assert.equal((await changes(page)).at(-1).collapsed, true);
  const [mark, label] = await Promise.all(
    [".p-Logo", ".AccordionItemLabel > span:last-child"].map((one) => page.locator(`#place ${one}`).boundingBox()),
  );
  assert.ok(mark.x > label.x);
  await press(page, "US bank account");
  assert.equal(await panel.isVisible(), true);
  assert.equal((await changes(page)).at(-1).collapsed, false);
  await page.evaluate(() => window.element.collapse());
  assert.equal(await panel.isVisible(), false);

  const warnings = warningsOf(page);
  await page.evaluate(() => window.element.update({ layout: { type: "tabs", defaultCollapsed: false } }));
  assert.equal(await page.getByRole("tab").count(), 1);
  assert.deepEqual(warnings.map((text) => /layout\.\w+/.exec(text)?.[0]), ["layout.defaultCollapsed"]);
  assert.deepEqual(page.faults, []);
});

test("fields show default values, stay away, are read-only, and the terms name the business", LIMIT, async () => {
  const page = await openShop();
  const defaultValues = { billingDetails: { name: "Ada Byron", email: "ada@example.com", phone: "+15550100" } };
  await mount(page, {}, { defaultValues, business: { name: "Tea & Co" }, readOnly: true });
  assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Byron");
  assert.equal(await page.getByLabel("Email").isEditable(), false);
  await page.getByText("you authorize Tea & Co to debit").waitFor();
  assert.deepEqual((await changes(page)).at(-1), {
    name: "change", elementType: "payment", empty: false, complete: true, collapsed: false,
    value: { type: "us_bank_account" },
  });
  await mount(page, {}, { fields: { billingDetails: { name: "never" } }, terms: { usBankAccount: "never" } });
  assert.deepEqual([await page.getByLabel("Full name").count(), await page.getByLabel("Email").count()], [0, 1]);
  assert.equal(await page.locator("#place .TermsText").isVisible(), false);
  await mount(page, {}, { fields: { billingDetails: "auto", us_bank_account: { billingDetails: "never" } } });
  assert.equal(await page.locator("#place .Input").count(), 0);
  // The page has to pass the details that the element does not ask for.
  const intent = await makePayment();
  const refused = await page.evaluate((clientSecret) => window.stripe
    .confirmPayment({ elements: window.elements, clientSecret, redirect: "if_required" })
    .catch((error) => `${error.name}: ${error.message}`), intent.client_secret);
  assert.match(refused, /^IntegrationError: .*billingDetails\.name/);
  await page.evaluate(() => window.element.update({ fields: { billingDetails: "auto" } }));
  assert.equal(await page.locator("#place .Input").count(), 2);
});

test("faults are shown beside the fields, and stop the link and the confirmation", LIMIT, async () => {
  const page = await openShop();
  const intent = await makePayment();
  await mount(page, ofIntent(intent));
  await page.getByLabel("Email").fill("ada");
  await page.getByLabel("Full name").focus();
  await page.getByText("Enter an email address such as").waitFor();
  await press(page, "Connect your bank account");
  await page.getByText("Enter your full name.").waitFor();
  assert.equal(await page.locator("dialog").count(), 0);
  await lookBothWays(page, "element-faults");
  const answers = await page.evaluate(async () => [
    await window.elements.submit(),
    await window.stripe.confirmPayment({ elements: window.elements, redirect: "if_required" }),
    await window.stripe.createConfirmationToken({ elements: window.elements }),
  ]);
  for (const { error } of answers) assert.deepEqual([error.type, error.code], ["validation_error", "invalid_email"]);
  const focused = await page.evaluate(() => document.activeElement.shadowRoot.activeElement.id);
  assert.equal(focused, "email");
  await fill(page);
  assert.equal(await page.locator("#place .Error:visible").count(), 0);
  assert.deepEqual(page.faults, []);
});

test("events: ready, focus, blur, escape and change", LIMIT, async () => {
  const page = await openShop();
  const intent = await makePayment();
  await mount(page, ofIntent(intent));
  await page.evaluate(() => window.element.focus());
  await page.keyboard.press("Escape");
  await fill(page);
  await page.locator("#before").focus();
  const seen = await page.evaluate(() => window.seen.map(({ name, empty, complete }) =>
    (name === "change" ? [name, empty, complete].join() : name)));
  assert.deepEqual(seen, [
    "loaderstart", "ready", "change,true,false", "focus", "escape", "change,false,false", "blur",
  ]);
  await page.evaluate(() => window.element.clear());
  assert.equal((await changes(page)).at(-1).empty, true);
  await mount(page, { mode: undefined, clientSecret: "pi_nothing_secret_nothing" });
  const [last] = (await page.evaluate(() => window.seen)).slice(-1);
  assert.deepEqual([last.name, last.error.type], ["loaderror", "invalid_request_error"]);
});

test("the linked account is shown, changed, found after a reload, and debited with the last details", LIMIT, async () => {
  const page = await openShop();
  const intent = await makePayment();
  await mount(page, ofIntent(intent));
  await fill(page, { name: "Ada" });
  await press(page, "Connect your bank account");
  await linkInFrame(page);
  const account = page.getByText(/^Test \(Non-OAuth\) •••• \d{4}$/);
  await account.waitFor();
  assert.equal((await changes(page)).at(-1).complete, true);
  await lookBothWays(page, "element-account");
  await press(page, "Change bank account");
  await flowFrame(page);
  await page.keyboard.press("Escape");
  await page.frameLocator("iframe").getByRole("button", { name: "Leave", exact: true }).evaluate((one) => {
    setTimeout(() => one.click());
  });
  await page.locator("dialog").waitFor({ state: "detached" });
  await account.waitFor();

  await page.reload();
  await mount(page, ofIntent(intent));
  await account.waitFor();
  assert.equal(await page.getByLabel("Full name").inputValue(), "Ada");
  await page.getByLabel("Full name").fill("Ada Byron");
  const status = await page.evaluate(async () => {
    const { elements, stripe } = window;
    const { error } = await elements.submit();
    if (error) return error.message;
    const answer = await stripe.confirmPayment({ elements, redirect: "if_required" });
    return answer.error?.message ?? answer.paymentIntent.status;
  });
  assert.equal(status, "processing");
  const paid = await bed.stripe.paymentIntents.retrieve(intent.id, { expand: ["payment_method"] });
  const { name, email } = paid.payment_method.billing_details;
  assert.deepEqual([name, email], ["Ada Byron", "ada@example.com"]);
  assert.deepEqual(page.faults, []);
});

test("a policy without foreign styles changes nothing, nor do the shop's own styles", LIMIT, async () => {
  const page = await openShop();
  const ground = async () => styleOf(page, ".Input", ["borderTopWidth", "backgroundColor", "minHeight"]);
  await mount(page);
  const before = await ground();
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("input { border: 9px solid red !important; background: red !important }");
    document.adoptedStyleSheets = [sheet];
    const policy = document.createElement("meta");
    Object.assign(policy, { httpEquiv: "Content-Security-Policy", content: "style-src 'none'" });
    document.head.append(policy);
  });
  await mount(page);
  assert.deepEqual(await ground(), before);
  assert.deepEqual(page.faults, []);
});
