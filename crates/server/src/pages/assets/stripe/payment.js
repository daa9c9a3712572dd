// The Payment Element with its only method, a US bank account.
//
// It is in a shadow root of the merchant's page. So neither page changes the style of the other, and
// the merchant's policy needs no exception for styles.

class PaymentElement extends Listeners {
  // `calls` link an account to the intent, and load the one that it has. Without an intent, an account
  // is linked at the confirmation.
  constructor({ calls, options, appearance, hasAmount }) {
    super();
    this.calls = calls;
    this.appearance = appearance;
    this.hasAmount = hasAmount;
    this.options = {};
    this.values = { email: "", name: "" };
    this.touched = new Set();
    this.linked = null;
    this.host = null;
    this.collapsed = longLayout(options.layout).defaultCollapsed ?? false;
    this.configure("elements.create", options);
  }

  // ---- Options ----

  configure(method, given) {
    checkMembers(method, "", given, PAYMENT_OPTIONS);
    const before = this.options.defaultValues;
    this.options = { ...this.options, ...given };
    if (this.options.defaultValues === before) return;
    const details = this.options.defaultValues?.billingDetails ?? {};
    // A typed value stays.
    for (const { name } of FIELDS) {
      if (!this.touched.has(name)) this.values[name] = details[name] ?? "";
    }
  }

  update(given = {}) {
    const fixed = ["defaultCollapsed", "paymentMethodLogoPosition"];
    const layout = { ...given.layout };
    for (const name of fixed.filter((name) => name in layout)) {
      warn("element.update", `layout.${name} cannot be changed after create.`);
      delete layout[name];
    }
    const kept = Object.fromEntries(
      fixed.map((name) => [name, longLayout(this.options.layout)[name]]).filter(([, value]) => value),
    );
    const long = typeof given.layout === "string" ? longLayout(given.layout) : layout;
    const changes = "layout" in given ? { ...given, layout: { ...long, ...kept } } : given;
    this.configure("element.update", changes);
    this.render();
    this.changed();
    return this;
  }

  // The fields that the element shows.
  get fields() {
    return FIELDS.filter(({ name }) => hasField(this.options, name));
  }

  // The billing details that the holder typed, or that the page knows.
  get billingDetails() {
    const known = this.options.defaultValues?.billingDetails ?? {};
    const typed = this.fields.map(({ name }) => [name, this.values[name].trim() || undefined]);
    return { ...known, ...Object.fromEntries(typed) };
  }

  // ---- On the page ----

  mount(place) {
    const parent = typeof place === "string" ? document.querySelector(place) : place;
    if (!parent) throw integrationError(`mount: nothing on the page matches ${place}.`);
    this.unmount();
    this.host = document.createElement("div");
    this.root = this.host.attachShadow({ mode: "open", delegatesFocus: true });
    this.dress();
    parent.append(this.host);
    // The page may add its listeners first.
    setTimeout(() => this.load(this.host));
  }

  async load(host) {
    const elementType = "payment";
    const isThere = () => host !== null && this.host === host;
    if (!isThere()) return;
    this.tell("loaderstart", { elementType });
    const { error, method } = this.calls && !this.linked ? await this.calls.load() : {};
    if (!isThere()) return;
    if (error) {
      this.tell("loaderror", { elementType, error });
      return;
    }
    if (method?.type === TYPE && !this.linked) this.take(method);
    this.tell("ready", { elementType });
    const paymentMethods = { [TYPE]: { available: true } };
    this.tell("availablepaymentmethodschange", { elementType, paymentMethods });
    this.changed();
  }

  // Shows an account that the intent had already, with the details that belong to it.
  take(method) {
    this.linked = method;
    for (const { name } of this.fields) this.values[name] ||= method.billing_details?.[name] ?? "";
    this.linkedFor = JSON.stringify(this.billingDetails);
    this.render();
  }

  // Applies the appearance.
  dress(appearance = this.appearance) {
    this.appearance = appearance;
    if (!this.root) return;
    const base = new CSSStyleSheet();
    base.replaceSync(LOOK);
    this.root.adoptedStyleSheets = [base, ...appearance.sheets];
    this.render();
  }

  render() {
    if (!this.root) return;
    const { condensed, floating, disableAnimations, theme } = this.appearance;
    const classes = ["p-Form", `p-${theme}`, floating && "p-floating", condensed && "p-condensed",
      disableAnimations && "p-calm"];
    const form = made("div", classes.filter(Boolean).join(" "), "", { role: "group", "aria-label": "Payment" });
    this.panel = made("div", "p-Panel", "", { id: "panel" });
    this.panel.append(this.renderFields(), this.renderBank(), this.renderTerms());
    const layout = longLayout(this.options.layout);
    form.append(layout.type === "accordion" ? this.renderItem(layout) : this.renderTab());
    this.watch(form);
    this.root.replaceChildren(form);
    this.show();
  }

  renderTab() {
    const list = made("div", "p-TabList", "", { role: "tablist", "aria-label": "Payment method" });
    this.chooser = made("button", "Tab", "", { type: "button", role: "tab", id: "choose", "aria-controls": "panel" });
    const icon = made("span", "TabIcon");
    icon.append(bankSign());
    this.chooser.append(icon, made("span", "TabLabel", METHOD));
    list.append(this.chooser);
    this.panel.setAttribute("role", "tabpanel");
    this.panel.setAttribute("aria-labelledby", "choose");
    const both = document.createDocumentFragment();
    both.append(list, this.panel);
    return both;
  }

  renderItem({ radios, spacedAccordionItems = false, paymentMethodLogoPosition = "start" }) {
    const items = made("div", spacedAccordionItems ? "p-Items" : "p-Items p-flush");
    const item = made("div", "AccordionItem");
    this.chooser = made("button", "AccordionButton", "", { type: "button", id: "choose", "aria-controls": "panel" });
    this.chooser.classList.toggle("p-end", paymentMethodLogoPosition === "end");
    // There is one method, so only "always" shows the sign of a choice.
    if (radios === "always") this.chooser.append(radioSign(!this.collapsed));
    const logo = made("span", "p-Logo");
    logo.append(bankSign());
    const label = made("span", "AccordionItemLabel");
    label.append(logo, made("span", "", METHOD));
    this.chooser.append(label);
    item.append(this.chooser, this.panel);
    items.append(item);
    return items;
  }

  renderFields() {
    const fields = made("div", "p-Fields");
    this.inputs = new Map();
    for (const { name, label, type, complete, hint } of this.fields) {
      const field = made("div", "p-Field");
      const input = made("input", "Input", "", {
        id: name, name, type, autocomplete: complete, placeholder: hint, "aria-required": "true",
      });
      input.value = this.values[name];
      input.readOnly = this.options.readOnly ?? false;
      input.addEventListener("input", () => this.typed(name, input.value));
      input.addEventListener("blur", () => this.left(name));
      input.addEventListener("focus", () => this.show());
      const error = made("p", "Error", "", { id: `${name}-error`, role: "alert" });
      field.append(made("label", "Label", label, { for: name }), input, error);
      fields.append(field);
      this.inputs.set(name, { input, error, label: field.firstChild });
    }
    return fields;
  }

  renderBank() {
    const area = made("div", "p-Bank");
    this.block = made("div", "Block");
    this.mark = made("span", "p-Mark", "", { "aria-hidden": "true" });
    // Screen readers announce the change.
    this.said = made("span", "p-Said", "", { role: "status" });
    this.button = made("button", "Button", "", { type: "button" });
    this.button.addEventListener("click", () => this.collect());
    this.fault = made("p", "Error", "", { role: "alert" });
    this.block.append(this.mark, this.said, this.button);
    area.append(made("span", "Label", "Bank account"), this.block, this.fault);
    return area;
  }

  renderTerms() {
    const business = this.options.business?.name ?? "this business";
    const purpose = this.hasAmount ? "for this payment" : "for amounts that you owe";
    const text = `By continuing, you authorize ${business} to debit your bank account ${purpose}, and to ` +
      "correct an error by a debit or a credit. You can withdraw this authorization before a debit is sent.";
    const terms = made("p", "TermsText", text);
    terms.hidden = this.options.terms?.usBankAccount === "never";
    return terms;
  }

  // Shows the current state, without a new element, so that focus stays.
  show() {
    if (!this.root) return;
    const { chooser, panel, collapsed } = this;
    const tab = chooser.classList.contains("Tab");
    const selected = (element, name, on) => element.classList.toggle(`${name}--selected`, on);
    panel.hidden = collapsed;
    chooser.setAttribute(tab ? "aria-selected" : "aria-expanded", String(!collapsed));
    for (const name of ["Tab", "TabIcon", "TabLabel", "AccordionItem", "AccordionItemLabel"]) {
      const part = this.root.querySelector(`.${name}`);
      if (part) selected(part, name, !collapsed);
    }
    for (const name of ["RadioIcon", "RadioIconOuter", "RadioIconInner"]) {
      this.root.querySelector(`.${name}`)?.classList.toggle(`${name}--checked`, !collapsed);
    }
    for (const [name, { input, error, label }] of this.inputs) {
      const fault = this.touched.has(name) ? faultOf(name, input.value) : null;
      const raised = input.value !== "" || this.root.activeElement === input;
      for (const [part, word] of [[input, "Input"], [label, "Label"]]) {
        part.classList.toggle(`${word}--invalid`, Boolean(fault));
        part.classList.toggle(`${word}--empty`, input.value === "");
      }
      label.classList.toggle("Label--floating", raised);
      label.classList.toggle("Label--resting", !raised);
      label.classList.toggle("Label--focused", this.root.activeElement === input);
      error.textContent = fault?.message ?? "";
      error.hidden = !fault;
      input.toggleAttribute("aria-invalid", Boolean(fault));
      if (fault) input.setAttribute("aria-describedby", error.id);
      else input.removeAttribute("aria-describedby");
    }
    this.showBank();
  }

  showBank() {
    const account = this.linked?.us_bank_account;
    const bank = account?.bank_name ?? METHOD;
    const { letters, colour } = bankMark(bank);
    // A button alone has no frame around it.
    this.block.className = account || !this.calls ? "Block" : "";
    this.mark.hidden = !account;
    this.mark.textContent = letters;
    this.mark.dataset.colour = colour;
    this.said.classList.toggle("p-Said--linked", Boolean(account));
    this.said.hidden = Boolean(this.calls) && !account;
    this.said.textContent = account?.last4 ? `${bank} \u2022\u2022\u2022\u2022 ${account.last4}`
      : account ? bank : this.calls ? "" : "You connect your bank account in the next step.";
    this.button.hidden = !this.calls;
    this.button.disabled = Boolean(this.busy) || Boolean(this.options.readOnly);
    this.button.className = account ? "BlockAction" : "Button";
    this.button.textContent = account ? "Change" : "Connect your bank account";
    if (account) this.button.setAttribute("aria-label", "Change bank account");
    else this.button.removeAttribute("aria-label");
    this.fault.hidden = this.fault.textContent === "";
  }

  // ---- Events ----

  watch(form) {
    let inside = false;
    form.addEventListener("focusin", () => {
      if (!inside) this.tell("focus", { elementType: "payment" });
      inside = true;
    });
    form.addEventListener("focusout", (event) => {
      if (form.contains(event.relatedTarget)) return;
      inside = false;
      this.tell("blur", { elementType: "payment" });
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.tell("escape", { elementType: "payment" });
    });
    this.chooser.addEventListener("click", () => {
      this.collapsed = false;
      this.show();
      this.changed();
    });
  }

  typed(name, value) {
    this.values[name] = value;
    this.show();
    this.changed();
  }

  // A field shows its fault when the holder leaves it, not while the holder types for the first time.
  left(name) {
    if (this.values[name] !== "") this.touched.add(name);
    this.show();
  }

  changed() {
    const faults = this.fields.filter(({ name }) => faultOf(name, this.values[name]));
    const typed = this.fields.some(({ name }) => this.values[name] !== "");
    const complete = faults.length === 0 && (!this.calls || this.linked !== null);
    const detail = {
      elementType: "payment", empty: !typed && this.linked === null, complete, collapsed: this.collapsed,
      value: { type: TYPE },
    };
    const text = JSON.stringify(detail);
    if (text === this.lastChange) return;
    this.lastChange = text;
    this.tell("change", detail);
  }

  // ---- Actions ----

  // Shows the faults of all fields. Returns the first one as { error }, or null.
  validate() {
    for (const { name } of this.fields) this.touched.add(name);
    const faults = this.fields.map(({ name }) => ({ name, ...faultOf(name, this.values[name]) }));
    const first = faults.find(({ code }) => code);
    if (!first) {
      this.show();
      return null;
    }
    this.collapsed = false;
    this.show();
    this.inputs?.get(first.name)?.input.focus();
    return { error: { type: "validation_error", code: first.code, message: first.message } };
  }

  async collect() {
    if (this.validate()) return;
    this.busy = true;
    this.fault.textContent = "";
    this.show();
    const { error, method } = await this.calls.link(this.billingDetails);
    this.busy = false;
    if (method) {
      this.linked = method;
      this.linkedFor = JSON.stringify(this.billingDetails);
    }
    if (!this.root) return;
    this.fault.textContent = error?.message ?? "";
    this.show();
    this.button.focus();
    this.changed();
  }

  focus() {
    const [first] = this.inputs?.values() ?? [];
    (first?.input ?? this.button ?? this.chooser)?.focus();
  }

  blur() {
    this.root?.activeElement?.blur();
  }

  clear() {
    for (const { name } of FIELDS) this.values[name] = "";
    this.touched.clear();
    this.render();
    this.changed();
  }

  collapse() {
    this.collapsed = true;
    this.show();
    this.changed();
    return this;
  }

  unmount() {
    this.host?.remove();
    this.host = null;
    this.root = null;
    this.lastChange = null;
  }

  destroy() {
    this.unmount();
    this.listeners.clear();
  }
}
