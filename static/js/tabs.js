/* On a phone tabs scroll sideways: the one whose page this is begins in the middle. */
for (const tabs of document.querySelectorAll(".tabs")) {
  const current = tabs.querySelector("[aria-current]");
  if (!current) continue;
  const middle = (box) => box.left + box.width / 2;
  const [all, one] = [tabs, current].map((part) => part.getBoundingClientRect());
  tabs.scrollLeft += middle(one) - middle(all);
}
