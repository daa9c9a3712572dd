// A merchant sees the registration for live data on the settings page, and rehearses it with a test
// key, by keyboard. What the page shows is checked by axe and photographed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMIT, bed, look, open, setUp } from "./bed.js";
import { everySize } from "./sizes.js";

setUp();

/** What the server answers to a call with a key. */
async function call(key, address, form) {
  const headers = { Authorization: `Bearer ${key}` };
  const body = form && new URLSearchParams(form);
  const answer = await fetch(bed.server.url + address, { method: form ? "POST" : "GET", headers, body });
  return { status: answer.status, json: await answer.json() };
}

for (const [size, width, colorScheme] of [["desktop", 1000, "light"], ["phone", 320, "dark"]]) {
  test(`a live key shows the registration and the defaults, ${size}`, LIMIT, async () => {
    const key = bed.server.issueLiveKey();
    const customer = await call(key, "/v1/customers", { name: "Ada" });
    const session = {
      "account_holder[type]": "customer",
      "account_holder[customer]": customer.json.id,
      "permissions[]": "transactions",
    };
    const sessions = "/v1/financial_connections/sessions";
    const refused = await call(key, sessions, session);
    assert.equal(refused.status, 400);
    assert.equal(refused.json.error.code, "financial_connections_registration_required");
    const address = `${bed.server.url}/settings`;
    assert.ok(refused.json.error.message.includes(address), refused.json.error.message);

    const page = await open({ viewport: { width, height: 760 }, colorScheme });
    await page.goto(address);
    await look(page, `settings-${size}-1-key`);
    await page.getByLabel("Secret key").fill("sk_live_wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await look(page, `settings-${size}-2-wrong-key`);
    await page.getByLabel("Secret key").fill(key);
    await page.keyboard.press("Enter");
    await page.getByText("Unrequested").first().waitFor();
    await look(page, `settings-${size}-3-unrequested`);

    const asked = page.getByRole("group", { name: "Request" });
    await asked.getByLabel("Transactions").check();
    const fetched = page.getByRole("group", { name: /^Fetch when/ });
    await fetched.getByLabel("Transactions").check();
    await page.getByRole("button", { name: "Save the defaults" }).click();
    await page.getByText("Saved.").waitFor();
    const settings = await call(key, "/v1/financial_connections/settings");
    assert.deepEqual(settings.json.prefetch, ["transactions"]);
    assert.ok(!page.url().includes("?"), "nothing stands in the address");

    bed.server.completeRegistration("transactions");
    const flow = await call(key, "/v1/link_flows", {
      client_secret: (await call(key, sessions, session)).json.client_secret,
    });
    await page.goto(flow.json.url);
    await page.getByText("not connected to real banks").waitFor();
    await look(page, `settings-${size}-5-no-bank`);
  });

  test(`a test key rehearses the registration, ${size}`, LIMIT, async () => {
    const key = `sk_test_rehearsal${size}`;
    const page = await open({ viewport: { width, height: 760 }, colorScheme });
    await page.goto(`${bed.server.url}/settings`);
    await page.getByLabel("Secret key").fill(key);
    await page.keyboard.press("Enter");
    const states = page.getByRole("group", { name: /^States to simulate/ });
    await states.getByLabel("Transactions").selectOption("rejected");
    await page.getByRole("button", { name: "Simulate these states" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("status").waitFor();
    await look(page, `settings-${size}-4-rehearsed`);
    const settings = await call(key, "/v1/financial_connections/settings");
    assert.equal(settings.json.registration.transactions, "rejected");
    assert.equal(settings.json.registration.balances, "active");
  });
}

test("the settings in each size", { timeout: 300_000 }, async () => {
  const page = await open();
  await page.goto(`${bed.server.url}/settings`);
  await everySize(page, "settings-key");
  await page.getByLabel("Secret key").fill("sk_test_sizes");
  await page.getByRole("button", { name: "Show settings" }).click();
  await page.getByRole("button", { name: "Simulate these states" }).waitFor();
  await everySize(page, "settings");
  assert.deepEqual(page.faults, []);
});
