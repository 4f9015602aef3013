// A chart with its caption, the same as a table, and a button that saves it as SVG. It is drawn anew
// when its width, the colour scheme or the medium changes.
import { echarts, heightOf, optionOf } from "./chart.js";
import { element, scrollable, table } from "./dom.js";
import { dark, light } from "./palette.js";
import { shown } from "./study.js";

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const printWidth = 660;  // what fits between the margins of a page
const savedWidth = 800;
const drawn = [];

const hasMarks = (chart) => chart.rows.some((row) => row.marks.some(Boolean));

function describe(title, chart) {
  const row = ({ label, note, marks }) => `${label}: ${note ??
    marks.flatMap((mark, index) => (mark ? [`${chart.series.length > 1 ? `${chart.series[index]} ` : ""}${mark.text}`] : [])).join(", ")}`;
  return `${title}. ${chart.rows.map(row).join("; ")}. The table below has the same.`;
}

function tableOf(title, chart) {
  const columns = [{ title: "way of looking" }, ...chart.series.map((name) => ({ title: name, number: true }))];
  const cell = (row, mark) => (mark
    ? [mark.text, mark.spread && element("small", {}, mark.spread)].filter(Boolean)
    : row.note ?? "–");
  return table(title, columns, chart.rows.map((row) =>
    [row.label, ...chart.series.map((name, index) => cell(row, row.marks[index]))]));
}

// A light one of a fixed size, whatever the page looks like now.
function svgOf(title, chart) {
  const image = echarts.init(null, null, { renderer: "svg", ssr: true, width: savedWidth, height: heightOf(chart, savedWidth) });
  image.setOption({ ...optionOf(chart, light, savedWidth, title), backgroundColor: light.page });
  const svg = image.renderToSVGString();
  image.dispose();
  const heading = document.createElementNS("http://www.w3.org/2000/svg", "title");
  heading.textContent = `${title} ${shown.view} of ${shown.guest}, ${shown.workload}`;
  const at = svg.indexOf(">") + 1;
  return svg.slice(0, at) + new XMLSerializer().serializeToString(heading) + svg.slice(at);
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  element("a", { href: address, download: `${name}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// `make` returns the chart (see chart.js) of what is shown now.
export function figure(id, title, note, make) {
  const canvas = element("div", { class: "chart", id: `${id}-chart` });
  const details = element("details", {});
  const button = element("button", { type: "button", click: () => save(`vitrine-${id}`, svgOf(title, make())) }, "Save as SVG");
  const nothing = element("p", { class: "nothing" }, "Nothing of this was measured.");
  const made = element("figure", { id: `${id}-figure`, "aria-labelledby": `${id}-caption` },
    element("figcaption", { id: `${id}-caption` }, element("strong", {}, title), " ", note),
    canvas, nothing, element("div", { class: "below" }, details, button));
  let instance;
  const draw = (palette, width) => {
    const chart = make();
    const there = hasMarks(chart);
    nothing.hidden = there;
    canvas.hidden = button.hidden = !there;
    const expanded = details.open;
    details.hidden = chart.rows.length === 0;
    details.replaceChildren(element("summary", {}, "The same as a table"), scrollable(`${title}, table`, tableOf(title, chart)));
    details.open = expanded;
    if (!there || width === 0) return;
    const height = heightOf(chart, width);
    instance ??= echarts.init(canvas, null, { renderer: "svg", width, height });
    instance.clear();  // or what is drawn by its place in a list would be taken for what is there now
    instance.resize({ width, height });
    instance.setOption(optionOf(chart, palette, width, describe(title, chart)));
  };
  drawn.push({ draw, made });
  return made;
}

let printing = false;
export function drawAll() {
  for (const { draw, made } of drawn)
    draw(prefersDark.matches && !printing ? dark : light, printing ? printWidth : made.clientWidth);
}

// Draws whenever it has to be drawn anew.
export function keepDrawn(container) {
  let width = container.clientWidth;
  let due = 0;  // once for all that changed before the next frame
  const soon = () => { cancelAnimationFrame(due); due = requestAnimationFrame(drawAll); };
  new ResizeObserver(() => {
    if (container.clientWidth === width || printing) return;
    width = container.clientWidth;
    soon();
  }).observe(container);
  prefersDark.addEventListener("change", soon);
  const print = (begins) => () => { printing = begins; drawAll(); };
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
  drawAll();
}
