/*
 * What the page says back: toasts, announcements for screen readers, failed requests.
 * Other scripts announce through an event:
 *     document.dispatchEvent(new CustomEvent("portal:say", { detail: "Copied" }))
 */
const TOAST_SECONDS = 8;
const announcer = document.getElementById("announcer");
const toasts = document.getElementById("toasts");

function say(text) {
  if (announcer && text) announcer.textContent = text;
}

/* A toast stays while the pointer or the focus rests on it. */
function float(notice) {
  const toast = notice.cloneNode(true);
  notice.remove();
  toasts.append(toast);
  let timer;
  const wait = () => {
    timer = setTimeout(() => toast.remove(), TOAST_SECONDS * 1000);
  };
  const hold = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("pointerleave", wait);
  toast.addEventListener("focusout", wait);
  wait();
}

function floatAll() {
  if (!toasts) return;
  for (const notice of document.querySelectorAll(".messages [data-toast]")) float(notice);
}

function showFailure() {
  if (!toasts) return;
  const text = document.body.dataset.textError;
  if ([...toasts.children].some((toast) => toast.textContent.includes(text))) return;
  const toast = document.createElement("div");
  toast.className = "notice is-danger";
  toast.textContent = text;
  document.getElementById("messages")?.append(toast);
  float(toast);
}

document.addEventListener("portal:say", (event) => say(event.detail));
document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".notice")?.remove();
});
document.addEventListener("htmx:responseError", showFailure);
document.addEventListener("htmx:sendError", showFailure);
document.addEventListener("htmx:afterSettle", (event) => {
  floatAll();
  say(event.detail.elt?.dataset?.status);
});

/*
 * An answer from another address than asked means a redirect, most often to the login after
 * the session ended. Its page must not land inside a table: load it as a page of its own.
 */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  if (!xhr.responseURL || !pathInfo?.finalRequestPath) return;
  const asked = new URL(pathInfo.finalRequestPath, window.location.href);
  if (new URL(xhr.responseURL).pathname === asked.pathname) return;
  event.detail.shouldSwap = false;
  window.location.reload();
});

floatAll();
