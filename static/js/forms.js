/*
 * Forms: the error summary takes the focus, folded sections open when a field in them needs
 * attention, a second press on Save does nothing, and leaving with unsaved text is asked.
 *   data-focus-first  begin in the first field, where there is a keyboard to type on
 *   data-guard  warn before leaving when something was changed
 *   data-once   submit only once
 *   data-opens-part  on the options of a choice: the part with the option's value as its id
 *               is open while it is chosen
 *   data-download  on a button: its answer leaves the page as it is
 */
const summary = document.querySelector("[data-error-summary]");
summary?.focus();
if (!summary && !location.hash && matchMedia("(hover: hover)").matches) {
  const form = document.querySelector("form[data-focus-first]");
  form?.querySelector("input:is(:not([type]), [type=text], [type=email], [inputmode]), select")?.focus({ preventScroll: true });
}

/* Opens every folded part around the element, so that it can be seen and focused. */
function reveal(element) {
  for (let part = element.closest("details"); part; part = part.parentElement.closest("details")) {
    part.open = true;
  }
}

/* A link from another page may lead to one field, also of a folded part: "#id_country".
 * The address forgets it: a form that comes back with errors begins with their summary. */
function arrive() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target?.matches("input, select, textarea")) return;
  reveal(target);
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
  history.replaceState(history.state, "", location.pathname + location.search);
}

window.addEventListener("hashchange", arrive);
arrive();

document.addEventListener("invalid", (event) => reveal(event.target), true);

/* A choice opens the part of the form that belongs to it, and folds those of the others. */
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-opens-part]")) return;
  for (const option of event.target.form.querySelectorAll("[data-opens-part]")) {
    const part = document.getElementById(option.value);
    if (part?.matches("details")) part.open = option.checked;
  }
});

/* The browser may bring back a choice that was made before the page was left. */
window.addEventListener("pageshow", () => {
  for (const option of document.querySelectorAll("[data-opens-part]:checked")) {
    const part = document.getElementById(option.value);
    if (part?.matches("details")) part.open = true;
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#'], [data-section-nav] a");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  reveal(target);
  if (target.matches("details")) target.open = true;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const isPart = target.matches("[data-section-title]");
  target.scrollIntoView({ behavior: still ? "auto" : "smooth", block: isPart ? "start" : "center" });
  const fields = "input, select, textarea";
  const goal = isPart ? target.querySelector("summary") : target.matches(fields) ? target : target.querySelector(fields);
  goal?.focus({ preventScroll: true });
});

/* ---- unsaved changes */

const content = (form) => {
  const data = new FormData(form);
  data.delete("csrfmiddlewaretoken");
  return JSON.stringify([...data].map(([name, value]) => [name, value.name ?? value]));
};

const guarded = [...document.querySelectorAll("form[data-guard]")].map((form) => ({
  form,
  // A form that came back with an error holds what was typed and nobody saved.
  before: form.dataset.dirty === undefined ? content(form) : null,
}));

window.addEventListener("beforeunload", (event) => {
  const unsaved = guarded.some(({ form, before }) => !form.dataset.sent && content(form) !== before);
  if (unsaved) event.preventDefault();
});

/* ---- submit once */

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || event.defaultPrevented) return;
  if (form.dataset.once !== undefined && form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || event.submitter?.dataset.download !== undefined) return;
  form.dataset.sent = "yes";
  if (form.dataset.once !== undefined) {
    const button = event.submitter ?? form.querySelector('[type="submit"]');
    button?.setAttribute("aria-busy", "true");
  }
});

/* Back through the browser's history finds the page as it was left: make it usable again. */
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll('[aria-busy="true"]')) button.removeAttribute("aria-busy");
});

/* A download answers without leaving the page, so its form must stay usable. */
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form[data-sent]");
  if (!form) return;
  delete form.dataset.sent;
  for (const button of form.querySelectorAll('[aria-busy="true"]')) button.removeAttribute("aria-busy");
});
