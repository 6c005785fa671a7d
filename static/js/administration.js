/*
 * Names the boxes that complete what one types: the Django admin draws them without their
 * field's label, so a screen reader would only say "combobox".
 */
(() => {
  const jQuery = window.django?.jQuery;
  if (!jQuery) return; // a page without forms

  const nameBoxes = () => {
    for (const select of document.querySelectorAll("select.admin-autocomplete")) {
      const label = document.querySelector(`label[for="${select.id}"]`);
      const box = select.parentElement.querySelector(".select2-selection");
      if (!label || !box) continue;
      label.id ||= `${select.id}_label`;
      for (const part of [box, ...box.querySelectorAll("[role=textbox]")]) {
        part.setAttribute("aria-labelledby", label.id);
      }
    }
  };

  jQuery(nameBoxes); // after the handlers that draw them, which came first
})();
