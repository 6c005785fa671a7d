// Says what is under the pointer beside a plot's title; without it the browser's tooltips do.

for (const plot of document.querySelectorAll("[data-plot]")) {
  const now = plot.querySelector("[data-plot-now]");
  const [label, amount] = now.children;
  const last = [label.textContent, amount.textContent];

  const say = ([what, much]) => {
    label.textContent = what;
    amount.textContent = much;
  };

  plot.addEventListener("pointermove", (event) => {
    const slot = event.target.closest?.(".plot-slot");
    say(slot ? [slot.dataset.label, slot.dataset.text] : last);
  });
  plot.addEventListener("pointerleave", () => say(last));
}
