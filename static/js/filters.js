/*
 * The filter bar stands outside the part that htmx swaps, so that typing is never disturbed.
 * When a chip is removed or the history goes back, its fields follow the address.
 */
function follow(form) {
  const wanted = new URLSearchParams(window.location.search);
  for (const field of form.elements) {
    if (!field.name || field === document.activeElement) continue;
    if (field.type === "checkbox" || field.type === "radio") {
      field.checked = wanted.getAll(field.name).includes(field.value);
    } else if (field.options && field.multiple) {
      for (const option of field.options) option.selected = wanted.getAll(field.name).includes(option.value);
    } else {
      field.value = wanted.get(field.name) ?? "";
    }
  }
}

/* Links about the list as it is shown, such as its export. */
function followLink(link) {
  const address = new URL(link.href);
  address.search = window.location.search;
  link.href = address;
}

function followAll() {
  document.querySelectorAll("form[data-filters]").forEach(follow);
  document.querySelectorAll("a[data-follows-filters]").forEach(followLink);
}

document.addEventListener("htmx:pushedIntoHistory", followAll);
window.addEventListener("popstate", followAll);

/* Empty fields say nothing: keep them out of the address, which people bookmark and send. */
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches?.("form[data-filters]")) return;
  const given = event.detail.formData;
  for (const [name, value] of [...given]) {
    if (value === "") given.delete(name);
  }
});

/* On a phone the filters beside the search are folded, unless some are in use. */
for (const button of document.querySelectorAll("[data-filter-more]")) {
  const form = button.closest("form");
  const others = [...form.querySelectorAll(".filter-field:not(.is-search) :is(input, select)")];
  const fold = (open) => {
    form.classList.toggle("is-unfolded", open);
    button.setAttribute("aria-expanded", open);
  };
  button.addEventListener("click", () => fold(!form.classList.contains("is-unfolded")));
  fold(others.some((field) => (field.type === "checkbox" ? field.checked : field.value)));
}
