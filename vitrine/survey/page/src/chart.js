// The two kinds of chart, as options of ECharts. Both have a row for each way of looking, and one
// axis for its figures: a logarithmic one has no place where bars could begin, so values are marks.
//
// A chart is {rows, series, axis, density, labels}:
//   rows    [{label, note, marks, bins}]: marks, one for each series or none, are {value, low, high,
//           text}; bins are [[up to, count], …] of a density; a note says why there are none
//   series  [names]
//   axis    {log, name, format, tick}
import { CustomChart, ScatterChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { element } from "./dom.js";
import { font, symbols } from "./palette.js";

echarts.use([CustomChart, ScatterChart, AriaComponent, GridComponent, LegendComponent,
  TooltipComponent, SVGRenderer]);
export { echarts };

// Where a row's name has no room beside the chart, it stands above its marks.
const narrow = (width) => width < 560;
const nameHeight = 18;
const rowHeight = (chart, width) =>
  (chart.density ? 40 : 20 + 8 * chart.series.length) + (narrow(width) ? nameHeight : 0);
const top = (chart) => (chart.series.length > 1 ? 34 : 8);

export const heightOf = (chart, width) =>
  top(chart) + chart.rows.length * rowHeight(chart, width) + 52;

// Where the axis begins and ends. Zero has no place on a logarithm's; it stands a decade below the
// least other value.
export function extent({ rows, axis }) {
  const all = rows.flatMap((row) => [
    ...row.marks.filter(Boolean).flatMap((mark) => [mark.value, mark.low, mark.high]),
    ...(row.bins ?? []).map(([upTo]) => upTo)]);
  if (!axis.log) {
    const most = Math.max(axis.least, ...all);
    const step = [0.02, 0.05, 0.1, 0.2].find((size) => most / size <= 6) ?? 0.25;
    return { min: 0, max: Math.ceil(most / step - 1e-9) * step, step };
  }
  const positive = all.filter((value) => value > 0);
  if (positive.length === 0) return { min: 0.1, max: 1, zero: true };
  const min = Math.floor(Math.log10(Math.min(...positive)) + 1e-9);
  const max = Math.max(Math.ceil(Math.log10(Math.max(...positive)) - 1e-9), min + 1);
  const zero = all.some((value) => value <= 0);
  return { min: 10 ** (zero ? min - 1 : min), max: 10 ** max, zero };
}

// The marks' place within their row, in pixels from its middle.
const shift = (chart, index, width) =>
  (chart.density ? 12 : (index - (chart.series.length - 1) / 2) * 8) + (narrow(width) ? nameHeight / 2 : 0);

function whiskers(chart, index, place, palette, width) {
  const color = palette.series[index];
  const data = chart.rows.flatMap((row, y) => {
    const mark = row.marks[index];
    return mark ? [[place(mark.low), place(mark.high), y, place(mark.value), mark.text]] : [];
  });
  return {
    type: "custom", name: chart.series[index], silent: true, data, z: 2,
    dimensions: ["low", "high", "row", "value", "text"],
    encode: { x: [0, 1, 3], y: 2 },
    itemStyle: { color },
    renderItem: (params, api) => {
      const [left, middle] = api.coord([api.value(0), api.value(2)]);
      const [right] = api.coord([api.value(1), api.value(2)]);
      const y = middle + shift(chart, index, width);
      const bar = (x) => ({ type: "line", shape: { x1: x, y1: y - 4, x2: x, y2: y + 4 }, style: { stroke: color, lineWidth: 1.5 } });
      const children = right - left < 1 ? [] : [bar(left), bar(right),
        { type: "line", shape: { x1: left, y1: y, x2: right, y2: y }, style: { stroke: color, lineWidth: 1.5 } }];
      if (chart.labels) {
        const area = params.coordSys;
        const toLeft = right > area.x + area.width - 90;
        children.push({ type: "text", x: toLeft ? Math.min(left - 9, right - 9) : right + 9, y, style: {
          text: data[params.dataIndex][4], fill: palette.ink, font: `12px ${font}`,
          align: toLeft ? "right" : "left", verticalAlign: "middle" } });
      }
      return { type: "group", children };
    },
  };
}

function points(chart, index, place, palette, width) {
  return {
    type: "scatter", name: chart.series[index], z: 3,
    symbol: symbols[index], symbolSize: symbols[index] === "rect" ? 8 : 10,
    symbolOffset: [0, shift(chart, index, width)],
    itemStyle: { color: palette.series[index], opacity: 1, borderColor: palette.page, borderWidth: 0.5 },
    emphasis: { scale: 1.3 },
    data: chart.rows.flatMap((row, y) => {
      const mark = row.marks[index];
      if (!mark) return [];
      const hollow = chart.axis.log && mark.value <= 0 &&
        { color: palette.page, borderColor: palette.series[index], borderWidth: 2 };
      return [{ value: [place(mark.value), y], row, index, itemStyle: hollow || undefined }];
    }),
  };
}

// Each row's distribution, as high as the row where most observations are.
function densities(chart, palette, width) {
  const step = 10 ** (1 / 40);
  return {
    type: "custom", silent: true, z: 1, encode: { x: [0, 1], y: 2 },
    data: chart.rows.flatMap((row, y) => (row.bins?.length ? [[row.bins[0][0], row.bins.at(-1)[0], y]] : [])),
    renderItem: (params, api) => {
      const y = api.value(2);
      const { bins } = chart.rows[y];
      const most = Math.max(...bins.map(([, count]) => count));
      const base = api.coord([bins[0][0], y])[1] + shift(chart, 0, width);
      const tall = rowHeight(chart, width) * (narrow(width) ? 0.45 : 0.6);
      const points = bins.flatMap(([upTo, count]) => {
        const [left] = api.coord([upTo / step, y]);
        const [right] = api.coord([upTo, y]);
        const up = base - (count / most) * tall;
        return [[left, base], [left, up], [right, up], [right, base]];
      });
      return { type: "polygon", shape: { points }, style: { fill: palette.series[0], opacity: 0.35 } };
    },
  };
}

// Leads the eye from a row's name to its marks.
function guides(chart, min, palette, width) {
  return {
    type: "custom", silent: true, z: 0, encode: { x: 0, y: 1 },
    data: chart.rows.map((row, y) => [min, y]),
    renderItem: ({ coordSys: { x, width: wide } }, api) => {
      const y = api.coord([api.value(0), api.value(1)])[1] +
        shift(chart, chart.density ? 0 : (chart.series.length - 1) / 2, width);
      return { type: "line", shape: { x1: x, y1: y, x2: x + wide, y2: y },
        style: { stroke: palette.rule, lineWidth: 1, lineDash: chart.density ? undefined : [2, 3] } };
    },
  };
}

// Why there is nothing in a row.
function notes(chart, min, palette, width) {
  return {
    type: "custom", silent: true, z: 2, encode: { x: 0, y: 1 },
    data: chart.rows.flatMap((row, y) => (row.note ? [[min, y]] : [])),
    renderItem: (params, api) => {
      const [x, y] = api.coord([api.value(0), api.value(1)]);
      return { type: "text", x: x + 8, y: y + (narrow(width) ? nameHeight / 2 : 0), style: {
        text: chart.rows[api.value(1)].note, fill: palette.muted,
        font: `italic 12px ${font}`, verticalAlign: "middle" } };
    },
  };
}

// What is pointed at, as elements: no text of a guest is ever taken for markup.
function pointedAt(chart) {
  return ({ data }) => element("div", {}, element("strong", {}, data.row.label),
    ...data.row.marks.flatMap((mark, index) =>
      (mark ? [element("div", {}, `${chart.series[index]}: ${mark.text}${mark.spread ? ` (${mark.spread})` : ""}`)] : [])));
}

// The whole option, for a page of `width` pixels.
export function optionOf(chart, palette, width, description) {
  const { min, max, zero, step } = extent(chart);
  const place = (value) => (chart.axis.log && value <= 0 ? min : value);
  const slim = narrow(width);
  const labelWidth = Math.min(190, 16 + 7.2 * Math.max(...chart.rows.map((row) => row.label.length)));
  const text = { color: palette.muted, fontFamily: font, fontSize: 12 };
  return {
    animation: false,
    textStyle: { fontFamily: font, color: palette.ink },
    aria: { enabled: true, label: { description } },
    grid: { left: slim ? 10 : labelWidth, right: slim ? 16 : 28, top: top(chart), bottom: 48 },
    legend: {
      show: chart.series.length > 1, left: slim ? 0 : labelWidth - 6, top: 0, itemGap: 16, itemWidth: 11, itemHeight: 11,
      selectedMode: false,
      textStyle: { ...text, color: palette.ink },
      data: chart.series.map((name, index) => ({ name, icon: symbols[index], itemStyle: { color: palette.series[index] } })),
    },
    tooltip: {
      trigger: "item", confine: true, formatter: pointedAt(chart), backgroundColor: palette.page,
      borderColor: palette.axis, textStyle: { color: palette.ink, fontFamily: font, fontSize: 13 },
    },
    xAxis: {
      type: chart.axis.log ? "log" : "value", min, max, interval: step, name: chart.axis.name, nameLocation: "middle", nameGap: 28,
      nameTextStyle: text, axisLine: { show: true, lineStyle: { color: palette.axis } },
      axisLabel: { ...text, hideOverlap: true, formatter: (value) => (zero && value <= min * 1.001 ? "0" : chart.axis.tick(value)) },
      splitLine: { lineStyle: { color: palette.rule } },
    },
    yAxis: {
      type: "category", inverse: true, data: chart.rows.map((row) => row.label),
      axisLine: { show: true, onZero: false, lineStyle: { color: palette.axis } }, axisTick: { show: false },
      splitLine: { show: !chart.density && (slim || chart.series.length > 2), lineStyle: { color: palette.rule } },
      axisLabel: slim
        ? { ...text, color: palette.ink, interval: 0, inside: true, margin: 4, verticalAlign: "bottom", padding: [0, 0, rowHeight(chart, width) / 2 - nameHeight, 0] }
        : { ...text, color: palette.ink, interval: 0, width: labelWidth - 14, overflow: "break" },
      z: 4,
    },
    series: [
      guides(chart, min, palette, width),
      ...(chart.density ? [densities(chart, palette, width)] : []),
      ...chart.series.flatMap((name, index) => [
        ...(chart.density ? [] : [whiskers(chart, index, place, palette, width)]),
        points(chart, index, place, palette, width)]),
      notes(chart, min, palette, width),
    ],
  };
}
