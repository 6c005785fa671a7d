/*
 * The search box as an ARIA combobox: htmx fills the list, the arrow keys move through it
 * while the focus stays in the box, Enter opens what is marked or else submits the search.
 */
const form = document.querySelector("[data-search]");

if (form) {
  const input = form.querySelector("input");
  const list = document.getElementById("search-results");
  const hits = () => [...list.querySelectorAll('[role="option"]:not([aria-disabled])')];
  const marked = () => list.querySelector('[aria-selected="true"]');

  const mark = (hit) => {
    marked()?.setAttribute("aria-selected", "false");
    hit?.setAttribute("aria-selected", "true");
    hit?.scrollIntoView({ block: "nearest" });
    if (hit) input.setAttribute("aria-activedescendant", hit.id);
    else input.removeAttribute("aria-activedescendant");
  };

  const show = (visible) => {
    list.hidden = !visible;
    input.setAttribute("aria-expanded", String(visible));
    if (!visible) mark(null);
  };

  const move = (step) => {
    const all = hits();
    if (!all.length) return;
    show(true);
    const at = all.indexOf(marked());
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
    // Beyond either end nothing is marked: one is back in the text.
    mark(all[next] ?? null);
  };

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && marked()) {
      event.preventDefault();
      marked().click();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (!list.hidden) show(false);
      else input.blur();
    }
  });

  list.addEventListener("htmx:afterSwap", () => {
    show(input.value.trim() !== "" && list.childElementCount > 0);
  });
  input.addEventListener("input", () => {
    if (!input.value.trim()) show(false);
  });
  input.addEventListener("focus", () => {
    if (input.value.trim() && list.childElementCount) show(true);
  });
  // Without a text there is nothing to ask the server.
  input.addEventListener("htmx:beforeRequest", (event) => {
    if (!input.value.trim()) event.preventDefault();
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) show(false);
  });
  // Pressing on a hit must not take the focus away before the click arrives.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
}
