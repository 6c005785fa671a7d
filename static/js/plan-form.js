/* A rate plan's form: what each setting would inherit follows the plan that is chosen. */
const labels = JSON.parse(document.getElementById("plan-labels").textContent);
const base = document.querySelector("select[data-plan]");

function show() {
  const texts = labels[base.value] ?? {};
  for (const element of document.querySelectorAll("[data-plan-default]")) {
    const text = texts[element.dataset.planDefault];
    if (text === undefined) continue;
    if (element.tagName === "SELECT") element.options[0].textContent = text;
    else element.placeholder = text;
  }
}

base.addEventListener("change", show);
