/*
 * Sets light or dark before the first paint, so the page never flashes in the wrong one.
 * Loaded in <head> without defer for that reason; everything else can wait.
 * The choice is kept in this browser: "light", "dark", or nothing for "like the system".
 */
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try {
      const choice = localStorage.getItem("theme");
      return choice === "auto" ? null : choice; // as the Django admin spells it
    } catch {
      return null; // storage may be forbidden; then the system decides
    }
  };

  const apply = () => {
    root.dataset.bsTheme = stored() ?? (system.matches ? "dark" : "light");
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      const chosen = button.dataset.themeChoice === (stored() ?? "auto");
      button.setAttribute("aria-pressed", String(chosen));
    }
  };

  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    try {
      if (button.dataset.themeChoice === "auto") localStorage.removeItem("theme");
      else localStorage.setItem("theme", button.dataset.themeChoice);
    } catch {
      return;
    }
    apply();
  });
})();
