/*
 * Remembers which sections of the menu are folded, in this browser. Loaded right after the
 * menu and without defer, so that folded sections never show for a moment.
 */
(() => {
  const key = "folded-menu";
  const sections = document.querySelectorAll("[data-section]");
  let folded = [];
  try {
    folded = JSON.parse(localStorage.getItem(key) ?? "[]");
  } catch {
    // No storage or not ours: everything stays open.
  }
  for (const section of sections) {
    const holdsCurrent = section.querySelector("[aria-current]");
    if (folded.includes(section.dataset.section) && !holdsCurrent) section.open = false;
  }
  document.getElementById("menu").addEventListener("click", (event) => {
    const section = event.target.closest("summary")?.parentElement;
    if (!section) return;
    const id = section.dataset.section;
    // The click arrives before the browser folds: open now means folded in a moment.
    folded = folded.filter((other) => other !== id);
    if (section.open) folded.push(id);
    try {
      localStorage.setItem(key, JSON.stringify(folded));
    } catch {
      // Folding still works, it is just not remembered.
    }
  });
})();
