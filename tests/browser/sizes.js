// Pages in the sizes of phones and desks, in light and dark, and one picture of them all.
import axe from "axe-core";
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { ROOT } from "./server.js";

/** The browser of all tests. */
export const CHROMIUM = {
  executablePath: process.env.BANKFEED_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
};
export const SIZES = [
  { width: 360, height: 740 },
  { width: 390, height: 844 },
  { width: 844, height: 390 },
  { width: 1280, height: 800 },
];
const SCHEMES = ["light", "dark"];
const FOLDER = path.join(ROOT, "target/browser/sizes");
const SHEET = path.join(ROOT, "target/ci/contact-sheet.png");
// Below this height, the part that scrolls shows too little.
const MAIN_HEIGHT_MIN = 120;
const THUMB_HEIGHT = 240;
const SHEET_WIDTH = 2700;

/**
 * Checks a page in each size and scheme: its buttons are inside of the window, nothing is wider than
 * the window, and axe finds nothing. `main` is the selector of its main button.
 */
export async function everySize(page, name, { main = ".actions .main" } = {}) {
  mkdirSync(FOLDER, { recursive: true });
  const before = page.viewportSize();
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const label = `${name}-${size.width}x${size.height}-${colorScheme}`;
      await fits(page, label, size, main);
      await page.screenshot({ path: path.join(FOLDER, `${label}.png`) });
      const found = await findings(page);
      assert.deepEqual(found, [], `${label} can be used by everybody`);
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: "reduce" });
  if (before) await page.setViewportSize(before);
}

/** What axe finds. It stays in the page between two sizes, which is faster than loading it for each. */
async function findings(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  assert.ok(passes.length > 5, "axe looked at the page");
  return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html)}`);
}

async function fits(page, label, size, main) {
  const seen = await page.evaluate((selector) => {
    const isShown = (element) => element.checkVisibility();
    const boxes = (elements) => [...elements].filter(isShown).map((element) => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      return { text: element.textContent.trim(), left, top, right, bottom };
    });
    const { scrollWidth } = document.documentElement;
    return {
      scrollWidth,
      buttons: boxes(document.querySelectorAll(".actions button, .actions a, .bar button, .bar a")),
      mains: boxes(selector ? document.querySelectorAll(selector) : []),
      innerWidth: document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth,
      mainHeight: document.querySelector("main").clientHeight,
    };
  }, main);
  assert.ok(seen.scrollWidth <= size.width, `${label} is ${seen.scrollWidth} wide`);
  assert.ok(seen.innerWidth <= 0, `the main part of ${label} is too wide by ${seen.innerWidth}`);
  assert.ok(seen.mainHeight >= MAIN_HEIGHT_MIN, `${label} shows ${seen.mainHeight} px of content`);
  if (main) assert.ok(seen.mains.length > 0, `${label} has a main button`);
  for (const box of [...seen.buttons, ...seen.mains]) {
    const inside = box.left >= 0 && box.top >= 0 && box.right <= size.width && box.bottom <= size.height;
    assert.ok(inside, `"${box.text}" is inside of ${label}: ${JSON.stringify(box)}`);
  }
}

/** Removes the pictures of earlier runs. */
export function clearSizes() {
  rmSync(FOLDER, { recursive: true, force: true });
}

/** Joins the pictures into one, a row for each page. Returns its path, or null without a picture. */
export async function contactSheet() {
  if (!existsSync(FOLDER)) return null;
  const rows = new Map();
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".png"));
  for (const file of files) {
    const [, name, size, scheme] = /^(.*)-(\d+x\d+)-(light|dark)\.png$/.exec(file);
    rows.set(name, rows.get(name) ?? new Map());
    rows.get(name).set(`${size}-${scheme}`, file);
  }
  const image = (file) => {
    const data = readFileSync(path.join(FOLDER, file)).toString("base64");
    return `<img height="${THUMB_HEIGHT}" alt="" src="data:image/png;base64,${data}">`;
  };
  const row = ([name, pictures]) => {
    const keys = SCHEMES.flatMap((scheme) => SIZES.map((size) => `${size.width}x${size.height}-${scheme}`));
    const shown = keys.filter((key) => pictures.has(key)).map((key) => image(pictures.get(key)));
    return `<h2>${name}</h2><div>${shown.join("")}</div>`;
  };
  const style = `body { margin: 16px; width: max-content; background: #777; font: 16px sans-serif; color: #fff }
    h2 { margin: 12px 0 4px; font-size: 16px } div { display: flex; gap: 8px }`;
  const html = `<!doctype html><html lang="en"><title>Contact sheet</title><style>${style}</style>
    ${[...rows].map(row).join("")}`;
  mkdirSync(path.dirname(SHEET), { recursive: true });
  const browser = await chromium.launch({ ...CHROMIUM, headless: true });
  const page = await browser.newPage({ viewport: { width: SHEET_WIDTH, height: 800 } });
  await page.setContent(html, { waitUntil: "load" });
  await page.screenshot({ path: SHEET, fullPage: true });
  await browser.close();
  return SHEET;
}
