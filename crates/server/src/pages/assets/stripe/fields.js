// The fields of the Payment Element, and the faults of their values.

const TYPE = "us_bank_account";
const METHOD = "US bank account";
const FIELDS = [
  { name: "email", label: "Email", type: "email", complete: "email", hint: "you@example.com" },
  { name: "name", label: "Full name", type: "text", complete: "name", hint: "First and last name" },
];

// The fault of a typed value, or null.
function faultOf(name, text) {
  const value = text.trim();
  if (name === "name") return value ? null : { code: "incomplete_name", message: "Enter your full name." };
  if (!value) return { code: "incomplete_email", message: "Enter your email address." };
  const fits = /^[^\s@]+@[^\s@]+$/.test(value);
  return fits ? null : { code: "invalid_email", message: "Enter an email address such as you@example.com." };
}

function made(tag, classes, text, attributes = {}) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
