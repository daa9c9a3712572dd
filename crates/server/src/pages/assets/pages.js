// Improvements of the pages over plain links and forms. Each page works without them.
//
// In the link flow the script posts forms itself and replaces the parts of the page by those of the
// response. If a request fails, the browser submits the form as it would without the script.
"use strict";

(() => {
  // How long the page about the connection to a bank is shown, so that it can be read.
  const CONNECTING_MS = 900;
  // How often the script looks for the bank's window, which may be closed.
  const BANK_WINDOW_MS = 500;
  const FACTS = ["flow", "origin", "status", "atOnce", "next"];

  const facts = () => document.body.dataset;
  const find = (selector) => document.querySelector(selector);
  const findAll = (selector) => [...document.querySelectorAll(selector)];
  const framed = window.parent !== window;
  const waiting = framed ? window.parent : window.opener;
  const isFlow = "flow" in facts();

  // ---- Requests ----

  // Counts the requests, because the response to an earlier one must not replace a later page.
  let latest = 0;

  // Sends a request and shows the page of the response. Returns false if there is none.
  async function show(url, options, push) {
    const request = (latest += 1);
    let response;
    let text;
    try {
      response = await fetch(url, { credentials: "same-origin", ...options });
      text = await response.text();
    } catch {
      return false;
    }
    if (request !== latest) return true;
    const made = new DOMParser().parseFromString(text, "text/html");
    const sheet = made.querySelector(".sheet");
    const same = new URL(response.url).pathname === location.pathname;
    // A page of another kind, and one that leads on, are loaded as a whole.
    const leads = made.querySelector("head > meta[http-equiv=refresh]");
    if (!sheet || !same || leads || made.body.className !== document.body.className) {
      location.assign(response.url);
      return true;
    }
    // The page of a step has the address of the flow, so a reload repeats no step.
    if (push && response.url !== location.href) history.pushState(null, "", response.url);
    else history.replaceState(null, "", response.url);
    await change(made, sheet);
    return true;
  }

  // Replaces the page, with a transition where the browser has them.
  async function change(made, sheet) {
    const swap = () => {
      for (const fact of FACTS) {
        if (fact in made.body.dataset) facts()[fact] = made.body.dataset[fact];
        else delete facts()[fact];
      }
      document.title = made.title;
      find(".sheet").replaceChildren(...document.importNode(sheet, true).childNodes);
      begin();
    };
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!document.startViewTransition || still || document.hidden) swap();
    else await document.startViewTransition(swap).updateCallbackDone;
  }

  async function follow(url, push) {
    if (!(await show(url, {}, push))) location.assign(url);
  }

  // ---- Forms ----

  // A form is never submitted twice. The pressed button shows that the page is busy.
  function submitted(event) {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    const data = new URLSearchParams(new FormData(form, button));
    // The browser reads the value of the button after this event.
    setTimeout(() => busy(button));
    if (!isFlow) return;
    event.preventDefault();
    post(form, button, data);
  }

  async function post(form, button, body) {
    if (await show(form.action, { method: "POST", body }, false)) return;
    if (button?.name) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: button.name, value: button.value });
      form.append(field);
    }
    form.submit();
  }

  function busy(button) {
    if (!button) return;
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
  }

  function idle() {
    for (const form of document.forms) delete form.dataset.sent;
    for (const button of findAll("button[aria-busy]")) {
      button.removeAttribute("aria-busy");
      button.disabled = false;
    }
  }

  document.addEventListener("submit", submitted);
  // The browser may show a page again as it was when the holder left it.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) idle();
  });

  // ---- Links within the flow ----

  if (isFlow) {
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-pane], a[data-leave]");
      const other = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
      if (!link || other || event.button !== 0) return;
      event.preventDefault();
      follow(link.href, "leave" in link.dataset);
    });
    window.addEventListener("popstate", () => follow(location.href, false));
  }

  // ---- The list of banks ----

  // The list is filtered while the holder types.
  function beginSearch() {
    const search = find("[data-search]");
    // If the server has shortened the list, the server does the search.
    if (!search || new URLSearchParams(location.search).get("q")) return;
    const field = search.querySelector("input[type=search]");
    const items = findAll("[data-words]");
    const count = find("[data-count]");
    const filter = () => {
      const wanted = field.value.trim().toLowerCase().split(/\s+/);
      let found = 0;
      for (const item of items) {
        item.hidden = !wanted.every((word) => item.dataset.words.includes(word));
        if (!item.hidden) found += 1;
      }
      for (const group of findAll("[data-group]")) {
        group.hidden = !group.querySelector("li:not([hidden])");
      }
      const many = found === 1 ? "1 bank" : `${found} banks`;
      count.textContent = found === 0 ? "No bank found. Try another word." : many;
    };
    search.querySelector("button").hidden = true;
    field.addEventListener("input", filter);
    search.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }

  // ---- The bank's own page ----

  let bankWindow = null;

  function waitAtBank(isWaiting) {
    for (const part of findAll("[data-idle]")) part.hidden = isWaiting;
    for (const part of findAll("[data-waiting]")) part.hidden = !isWaiting;
    find(".pair")?.classList.toggle("busy", isWaiting);
    if (isWaiting) find("h1").focus();
  }

  // Opens the bank's own page, and shows the next pane when the holder returns from it.
  function beginBank() {
    for (const link of findAll("[data-bank]")) {
      link.addEventListener("click", (event) => {
        bankWindow = window.open(link.href, "bankfeed-bank", "popup,width=480,height=720");
        if (!bankWindow) return;
        event.preventDefault();
        bankWindow.focus();
        waitAtBank(true);
        watchBank(link);
      });
    }
  }

  // The holder may close the bank's window, which reports nothing.
  function watchBank(link) {
    const timer = setInterval(() => {
      if (link.isConnected && !bankWindow.closed) return;
      clearInterval(timer);
      if (link.isConnected) follow(location.href, false);
    }, BANK_WINDOW_MS);
  }

  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.data?.source !== "bankfeed-bank") return;
    if (find("[data-bank]")) follow(location.href, false);
  });

  // ---- The outcome ----

  const tell = () => {
    const { flow, status, origin } = facts();
    waiting.postMessage({ source: "bankfeed", flow, status }, origin);
  };

  // Notifies only the waiting page of the outcome.
  function beginEnd() {
    const { origin, status } = facts();
    if (status === "bank") {
      if (!window.opener) return;
      window.opener.postMessage({ source: "bankfeed-bank" }, location.origin);
      window.close();
      return;
    }
    if (!status || !origin || !waiting) return;
    const done = find("[data-done]");
    const alone = find("[data-alone]");
    if (done && alone) {
      done.hidden = false;
      alone.hidden = true;
      done.addEventListener("click", tell);
    }
    if ("atOnce" in facts()) tell();
  }

  // Escape, on this page or on the page around it, has the effect of the link that leaves. On the page
  // that asks, it closes the question. A click around the frame does not answer the question.
  function leave(isKey) {
    if (facts().status) tell();
    else if (find("[data-leave]")) find("[data-leave]").click();
    else if (isKey) find("[data-stay]")?.click();
  }

  if (facts().origin && framed) {
    window.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      leave(true);
    });
    window.addEventListener("message", (event) => {
      const { flow, origin } = facts();
      const asked = event.source === window.parent && event.origin === origin;
      if (!asked || event.data?.source !== "bankfeed-leave") return;
      // The page around the frame closes it if no page responds, for example after an error.
      waiting.postMessage({ source: "bankfeed", flow, asks: true }, origin);
      leave(event.data.by === "key");
    });
  }

  // ---- Every page ----

  // Shows times in the holder's zone.
  function beginTimes() {
    const form = new Intl.DateTimeFormat("en", {
      year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit",
      timeZoneName: "short",
    });
    for (const time of findAll("time[data-time]")) {
      time.textContent = form.format(new Date(time.dateTime));
    }
  }

  // The page about the connection to a bank leads to the next pane.
  function beginNext() {
    const { next } = facts();
    if (next) setTimeout(() => facts().next === next && follow(next, false), CONNECTING_MS);
  }

  function begin() {
    // Browsers ignore autofocus in frames of another origin, and in parts that are replaced.
    find("[autofocus]")?.focus();
    beginSearch();
    beginBank();
    beginTimes();
    beginEnd();
    beginNext();
  }

  begin();
})();
