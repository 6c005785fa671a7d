/* The list of a long form's parts beside it, with a mark at the part one is in. */
const nav = document.querySelector("[data-section-nav]");
const sections = [...document.querySelectorAll("[data-section-title]")];

if (nav && sections.length > 2) {
  const list = document.createElement("ol");
  const links = new Map();
  for (const section of sections) {
    const link = document.createElement("a");
    link.href = `#${section.id}`;
    link.textContent = section.dataset.sectionTitle;
    link.classList.toggle("has-errors", section.classList.contains("has-errors"));
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
    links.set(section, link);
  }
  nav.append(list);
  nav.hidden = false;

  /* The current part is the last one whose head has passed the upper third of the window. */
  const update = () => {
    const line = window.innerHeight / 3;
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4;
    const passed = sections.filter((section) => section.getBoundingClientRect().top <= line);
    const current = atEnd && window.scrollY > 0 ? sections.at(-1) : (passed.at(-1) ?? sections[0]);
    for (const [section, link] of links) {
      if (section === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      update();
    });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  document.addEventListener("toggle", soon, true);
  update();
}
