/*
 * Lists: a click anywhere on a row opens it, j/k or the arrow keys walk the row links (real
 * links with the real focus, so screen readers follow), x ticks, Enter is the link's own.
 */
const interactive = "a, button, input, label, select, textarea, summary, form";
const singleKeys = () => {
  try {
    return localStorage.getItem("single-keys") !== "off";
  } catch {
    return true;
  }
};

function updateTicks(table) {
  const ticks = [...table.querySelectorAll(".row-tick")];
  const on = ticks.filter((tick) => tick.checked).length;
  const all = table.querySelector("[data-tick-all]");
  const count = table.querySelector("[data-tick-count]");
  if (count) count.textContent = on;
  if (!all) return;
  all.checked = on > 0 && on === ticks.length;
  all.indeterminate = on > 0 && on < ticks.length;
  all.disabled = !ticks.length;
}

function open(row, newTab) {
  if (newTab) window.open(row.dataset.href, "_blank", "noopener");
  else window.location.assign(row.dataset.href);
}

for (const type of ["click", "auxclick"]) {
  document.addEventListener(type, (event) => {
    const row = event.target.closest("[data-table] tr[data-href]");
    if (!row || event.defaultPrevented || event.target.closest(interactive)) return;
    if (type === "auxclick" && event.button !== 1) return;
    // Marking text to copy it ends in a click, too.
    if (window.getSelection().toString()) return;
    open(row, event.ctrlKey || event.metaKey || event.button === 1);
  });
}

document.addEventListener("change", (event) => {
  const table = event.target.closest("[data-table]");
  if (!table) return;
  if (event.target.matches("[data-tick-all]")) {
    for (const tick of table.querySelectorAll(".row-tick")) tick.checked = event.target.checked;
  }
  if (event.target.matches("[data-tick-all], .row-tick")) updateTicks(table);
});

document.addEventListener("reset", (event) => {
  const table = event.target.closest("[data-table]");
  if (!table) return;
  event.preventDefault();
  for (const tick of table.querySelectorAll(".row-tick")) tick.checked = false;
  updateTicks(table);
  table.querySelector(".row-link")?.focus();
});

/* Shift and click ticks everything between, as in a mail program. */
let lastTick = null;
document.addEventListener("click", (event) => {
  const tick = event.target.closest(".row-tick");
  if (!tick) return;
  const ticks = [...(tick.closest("[data-table]")?.querySelectorAll(".row-tick") ?? [])];
  if (event.shiftKey && ticks.includes(lastTick)) {
    const [from, to] = [ticks.indexOf(lastTick), ticks.indexOf(tick)].sort((a, b) => a - b);
    for (const between of ticks.slice(from, to + 1)) between.checked = tick.checked;
  }
  lastTick = tick;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const focused = document.activeElement;
  const row = focused?.closest?.("[data-table] tbody tr");
  const letter = ["j", "k", "x"].includes(event.key);
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (letter && !singleKeys()) return;
  if (!row) {
    // From nowhere, j enters the first list of the page.
    if (event.key === "j" && (focused === document.body || focused?.id === "content")) {
      const first = document.querySelector("[data-table] .row-link");
      if (first) event.preventDefault();
      first?.focus();
    }
    return;
  }
  if (focused.matches("input:not([type=checkbox]), select, textarea")) return;
  if (step) {
    const links = [...row.closest("[data-table]").querySelectorAll(".row-link")];
    const next = links[links.indexOf(row.querySelector(".row-link")) + step];
    if (next) {
      event.preventDefault();
      next.focus();
      next.closest("tr").scrollIntoView({ block: "nearest" });
    }
  } else if (event.key === "x") {
    const tick = row.querySelector(".row-tick");
    if (!tick) return;
    event.preventDefault();
    tick.checked = !tick.checked;
    updateTicks(row.closest("[data-table]"));
  }
});

const updateAll = () => document.querySelectorAll("[data-table]").forEach(updateTicks);
document.addEventListener("htmx:afterSettle", updateAll);
window.addEventListener("pageshow", updateAll);
updateAll();
