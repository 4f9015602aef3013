// Elements from plain values. Text stays text, whatever a guest is called.

// element("a", {href: "#x", class: "y"}, "text", child, …); absent children are left out.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return made;
}

// Text in which an option such as --pause=vmm is not broken at its hyphens.
export function prose(text) {
  return text.split(/(--[\w=-]+)/).map((piece, index) => (index % 2 ? element("span", { class: "option" }, piece) : piece));
}

// A section with its heading; `id` is what the contents link to.
export function section(id, title, ...children) {
  return element("section", { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title), ...children);
}

// What is wider than the page scrolls by itself, with the keyboard, too.
export function scrollable(label, ...children) {
  return element("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" }, ...children);
}

// A table of texts or elements: columns are {title, number}, rows are lists. The first cell of each
// row is its heading.
export function table(caption, columns, rows) {
  const cell = (content, column, index) => index === 0
    ? element("th", { scope: "row" }, content)
    : element("td", { class: column.number && "number" }, content);
  return element("table", {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, columns.map((column) =>
      element("th", { scope: "col", class: column.number && "number" }, column.title)))),
    element("tbody", {}, rows.map((row) =>
      element("tr", {}, row.map((content, index) => cell(content, columns[index], index))))));
}
