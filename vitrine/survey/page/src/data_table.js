// Every cell with every figure, to be sorted by any column.
import { element, scrollable } from "./dom.js";
import * as format from "./format.js";
import { absence, describe, figures, study, way } from "./study.js";

const known = new Set(figures.map(([name]) => name));
const present = new Set(study.cells.flatMap((cell) => Object.keys(cell.figures)));
// Those that some cell has; what this page does not know by name comes last, as plain numbers.
const shownFigures = [...figures.filter(([name]) => present.has(name)),
  ...[...present].filter((name) => !known.has(name)).sort().map((name) => [name, name.replaceAll("_", " "), "number"])];

const texts = [
  ["way of looking", way], ["view", (cell) => cell.view], ["guest", (cell) => cell.guest],
  ["workload", (cell) => cell.workload],
];
const states = (cell) => (cell.unsuccessful > 0 && cell.state === "measured"
  ? `measured, ${cell.unsuccessful} of ${cell.runs + cell.unsuccessful} runs not`
  : absence[cell.state] ?? cell.state);

const columns = [
  ...texts.map(([title, value]) => ({ title, value, show: value })),
  { title: "frequency", number: true, value: (cell) => cell.frequency_hz || Infinity, show: (cell) => format.frequency(cell.frequency_hz) },
  { title: "state", value: states, show: states },
  { title: "runs", number: true, value: (cell) => cell.runs, show: (cell) => String(cell.runs) },
  ...shownFigures.map(([name, title, kind]) => ({
    title, number: true, name, value: (cell) => cell.figures[name]?.median,
    show: (cell) => {
      const figure = cell.figures[name];
      if (!figure) return "–";
      const spread = figure.low < figure.high &&
        element("small", {}, `${format[kind](figure.low)} to ${format[kind](figure.high)}`);
      return [format[kind](figure.median), spread].filter(Boolean);
    },
  })),
];

function rowOf(cell) {
  return element("tr", { id: `cell-${cell.index}`, tabindex: "-1" }, columns.map((column, index) => {
    const content = column.show(cell);
    if (index === 0) return element("th", { scope: "row" }, content);
    return element("td", { class: column.number && "number", "data-figure": column.name,
      "data-value": column.name && column.value(cell) }, content);
  }));
}

// What is absent stays last, whichever way it is sorted.
function compare(column, down) {
  return (a, b) => {
    const [left, right] = [column.value(a), column.value(b)];
    if (left === undefined || right === undefined) return (left === undefined) - (right === undefined);
    const order = column.number ? (left > right) - (left < right) : left.localeCompare(right, "en", { numeric: true });
    return down ? -order : order;
  };
}

export function dataTable() {
  const rows = study.cells.map(rowOf);
  const body = element("tbody", {}, rows);
  const headings = columns.map((column) => element("th", { scope: "col", class: column.number && "number" },
    element("button", { type: "button", click: () => sort(column) }, column.title)));
  function sort(column) {
    const heading = headings[columns.indexOf(column)];
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sorted = [...study.cells].sort(compare(column, down));
    body.replaceChildren(...sorted.map((cell) => rows[cell.index]));
  }
  return scrollable("All figures, table", element("table", { id: "figures-table" },
    element("caption", {}, "Medians of the measured runs; below them, the least and the greatest."),
    element("thead", {}, element("tr", {}, headings)), body));
}

// A link to a cell's row.
export function cellLink(index) {
  return element("a", { href: `#cell-${index}` }, describe(study.cells[index]));
}
