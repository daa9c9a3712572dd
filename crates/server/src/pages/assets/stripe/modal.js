// The frame of a flow above the merchant's page, or a window where the page forbids frames.
//
// Styles are set by script, because a merchant's policy may forbid style elements. Lengths are
// pixels, because the root font of the page is the merchant's.

const NARROW = "(max-width: 639.98px)";
const SHORT = "(max-height: 543.98px)";
const DARK = "(prefers-color-scheme: dark)";
const CALM = "(prefers-reduced-motion: reduce)";
// The paper colours of the pages (tokens.css). Until the page is loaded, the panel has them.
const PAPER = { light: "#ffffff", dark: "#161b24" };
// The longest wait for a page that was asked to leave. A page with an error never responds.
const LEAVE_MS_MAX = 2000;

const DIALOG_STYLE = {
  position: "fixed", inset: "0", width: "100%", height: "100%", maxWidth: "none",
  maxHeight: "none", margin: "0", padding: "0", border: "0", boxSizing: "border-box",
  display: "grid", overflow: "hidden", overscrollBehavior: "contain",
  background: "rgb(8 12 20 / 0.55)",
};
const PANEL_STYLE = {
  boxSizing: "border-box", margin: "0", padding: "0", border: "0", overflow: "hidden",
};
// A phone shows a sheet that fills the screen, and other screens a rounded panel.
const SHEET_STYLE = { width: "100%", height: "100%", borderRadius: "0", boxShadow: "none" };
const CARD_STYLE = {
  width: "440px", height: "min(768px, 100% - 32px)", borderRadius: "16px",
  boxShadow: "0 1px 2px rgb(8 12 20 / 0.12), 0 24px 64px rgb(8 12 20 / 0.28)",
};
// A short panel is wide, so that the page places its buttons side by side.
const SHORT_CARD_STYLE = {
  ...CARD_STYLE, width: "min(680px, 100% - 64px)", height: "calc(100% - 16px)",
};
const FRAME_STYLE = {
  width: "100%", height: "100%", border: "0", display: "block", margin: "0",
  // An empty frame is white. It appears with its first page.
  opacity: "0", colorScheme: "light dark",
};
const NOTE_STYLE = {
  padding: "24px", borderRadius: "16px", margin: "16px", maxWidth: "440px", background: "Canvas",
  color: "CanvasText", colorScheme: "light dark", font: "16px/1.5 system-ui, sans-serif",
};

// The element with focus, also inside of shadow roots.
function focused() {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found;
}

// Keeps the page behind from scrolling, without a shift of its content. Returns a function that
// lets it scroll again.
function holdStill() {
  const root = document.documentElement;
  const { overflow, scrollbarGutter } = root.style;
  if (window.innerWidth > root.clientWidth) root.style.scrollbarGutter = "stable";
  root.style.overflow = "hidden";
  return () => Object.assign(root.style, { overflow, scrollbarGutter });
}

// Sets the styles that follow from the screen, and again when it changes. Returns a function that
// stops this.
function follow(dialog, panel) {
  const queries = [NARROW, SHORT, DARK].map((query) => window.matchMedia(query));
  const apply = () => {
    const [narrow, short, dark] = queries.map((query) => query.matches);
    dialog.style.placeItems = narrow ? "stretch" : "center";
    Object.assign(panel.style, narrow ? SHEET_STYLE : short ? SHORT_CARD_STYLE : CARD_STYLE);
    panel.style.background = dark ? PAPER.dark : PAPER.light;
  };
  apply();
  for (const query of queries) query.addEventListener("change", apply);
  return () => queries.forEach((query) => query.removeEventListener("change", apply));
}

function appear(dialog, panel) {
  if (window.matchMedia(CALM).matches) return;
  const from = window.matchMedia(NARROW).matches ? "translateY(48px)" : "translateY(12px) scale(0.98)";
  const timing = { duration: 240, easing: "cubic-bezier(0.2, 0.8, 0.2, 1)" };
  panel.animate([{ opacity: 0, transform: from }, { opacity: 1, transform: "none" }], timing);
  dialog.animate([{ backgroundColor: "transparent" }, {}], timing);
}

// Shows a flow in a separate window, for a merchant's page with a policy that forbids frames.
// Returns a function that returns the window, or null while the browser blocks it. Then the
// holder has to click the button.
function showWindow(url, dialog, leave) {
  let shown = null;
  const begin = () => {
    shown = window.open(`${url}?frame=1`, "bankfeed-link", "popup,width=480,height=760");
  };
  const button = (label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    Object.assign(made.style, { font: "inherit", padding: "10px 16px", cursor: "pointer" });
    made.addEventListener("click", act);
    return made;
  };
  const note = document.createElement("div");
  Object.assign(note.style, NOTE_STYLE);
  const text = document.createElement("p");
  text.textContent = "Connect your bank account in the window that opened.";
  note.append(text, button("Open the window", begin), " ", button("Leave", leave));
  dialog.replaceChildren(note);
  Object.assign(dialog.style, { placeItems: "center" });
  dialog.removeAttribute("aria-busy");
  begin();
  return () => shown;
}

// The dialog with the frame of a flow.
function makeDialog(url) {
  const dialog = document.createElement("dialog");
  const panel = document.createElement("div");
  const frame = document.createElement("iframe");
  Object.assign(dialog.style, DIALOG_STYLE);
  Object.assign(panel.style, PANEL_STYLE);
  Object.assign(frame.style, FRAME_STYLE);
  dialog.setAttribute("aria-label", "Connect your bank account");
  dialog.setAttribute("aria-busy", "true");
  frame.title = "Connect your bank account";
  frame.src = `${url}?frame=1`;
  panel.append(frame);
  dialog.append(panel);
  return { dialog, panel, frame };
}

// Shows a flow above the page until it reports its outcome.
function showFlow(url) {
  const { origin } = new URL(url);
  const { dialog, panel, frame } = makeDialog(url);
  const before = focused();
  const stopFollowing = follow(dialog, panel);
  document.body.append(dialog);
  // A modal dialog keeps focus inside and makes everything behind it unreachable.
  dialog.showModal();
  appear(dialog, panel);
  const letGo = holdStill();

  return new Promise((resolve) => {
    let loaded = false;
    let ended = false;
    let place = () => frame.contentWindow;
    let apart = false;
    let wait = 0;
    const close = (status) => {
      if (ended) return;
      ended = true;
      clearTimeout(wait);
      window.removeEventListener("message", hear);
      document.removeEventListener("securitypolicyviolation", refused);
      if (apart) place()?.close();
      stopFollowing();
      letGo();
      dialog.close();
      dialog.remove();
      before?.focus?.({ preventScroll: true });
      resolve(status);
    };
    const hear = (event) => {
      // Messages are accepted only from the displayed page, and only while it is on the server's
      // origin.
      if (event.origin !== origin || event.source !== place()) return;
      if (event.data?.source !== "bankfeed") return;
      clearTimeout(wait);
      wait = 0;
      if (typeof event.data.status === "string") close(event.data.status);
    };
    window.addEventListener("message", hear);
    const refused = (event) => {
      if (apart || event.effectiveDirective !== "frame-src") return;
      if (!event.blockedURI.startsWith(origin)) return;
      apart = true;
      stopFollowing();
      place = showWindow(url, dialog, () => close("left"));
    };
    document.addEventListener("securitypolicyviolation", refused);
    frame.addEventListener("load", () => {
      if (apart) return;
      loaded = true;
      frame.style.opacity = "1";
      dialog.removeAttribute("aria-busy");
      frame.focus();
    });
    // The page of the flow asks the holder. Without a page that can ask, the flow is left at once.
    const ask = (by) => {
      if (!loaded || apart) {
        close("left");
      } else if (!wait) {
        wait = setTimeout(() => close("left"), LEAVE_MS_MAX);
        place().postMessage({ source: "bankfeed-leave", by }, origin);
      }
    };
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      ask("key");
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      ask("key");
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !apart) ask("pointer");
    });
    // A browser may close a dialog without a cancel event. Then it is shown again, to ask.
    dialog.addEventListener("close", () => {
      if (ended) return;
      dialog.showModal();
      ask("key");
    });
  });
}
