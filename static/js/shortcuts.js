/*
 * Single keys. "/" and "?" are fixed; anything with data-shortcut="n" or "g c" is pressed by
 * those keys. They can be switched off in the help dialog, because speech input and some
 * keyboards send letters nobody meant (WCAG 2.1.4).
 */
const KEY = "single-keys";
const SEQUENCE_SECONDS = 1.2;
let pressed = [];
let timer;

const stored = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

const typing = (target) =>
  target.isContentEditable || target.closest?.("input, textarea, select, dialog[open]");

function run(key) {
  if (key === "/") {
    const search = document.getElementById("search");
    search?.focus();
    search?.select();
    return Boolean(search);
  }
  if (key === "?") {
    document.getElementById("shortcuts")?.showModal();
    return true;
  }
  pressed.push(key);
  clearTimeout(timer);
  timer = setTimeout(() => (pressed = []), SEQUENCE_SECONDS * 1000);
  const all = [...document.querySelectorAll("[data-shortcut]")];
  const typed = pressed.join(" ");
  const match = all.find((element) => element.dataset.shortcut === typed);
  if (match) {
    pressed = [];
    match.click();
    return true;
  }
  // Not the start of any sequence: this key begins anew.
  if (!all.some((element) => element.dataset.shortcut.startsWith(`${typed} `))) {
    pressed = pressed.length > 1 ? [key] : [];
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.defaultPrevented || typing(event.target) || stored() === "off") return;
  if (run(event.key)) event.preventDefault();
});

for (const choice of document.querySelectorAll("[data-single-keys]")) {
  choice.checked = stored() !== "off";
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, choice.checked ? "on" : "off");
    } catch {
      // Not remembered without storage; nothing else to do.
    }
  });
}

/* Drop-down menus made of <details> close on Esc, on a click elsewhere, and when left. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
for (const type of ["click", "focusin"]) {
  document.addEventListener(type, (event) => {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}
