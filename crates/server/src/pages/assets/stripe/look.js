// The style of the Payment Element. Classes with a capital letter are the public parts that rules
// can name. The others, with p-, are ours.

const LOOK = `
:host { display: block; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.p-Form {
  font-family: var(--fontFamily); font-size: var(--fontSizeBase); font-weight: var(--fontWeightNormal);
  line-height: var(--fontLineHeight); font-variant-ligatures: var(--fontVariantLigatures);
  font-variation-settings: var(--fontVariationSettings); -webkit-font-smoothing: var(--fontSmooth);
  color: var(--colorText); text-align: start;
}
button, input { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: default; }
p { margin: 0; }
.p-Form.p-calm * { transition: none !important; }

.p-TabList { display: flex; gap: var(--tabSpacing); margin-bottom: var(--gridRowSpacing); }
.Tab {
  display: flex; flex-direction: column; align-items: flex-start; gap: var(--spacingUnit);
  min-width: 9em; min-height: 44px; padding: calc(var(--spacingUnit) * 2.5) calc(var(--spacingUnit) * 3);
  border: 1px solid var(--inputColorBorder); border-radius: var(--borderRadius);
  background-color: var(--colorBackground); color: var(--colorTextSecondary);
  box-shadow: var(--inputBoxShadow); transition: border-color 0.15s ease, box-shadow 0.15s ease;
}
.Tab:hover { color: var(--colorText); }
.Tab:focus-visible, .AccordionButton:focus-visible, .BlockAction:focus-visible, .Button:focus-visible {
  outline: var(--focusOutline); box-shadow: var(--focusBoxShadow);
}
.Tab--selected, .Tab--selected:hover {
  border-color: var(--colorPrimary); color: var(--colorPrimary); box-shadow: 0 0 0 1px var(--colorPrimary);
}
.TabIcon { display: flex; color: var(--tabIconColor); }
.Tab:hover .TabIcon { color: var(--tabIconHoverColor); }
.Tab .TabIcon--selected { color: var(--tabIconSelectedColor); }
.TabLabel { font-size: var(--fontSizeSm); font-weight: var(--fontWeightMedium); }

.p-Items { display: grid; gap: var(--accordionItemSpacing); }
.AccordionItem {
  padding: 0 calc(var(--spacingUnit) * 4); border: 1px solid var(--inputColorBorder);
  border-radius: var(--borderRadius); background-color: var(--colorBackground);
  box-shadow: var(--inputBoxShadow);
}
.p-flush .AccordionItem { box-shadow: none; }
.p-flat .AccordionItem {
  border-color: color-mix(in srgb, var(--colorText) 16%, transparent); background-color: transparent;
}
.AccordionButton {
  display: flex; align-items: center; gap: calc(var(--spacingUnit) * 2.5); width: 100%; min-height: 48px;
  padding: calc(var(--spacingUnit) * 3) 0; border: 0; border-radius: var(--borderRadius); background: none;
  text-align: start;
}
.AccordionItemLabel {
  display: flex; align-items: center; gap: calc(var(--spacingUnit) * 2.5); flex: 1;
  color: var(--accordionItemLabelColorText); font-size: var(--accordionItemLabelFontSize);
  font-weight: var(--accordionItemLabelFontWeight);
}
.AccordionItemLabel--selected {
  color: var(--accordionItemLabelSelectedColorText); font-weight: var(--accordionItemLabelSelectedFontWeight);
}
.p-end .p-Logo { order: 2; margin-inline-start: auto; }
.p-Logo { display: flex; color: var(--iconColor); }
.AccordionButton:hover .p-Logo { color: var(--iconHoverColor); }
.RadioIcon { flex: none; width: 1.125em; height: 1.125em; color: var(--accordionItemTriggerColor); }
.AccordionButton:hover .RadioIcon { color: var(--accordionItemTriggerHoverColor); }
.AccordionButton .RadioIcon--checked { color: var(--accordionItemTriggerSelectedColor); }
.RadioIconOuter { fill: none; stroke: currentColor; stroke-width: 1.5; }
.RadioIconInner { fill: none; }
.RadioIconInner--checked { fill: currentColor; }
.AccordionItem .p-Panel { padding-bottom: calc(var(--spacingUnit) * 4); }

.p-Panel { display: grid; gap: var(--gridRowSpacing); }
.p-Fields { display: grid; gap: var(--gridRowSpacing); }
.p-Fields:empty { display: none; }
.p-Field { position: relative; }
.Label {
  display: block; margin-bottom: var(--labelSpacing); color: var(--labelColorText);
  font-size: var(--labelFontSize); font-weight: var(--labelFontWeight);
}
.Input {
  display: block; width: 100%; min-height: 44px; padding: calc(var(--spacingUnit) * 2.5) calc(var(--spacingUnit) * 3);
  border: 1px solid var(--inputColorBorder); border-radius: var(--borderRadius);
  background-color: var(--colorBackground); color: var(--accessibleColorOnColorBackground);
  box-shadow: var(--inputBoxShadow); transition: border-color 0.15s ease, box-shadow 0.15s ease;
}
.Input::placeholder { color: var(--colorTextPlaceholder); opacity: 1; }
.Input:focus {
  border-color: var(--inputFocusColorBorder); outline: var(--focusOutline); box-shadow: var(--inputFocusBoxShadow);
}
.Input--invalid { border-color: var(--colorDanger); color: var(--colorDanger); }
.Error { margin-top: var(--spacingUnit); color: var(--colorDanger); font-size: var(--fontSizeSm); }

.p-floating .p-Field .Label {
  position: absolute; z-index: 2; inset-block-start: 0; inset-inline-start: calc(var(--spacingUnit) * 3); margin: 0;
  line-height: 52px; pointer-events: none; transform-origin: 0 0; transition: transform 0.15s ease;
}
.p-floating .Input { min-height: 52px; padding-top: 22px; padding-bottom: 6px; }
.p-floating .Input::placeholder { color: transparent; }
.p-floating .Input:focus::placeholder { color: var(--colorTextPlaceholder); }
.p-floating .p-Field .Label--floating { transform: translateY(-10px) scale(0.82); }
.p-condensed .p-Fields { gap: 0; }
.p-condensed .p-Field + .p-Field { margin-top: -1px; }
.p-condensed .p-Field:not(:last-child) .Input { border-end-start-radius: 0; border-end-end-radius: 0; }
.p-condensed .p-Field:not(:first-child) .Input { border-start-start-radius: 0; border-start-end-radius: 0; }
.p-condensed .Input:focus, .p-condensed .Input--invalid { position: relative; z-index: 1; }

.p-Bank > .Label { margin-bottom: var(--labelSpacing); }
.Block {
  display: flex; flex-wrap: wrap; align-items: center; gap: calc(var(--spacingUnit) * 3);
  padding: calc(var(--spacingUnit) * 3); border: 1px solid var(--inputColorBorder);
  border-radius: var(--borderRadius); background-color: var(--colorBackground);
}
.p-Mark {
  display: grid; place-items: center; flex: none; width: 2.25em; height: 2.25em;
  border-radius: calc(var(--borderRadius) + 2px); background: #3d5a66; color: #ffffff;
  font-size: var(--fontSizeSm); font-weight: var(--fontWeightBold);
}
.p-Mark[data-colour="0"] { background: #2f4b8f; }
.p-Mark[data-colour="1"] { background: #0f6b5c; }
.p-Mark[data-colour="2"] { background: #8a3d5f; }
.p-Mark[data-colour="3"] { background: #6b4a9c; }
.p-Mark[data-colour="4"] { background: #8a4b14; }
.p-Said { flex: 1 1 6em; min-width: 0; overflow-wrap: anywhere; }
.p-Said--linked { font-weight: var(--fontWeightMedium); }
.Button {
  width: 100%; min-height: 44px; padding: var(--buttonPadding); border: 0; border-radius: var(--buttonBorderRadius);
  background-color: var(--buttonColorBackground); color: var(--buttonColorText); box-shadow: var(--buttonBoxShadow);
  font-size: var(--buttonFontSize); font-weight: var(--buttonFontWeight); transition: filter 0.15s ease;
}
.Button:hover { filter: brightness(1.08); }
.BlockAction {
  min-height: 44px; margin-inline-start: auto; padding: 0 calc(var(--spacingUnit) * 2); border: 0;
  border-radius: var(--borderRadius); background: none; color: var(--colorPrimary); font-weight: var(--fontWeightMedium);
}
.Button:disabled, .BlockAction:disabled, .Input:disabled { opacity: 0.6; filter: none; }
.TermsText { color: var(--colorTextSecondary); font-size: var(--fontSizeXs); }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes, ...inner) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inner);
  return made;
}

// A building with columns, as the sign of a bank.
function bankSign() {
  const d = "M10 2 2.5 6v1.5h15V6zM4 9h2v5.5H4zm5 0h2v5.5H9zm5 0h2v5.5h-2zM2.5 16h15v1.75h-15z";
  const size = { viewBox: "0 0 20 20", width: "20", height: "20", fill: "currentColor" };
  return shape("svg", { ...size, "aria-hidden": "true" }, shape("path", { d }));
}

function radioSign(checked) {
  const state = (name) => (checked ? `${name} ${name}--checked` : name);
  return shape("svg", { viewBox: "0 0 20 20", "aria-hidden": "true", class: state("RadioIcon") },
    shape("circle", { cx: 10, cy: 10, r: 8.5, class: state("RadioIconOuter") }),
    shape("circle", { cx: 10, cy: 10, r: 4.5, class: state("RadioIconInner") }));
}

// The letters and the colour of a bank, as on the pages of a flow.
function bankMark(name) {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
  const bytes = new TextEncoder().encode(name);
  const sum = bytes.reduce((before, byte) => ((before * 31) % 1009) + byte, 0);
  return { letters, colour: sum % 6 };
}
