// Improvements of the link flow's pages over plain links and forms. Each page works without them.
"use strict";

(() => {
  const { flow, origin, status } = document.body.dataset;
  const atOnce = "atOnce" in document.body.dataset;
  const waiting = window.parent !== window ? window.parent : window.opener;

  // Browsers ignore autofocus in frames of another origin.
  const focused = document.querySelector("[autofocus]");
  if (focused) focused.focus();

  // The list of banks is filtered while the holder types.
  const search = document.querySelector("[data-search]");
  if (search) {
    const field = search.querySelector("input[type=search]");
    const items = [...document.querySelectorAll("[data-banks] li")];
    const count = document.querySelector("[data-count]");
    const whole = !new URLSearchParams(location.search).get("q");
    const filter = () => {
      const wanted = field.value.trim().toLowerCase();
      let found = 0;
      for (const item of items) {
        item.hidden = !item.dataset.name.includes(wanted);
        if (!item.hidden) found += 1;
      }
      count.textContent =
        found === 0 ? "No bank of this name" : found === 1 ? "1 bank" : `${found} banks`;
    };
    // If the server has shortened the list, the server does the search.
    if (whole) {
      search.querySelector("button").hidden = true;
      field.addEventListener("input", filter);
      search.addEventListener("submit", (event) => event.preventDefault());
      filter();
    }
  }

  // Opens the bank's own page, and reloads when the holder returns from it.
  const again = () => location.replace(location.href);
  const bank = document.querySelector("[data-bank]");
  if (bank) {
    bank.addEventListener("click", (event) => {
      const opened = window.open(bank.href, "bankfeed-bank", "popup,width=480,height=720");
      if (opened) event.preventDefault();
    });
    window.addEventListener("message", (event) => {
      if (event.origin === location.origin && event.data?.source === "bankfeed-bank") again();
    });
  }
  if (status === "bank") {
    if (window.opener) {
      window.opener.postMessage({ source: "bankfeed-bank" }, location.origin);
      window.close();
    }
    return;
  }

  // Notifies only the waiting page of the outcome.
  if (status && origin && waiting) {
    const tell = () => waiting.postMessage({ source: "bankfeed", flow, status }, origin);
    const done = document.querySelector("[data-done]");
    const alone = document.querySelector("[data-alone]");
    if (done && alone) {
      done.hidden = false;
      alone.hidden = true;
      done.addEventListener("click", tell);
    }
    if (atOnce) tell();
  }

  // Escape, on this page or on the page around it, has the effect of the button that leaves.
  if (origin && window.parent !== window) {
    const leave = () => {
      if (status) {
        waiting.postMessage({ source: "bankfeed", flow, status }, origin);
        return;
      }
      const field = document.querySelector("input[name=step][value=cancel]");
      if (field) field.form.requestSubmit();
    };
    window.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
    });
    window.addEventListener("message", (event) => {
      const asked = event.source === window.parent && event.origin === origin;
      if (asked && event.data?.source === "bankfeed-leave") leave();
    });
  }

  // A form is never submitted twice.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form")) delete form.dataset.sent;
  });
})();
