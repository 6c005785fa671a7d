/* Settings » Company: shows the logo and the colour as they would be, before saving. */

const preview = document.querySelector("[data-colour-preview]");
const field = document.getElementById("id_colour");

/** One channel of sRGB (0 to 255) as linear light (WCAG 2.2). */
function linear(channel) {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => linear(parseInt(colour.slice(at, at + 2), 16)));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

if (preview && field) {
  const picker = preview.querySelector("[data-colour-picker]");
  const sample = preview.querySelector("[data-colour-sample]");
  const text = preview.querySelector("[data-colour-text]");

  const show = () => {
    const colour = field.value.trim() || preview.dataset.default;
    const isColour = /^#[0-9a-f]{6}$/i.test(colour);
    sample.hidden = !isColour;
    if (!isColour) {
      text.textContent = preview.dataset.textBad;
      return;
    }
    picker.value = colour;
    const light = luminance(colour);
    const isBright = light > 0.179;
    const ratio = isBright ? (light + 0.05) / 0.05 : 1.05 / (light + 0.05);
    sample.style.backgroundColor = colour;
    sample.style.color = isBright ? "#000000" : "#ffffff";
    const words = ratio >= 7 ? preview.dataset.textGood : preview.dataset.textFair;
    text.textContent = words.replace("{ratio}", ratio.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }));
  };

  field.addEventListener("input", show);
  picker.addEventListener("input", () => {
    field.value = picker.value;
    show();
  });
  show();
}

const logo = document.getElementById("id_logo");
const frame = document.querySelector("[data-logo-preview]");

logo?.addEventListener("change", () => {
  const file = logo.files[0];
  if (!file || !file.type.startsWith("image/") || file.size > 1024 * 1024) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    frame.querySelector("img").src = reader.result;
    frame.hidden = false;
  });
  reader.readAsDataURL(file);
});
