/*
 * Dialogs. data-open-dialog="id" opens one; a button with data-confirm="question" asks first:
 *   data-confirm-danger  makes the confirming button red
 */
const dialog = document.getElementById("confirm");
let answered = null;

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open-dialog]");
  if (opener) {
    opener.closest("details[data-menu]")?.removeAttribute("open");
    document.getElementById(opener.dataset.openDialog)?.showModal();
    return;
  }
  // A click on the backdrop hits the dialog itself, not what is in it.
  if (event.target.matches("dialog[open]") && event.target.id !== "confirm") event.target.close();

  const button = event.target.closest("button[data-confirm]");
  if (!button || !dialog) return;
  if (answered === button) {
    answered = null;
    return;
  }
  event.preventDefault();
  const yes = dialog.querySelector("[data-confirm-yes]");
  const danger = button.dataset.confirmDanger !== undefined;
  dialog.querySelector("[data-confirm-title]").textContent = button.textContent.trim();
  dialog.querySelector("[data-confirm-text]").textContent = button.dataset.confirm;
  yes.textContent = button.textContent.trim();
  yes.classList.toggle("btn-danger", danger);
  yes.classList.toggle("btn-primary", !danger);
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    () => {
      button.focus();
      if (dialog.returnValue !== "yes") return;
      answered = button;
      button.click();
    },
    { once: true },
  );
  dialog.showModal();
});
