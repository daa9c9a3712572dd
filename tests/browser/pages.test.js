// The script of the pages: panes that replace each other, busy buttons, times and the font.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LIMIT, agree, heading, hosted, linkAll, makeSession, open, press, setUp,
} from "./bed.js";

setUp();

const begin = async (page, more) => page.goto(await hosted(await makeSession(more)));
const isPost = (request) => request.method() === "POST";

test("a pane replaces another one without a reload", LIMIT, async () => {
  const page = await open();
  await begin(page);
  await heading(page, "Choose your bank");
  const address = page.url();
  const pages = await page.evaluate(() => {
    window.isFirst = true;
    return history.length;
  });
  await agree(page, page, "Test (Non-OAuth)");
  await heading(page, "Connecting to Test (Non-OAuth)…");
  await heading(page, "Sign in at Test (Non-OAuth)");
  const after = await page.evaluate(() => [
    window.isFirst, history.length, document.activeElement.tagName, document.title,
  ]);
  assert.deepEqual(after, [true, pages, "H1", "Sign in at Test (Non-OAuth) – Test merchant"]);
  assert.equal(page.url(), address);
  await page.reload();
  await heading(page, "Sign in at Test (Non-OAuth)");
  assert.deepEqual(page.faults, []);
});

test("with motion, panes follow each other too", LIMIT, async () => {
  const page = await open({ reducedMotion: "no-preference" });
  await begin(page);
  await linkAll(page, page);
  await heading(page, "Account connected");
  assert.deepEqual(page.faults, []);
});

test("the browser submits a form whose request fails", LIMIT, async () => {
  const page = await open();
  await begin(page);
  await page.route("**/link/*", (route) => {
    const isFetch = route.request().resourceType() === "fetch";
    return isFetch ? route.abort() : route.continue();
  });
  await press(page, /^Test \(Non-OAuth\)/);
  await heading(page, "Connect your account to Test merchant");
  await press(page, "Back");
  await heading(page, "Choose your bank");
  assert.deepEqual(page.faults, []);
});

test("a pressed button is busy, and a form is posted once", LIMIT, async () => {
  const page = await open();
  await begin(page);
  let goOn;
  const held = new Promise((resolve) => { goOn = resolve; });
  let posts = 0;
  await page.route("**/link/*", async (route) => {
    if (isPost(route.request())) {
      posts += 1;
      await held;
    }
    await route.continue();
  });
  await press(page, /^Test \(Non-OAuth\)/);
  const busy = page.locator("button[aria-busy=true]");
  await busy.waitFor();
  assert.ok(await busy.isDisabled());
  await page.locator("form#form-institution").evaluate((form) => form.requestSubmit());
  goOn();
  await heading(page, "Connect your account to Test merchant");
  assert.equal(posts, 1);
  assert.deepEqual(page.faults, []);
});

test("a time is in the zone of the holder, and without script in UTC", LIMIT, async () => {
  const texts = [];
  for (const options of [{ timezoneId: "America/New_York" }, { javaScriptEnabled: false }]) {
    const page = await open(options);
    await begin(page);
    await agree(page, page, "Down (Scheduled)");
    await heading(page, "Down (Scheduled) is not available");
    texts.push(await page.locator("time").innerText());
  }
  assert.match(texts[0], /:00 [AP]M E[SD]T$/);
  assert.match(texts[1], /:00 UTC$/);
});

test("the font is a file of the server, with digits of equal width", LIMIT, async () => {
  const page = await open();
  await begin(page, { manual_entry: { mode: "automatic" } });
  await press(page, "Enter account numbers instead");
  await heading(page, "Enter your bank details");
  const [loaded, widths] = await page.evaluate(async () => {
    await document.fonts.ready;
    const text = document.createElement("span");
    text.className = "digits";
    document.querySelector("main").append(text);
    const width = (digits) => {
      text.textContent = digits;
      return text.getBoundingClientRect().width;
    };
    const fonts = [...document.fonts].filter((font) => font.status === "loaded");
    return [fonts.map((font) => font.family.replaceAll('"', "")), [width("1111"), width("0000")]];
  });
  assert.deepEqual([...new Set(loaded)], ["Inter"]);
  assert.equal(widths[0], widths[1]);
  assert.deepEqual(page.faults, []);
});
