/*
 * Password fields: a button to see what one types, and hints while choosing a new one.
 * The rules are the server's. Each comes as text with its kind and value in data attributes;
 * kinds this script cannot judge (such as "is it a common one") simply stay unmarked.
 */
const check = {
  length: (text, value) => text.length >= Number(value),
  not_numeric: (text) => text !== "" && !/^\d+$/.test(text),
  differs: (text, value) => {
    const words = value.toLowerCase().split(/[\s@._-]+/).filter((word) => word.length > 2);
    return text !== "" && !words.some((word) => text.toLowerCase().includes(word));
  },
};

const rules = [...document.querySelectorAll("[data-rule]")];
const first = document.querySelector("[data-rules-for]");
const input = first && document.getElementById(first.dataset.rulesFor);

function judge() {
  for (const rule of rules) {
    const met = check[rule.dataset.rule]?.(input.value, rule.dataset.value ?? "") ?? false;
    rule.dataset.met = met ? "yes" : "no";
  }
}

input?.addEventListener("input", judge);
if (input) judge();

const templates = document.getElementById("password-reveal");
for (const field of document.querySelectorAll('input[type="password"]')) {
  if (!templates) break;
  const wrap = document.createElement("div");
  wrap.className = "password-wrap";
  const hadFocus = field === document.activeElement || field.autofocus;
  field.before(wrap);
  wrap.append(field, templates.content.cloneNode(true));
  if (hadFocus && !document.querySelector("[data-error-summary]")) field.focus(); // moving lost it
  const button = wrap.querySelector("button");
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    field.focus();
  });
  // Never leave a readable password to the browser's memory of form fields.
  field.form?.addEventListener("submit", () => (field.type = "password"));
}
