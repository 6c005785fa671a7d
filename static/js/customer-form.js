/*
 * The customer form: says while one types whether a name is free, what the rate plan's setting
 * is, what does not make sense, and finds free numbers. Everything works without it.
 */
const root = document.querySelector("[data-customer-form]");
const form = root.closest("form");
const planValues = JSON.parse(document.getElementById("plan-values").textContent);
const field = (name) => form.elements.namedItem(name);

/** Calls `run` once typing has paused. */
function later(run, wait = 250) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}

/** The newest answer wins: slower, older ones are dropped. */
function fetcher(target) {
  let running;
  return async (url, options = {}) => {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(url, { ...options, signal: running.signal, headers: { "HX-Request": "true", ...options.headers } });
      if (answer.ok) target.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") target.textContent = "";
    }
  };
}

/* ---- names */

function check(input, url, target) {
  if (!input || !target) return;
  const load = fetcher(target);
  // What was said of the name that was refused is not true of another one.
  input.addEventListener(
    "input",
    () => {
      input.classList.remove("is-invalid");
      input.removeAttribute("aria-invalid");
      document.getElementById(`${input.id}_error`)?.remove();
    },
    { once: true },
  );
  input.addEventListener(
    "input",
    later(() => load(`${url}?${new URLSearchParams({ [input.name]: input.value, except: root.dataset.customer })}`)),
  );
  // Somebody may have typed before this script was there.
  if (input.value !== input.defaultValue) input.dispatchEvent(new Event("input", { bubbles: true }));
}

check(field("name"), root.dataset.nameCheck, document.getElementById("name-check"));
const username = field("person_username");
if (username) {
  const hint = document.createElement("div");
  hint.setAttribute("aria-live", "polite");
  username.closest("[id^='div_id_']").after(hint);
  check(username, root.dataset.usernameCheck, hint);
  const email = field("email");
  const propose = () => {
    const first = email.value.split(/[\s,;]+/)[0];
    username.placeholder = first;
    field("person_emails").placeholder = first;
  };
  email.addEventListener("input", propose);
  propose();
}

/* ---- what the plan says */

function showPlan() {
  const values = planValues[field("plan")?.value] ?? {};
  for (const element of root.querySelectorAll("[data-plan-default]")) {
    const value = values[element.dataset.planDefault];
    if (value === undefined) continue;
    const text = root.dataset.planText.replace("…", value);
    if (element.tagName === "SELECT") element.options[0].textContent = text;
    else element.placeholder = text;
  }
}

field("plan")?.addEventListener("change", () => {
  showPlan();
  const code = planValues[field("plan").value]?.currency;
  // An existing account keeps its currency and type; a new one follows the plan.
  if (code && !root.dataset.customer) field("currency").value = code;
});

/* ---- limits: the number shows only when it counts */

for (const select of root.querySelectorAll("select[data-limit]")) {
  const number = select.parentElement.querySelector("input") ?? select.nextElementSibling;
  const update = () => {
    number.hidden = select.value !== "number";
  };
  select.addEventListener("change", () => {
    update();
    if (!number.hidden) number.focus();
  });
  update();
}

/* ---- sense checks */

const warnings = document.getElementById("warnings");
if (warnings) {
  const load = fetcher(warnings);
  const ask = later(() => load(root.dataset.warningCheck, { method: "POST", body: new FormData(form) }), 400);
  const names = [
    ...["plan", "bill_type", "credit_limit", "currency", "low_balance", "auto_topup", "payment_type"],
    ...["bank_account_number", "taxes", "vat_treatment", "number", "has_administrator"],
    "time_zone",
  ];
  form.addEventListener("input", (event) => {
    if (names.includes(event.target.name)) ask();
  });
  ask();
}

/* ---- free numbers */

const picker = root.querySelector("[data-number-picker]");
const options = document.getElementById("number-options");
if (picker && options) {
  const load = fetcher(options);
  const inputs = [...picker.querySelectorAll("[data-picker]")];
  const search = later(() => {
    const query = new URLSearchParams(inputs.map((input) => [input.dataset.picker, input.value]));
    const chosen = picker.querySelector("input[name=number]:checked");
    if (chosen) query.set("number", chosen.value);
    load(`${picker.dataset.numberPicker}?${query}`);
  });
  for (const input of inputs) {
    input.addEventListener("input", (event) => {
      event.stopPropagation();
      search();
    });
  }
  picker.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-picker]")) event.preventDefault();
  });
}
