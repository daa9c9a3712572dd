// The appearance of elements: a theme, its variables, and rules for the public parts.
//
// A variable is a custom property of the element, so a value can name another variable by var().
// Rules become a style sheet of their own, after ours.

const scaled = (factor) => `calc(var(--fontSizeBase) * ${factor})`;
const spaced = (factor) => `calc(var(--spacingUnit) * ${factor})`;

// Every variable with an effect, and its value where a theme has no other.
const VARIABLES = {
  fontFamily: `system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif`,
  fontSmooth: "auto", fontVariantLigatures: "normal", fontVariationSettings: "normal",
  fontLineHeight: "1.4",
  fontSizeBase: "16px", fontSizeSm: scaled(0.875), fontSizeXs: scaled(0.8125),
  fontSize2Xs: scaled(0.75), fontSize3Xs: scaled(0.6875), fontSizeLg: scaled(1.0625),
  fontSizeXl: scaled(1.125),
  fontWeightLight: "300", fontWeightNormal: "400", fontWeightMedium: "500", fontWeightBold: "600",
  spacingUnit: "4px", gridRowSpacing: spaced(3), gridColumnSpacing: spaced(3),
  tabSpacing: spaced(2), accordionItemSpacing: spaced(2),
  accordionItemLabelColorText: "var(--colorTextSecondary)",
  accordionItemLabelFontSize: "var(--fontSizeBase)",
  accordionItemLabelFontWeight: "var(--fontWeightMedium)",
  accordionItemLabelSelectedColorText: "var(--colorText)",
  accordionItemLabelSelectedFontWeight: "var(--fontWeightMedium)",
  accordionItemTriggerColor: "var(--colorTextSecondary)",
  accordionItemTriggerSelectedColor: "var(--colorPrimary)",
  accordionItemTriggerHoverColor: "var(--colorText)",
  colorPrimary: "#0a5fd0", colorBackground: "#ffffff", colorText: "#1f2733",
  colorSuccess: "#147a4a", colorDanger: "#c4183c", colorWarning: "#8a5a00",
  colorTextSecondary: "#5b6675", colorTextPlaceholder: "#6b7684",
  accessibleColorOnColorPrimary: "#ffffff",
  accessibleColorOnColorBackground: "var(--colorText)",
  buttonBoxShadow: "none", buttonColorBackground: "var(--colorPrimary)",
  buttonColorText: "var(--accessibleColorOnColorPrimary)", buttonFontSize: "var(--fontSizeBase)",
  buttonFontWeight: "var(--fontWeightMedium)", buttonPadding: `${spaced(2.5)} ${spaced(4)}`,
  iconColor: "var(--colorTextSecondary)", iconHoverColor: "var(--colorText)",
  iconCheckmarkColor: "var(--colorSuccess)",
  tabIconColor: "var(--iconColor)", tabIconHoverColor: "var(--iconHoverColor)",
  tabIconSelectedColor: "var(--colorPrimary)",
  focusBoxShadow: "0 0 0 3px color-mix(in srgb, var(--colorPrimary) 28%, transparent)",
  focusOutline: "2px solid transparent",
  inputBoxShadow: "0 1px 2px rgb(0 0 0 / 0.04)",
  inputColorBorder: "color-mix(in srgb, var(--colorText) 28%, var(--colorBackground))",
  inputFocusBoxShadow: "var(--focusBoxShadow)", inputFocusColorBorder: "var(--colorPrimary)",
  labelColorText: "var(--colorText)", labelFontSize: "var(--fontSizeSm)",
  labelFontWeight: "var(--fontWeightNormal)", labelSpacing: "var(--spacingUnit)",
  borderRadius: "6px", buttonBorderRadius: "var(--borderRadius)",
};

const THEMES = {
  stripe: {},
  night: {
    colorPrimary: "#8fd3ff", colorBackground: "#262a33", colorText: "#f3f5f8",
    colorSuccess: "#7fe0b0", colorDanger: "#ff9aa8", colorWarning: "#ffd27a",
    colorTextSecondary: "#b7bfcb", colorTextPlaceholder: "#a4adba", inputBoxShadow: "none",
  },
  flat: {
    colorPrimary: "#0a4f9e", colorBackground: "#f1f3f6", colorText: "#10151c",
    colorTextSecondary: "#4b5563", colorTextPlaceholder: "#5f6875", inputBoxShadow: "none",
    inputColorBorder: "transparent", borderRadius: "4px",
  },
};

// Earlier names of variables.
const EARLIER_NAMES = {
  spacingGridRow: "gridRowSpacing", spacingGridColumn: "gridColumnSpacing", spacingTab: "tabSpacing",
  spacingAccordionItem: "accordionItemSpacing",
  colorPrimaryText: "accessibleColorOnColorPrimary",
  colorBackgroundText: "accessibleColorOnColorBackground",
  colorIcon: "iconColor", colorIconHover: "iconHoverColor",
  colorIconCheckmark: "iconCheckmarkColor", colorIconTab: "tabIconColor",
  colorIconTabHover: "tabIconHoverColor", colorIconTabSelected: "tabIconSelectedColor",
};

// Variables of parts that do not exist here.
const IDLE_VARIABLES = [
  "accessibleColorOnColorSuccess", "accessibleColorOnColorDanger", "accessibleColorOnColorWarning",
  "colorSuccessText", "colorDangerText", "colorWarningText", "iconCardErrorColor",
  "iconCardCvcColor", "iconCardCvcErrorColor", "iconChevronDownColor", "iconChevronDownHoverColor",
  "iconCloseColor", "iconCloseHoverColor", "iconLoadingIndicatorColor", "iconMenuColor",
  "iconMenuHoverColor", "iconPasscodeDeviceColor", "iconPasscodeDeviceHoverColor",
  "iconPasscodeDeviceNotificationColor", "iconRedirectColor", "colorIconCardError",
  "colorIconCardCvc", "colorIconCardCvcError", "colorIconChevronDown", "colorIconChevronDownHover",
  "colorIconRedirect", "tabIconMoreColor", "tabIconMoreHoverColor", "colorIconTabMore",
  "colorIconTabMoreHover", "logoColor", "tabLogoColor", "tabLogoSelectedColor", "blockLogoColor",
  "colorLogo", "colorLogoTab", "colorLogoTabSelected", "colorLogoBlock",
  "buttonExpressCheckoutBorderRadius",
];

// The public parts that the element has, and those that only other elements or methods have.
const PARTS = [
  "AccordionButton", "AccordionItem", "AccordionItemLabel", "Block", "BlockAction", "Button", "Error", "Input",
  "Label", "RadioIcon", "RadioIconInner", "RadioIconOuter", "Tab", "TabIcon", "TabLabel", "TermsText",
];
const IDLE_PARTS = [
  "Action", "BlockDivider", "Checkbox", "CheckboxInput", "CheckboxLabel", "CodeInput", "Dropdown",
  "DropdownItem", "Link", "MenuAction", "MenuIcon", "PickerAction", "PickerItem", "RedirectText",
  "SecondaryLink", "Switch", "SwitchControl", "TermsLink", "Text",
];
const STATES = [
  "active", "checked", "disabled", "empty", "floating", "focused", "highlight", "invalid", "negative",
  "new", "open", "redirect", "resting", "selected", "terms", "webkit-autofill",
];
const PSEUDOS = [
  ":active", ":autofill", ":-webkit-autofill", ":disabled", ":focus", ":focus-visible", ":hover",
  "::placeholder", "::selection",
];
// Families of properties of a rule.
const PROPERTIES = new RegExp(`^(?:${[
  "background-color", "border(-.+)?", "box-shadow", "color", "fill(-opacity)?",
  "font(-(family|size|style|variant(-.+)?|variation-settings|weight|smoothing))?", "letter-spacing",
  "line-height", "margin(-.+)?", "(min-|max-)?(height|width)", "opacity", "outline(-.+)?", "padding(-.+)?",
  "text-(align|decoration(-.+)?|shadow|transform)", "transition(-.+)?", "-moz-.+", "-webkit-.+",
].join("|")})$`);

const kebab = (name) => name.replace(/^(webkit|moz)(?=[A-Z])/, "-$1")
  .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

// The selector of a rule in our sheet, or null if it names no part.
function partSelector(method, text) {
  const found = /^\.([A-Za-z]+)(--[a-z-]+)?((?:::?[a-z-]+)*)$/.exec(text.trim());
  const path = `appearance.rules[${shortly(text)}]`;
  if (!found) {
    warn(method, `${path} is no selector of one part, for example ".Input:focus".`);
    return null;
  }
  const [, part, state = "", pseudos] = found;
  if (!PARTS.includes(part) && !IDLE_PARTS.includes(part)) {
    warn(method, `${path} has an unknown part.`);
    return null;
  }
  if (state && !STATES.includes(state.slice(2))) {
    warn(method, `${path} has an unknown state.`);
    return null;
  }
  const unknown = (pseudos.match(/::?[a-z-]+/g) ?? []).filter((one) => !PSEUDOS.includes(one));
  if (unknown.length) {
    warn(method, `${path} has the unsupported ${unknown[0]}.`);
    return null;
  }
  return text.trim();
}

// Adds a rule to a sheet. The browser parses each value, so no value can end its rule.
function addRule(method, sheet, selector, declarations) {
  const style = sheet.cssRules[sheet.insertRule(`${selector} {}`, sheet.cssRules.length)].style;
  for (const [name, value] of Object.entries(declarations)) {
    const path = `appearance.rules[${shortly(selector)}].${name}`;
    checkKind(method, path, value, "string");
    const property = kebab(name);
    if (!PROPERTIES.test(property)) {
      warn(method, `${path} is unsupported.`);
      continue;
    }
    style.setProperty(property, value ?? "");
    if (value && style.getPropertyValue(property) === "") {
      warn(method, `${path} has the invalid value ${shortly(value)}.`);
    }
  }
}

// The text colour on a background: the one of black and white with more contrast.
function textOn(colour) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = "#000000";
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data].map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return light > 0.179 ? "#000000" : "#ffffff";
}

// The theme's variables with the merchant's own.
function variablesOf(method, { theme, variables = {} }) {
  const own = {};
  for (const [name, value] of Object.entries(variables)) {
    const path = `appearance.variables.${name}`;
    checkKind(method, path, value, "string");
    const current = EARLIER_NAMES[name] ?? name;
    if (value === undefined || value === null) continue;
    if (VARIABLES[current] !== undefined) own[current] = value;
    else if (!IDLE_VARIABLES.includes(name)) warn(method, `${path} is unknown and has no effect.`);
  }
  const all = { ...VARIABLES, ...THEMES[theme], ...own };
  if (!own.accessibleColorOnColorPrimary) {
    all.accessibleColorOnColorPrimary = textOn(all.colorPrimary);
  }
  // Secondary texts follow a text colour that the merchant chose.
  if (own.colorText) {
    const mixed = `color-mix(in srgb, var(--colorText) 72%, var(--colorBackground))`;
    all.colorTextSecondary = own.colorTextSecondary ?? mixed;
    all.colorTextPlaceholder = own.colorTextPlaceholder ?? mixed;
  }
  return all;
}

// The checked appearance, with its two style sheets.
function readAppearance(method, given) {
  checkMembers(method, "appearance", given, {
    disableAnimations: "boolean", inputs: ["spaced", "condensed"], labels: ["auto", "above", "floating"],
    rules: "object", theme: "string", variables: "object",
  });
  const { disableAnimations = false, inputs = "spaced", labels = "auto", rules } = given ?? {};
  let theme = given?.theme ?? "stripe";
  if (!Object.hasOwn(THEMES, theme)) {
    const names = Object.keys(THEMES).join(", ");
    warn(method, `appearance.theme ${shortly(theme)} is unknown. The themes are ${names}.`);
    theme = "stripe";
  }
  const variables = new CSSStyleSheet();
  const host = variables.cssRules[variables.insertRule(":host {}")].style;
  for (const [name, value] of Object.entries(variablesOf(method, { ...given, theme }))) {
    host.setProperty(`--${name}`, value);
  }
  const ruled = new CSSStyleSheet();
  for (const [selectors, declarations] of Object.entries(rules ?? {})) {
    checkKind(method, `appearance.rules[${shortly(selectors)}]`, declarations, "object");
    for (const one of selectors.split(",")) {
      const selector = partSelector(method, one);
      if (selector) addRule(method, ruled, selector, declarations ?? {});
    }
  }
  const floating = labels === "floating" || (labels === "auto" && inputs === "condensed");
  return { sheets: [variables, ruled], theme, floating, condensed: inputs === "condensed", disableAnimations };
}
