/* Buttons with data-copy="id of an input" put its value on the clipboard. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const input = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    // Without the permission, or without HTTPS: mark it, so that Ctrl-C takes it.
    input.focus();
    input.select();
    return;
  }
  const text = document.body.dataset.textCopied;
  const label = [...button.childNodes].findLast((node) => node.textContent.trim());
  const before = label.textContent;
  if (before.trim() === text) return;
  label.textContent = ` ${text} `;
  document.dispatchEvent(new CustomEvent("portal:say", { detail: text }));
  setTimeout(() => (label.textContent = before), 2000);
});
