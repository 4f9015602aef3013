// What the charts are of: each makes a chart (see chart.js) from the cells that are shown.
import { duration, frequency, number, rate, share } from "./format.js";
import { absence, rows, way } from "./study.js";

const compact = (value) => value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });

// A figure's median, and how far the runs lie apart.
function mark(cell, name, format) {
  const figure = cell?.figures[name];
  if (!figure) return undefined;
  return {
    value: figure.median, low: figure.low, high: figure.high, text: format(figure.median),
    spread: cell.runs > 1 ? `${format(figure.low)} to ${format(figure.high)}` : undefined,
  };
}

const note = (cell, marks) => (marks.some(Boolean) ? undefined : absence[cell.state] ?? "not measured");

// A row for each way that was tried as often as possible.
const flatOut = () => rows().flatMap((cells) => cells.filter((cell) => cell.frequency_hz === 0));

function simple(name, axis) {
  return () => ({
    series: ["median of the runs"], labels: true, axis: { log: true, ...axis },
    rows: flatOut().map((cell) => {
      const marks = [mark(cell, name, axis.format)];
      return { label: way(cell), marks, note: note(cell, marks) };
    }),
  });
}

export const frequencyChart = simple("per_second", { name: "observations a second", format: rate, tick: compact });
export const stoppedChart = simple("stopped_ns", { name: "guest stopped, each observation", format: duration, tick: duration });

export function latencyChart() {
  return {
    density: true, series: ["median", "99 %"],
    axis: { log: true, name: "time an observation takes", format: duration, tick: duration },
    rows: flatOut().map((cell) => {
      const marks = ["latency_p50_ns", "latency_p99_ns"].map((name) => mark(cell, name, duration));
      return { label: way(cell), marks, bins: cell.latencies, note: note(cell, marks) };
    }),
  };
}

// The four frequencies that most cells have; each way in one row.
export function costChart(name) {
  const all = rows();
  const frequencies = [...new Set(all.flat().map((cell) => cell.frequency_hz))]
    .sort((a, b) => (a || Infinity) - (b || Infinity)).slice(-4);
  return {
    series: frequencies.map(frequency), axis: { log: true, name: "share of one processor", format: share, tick: share },
    rows: all.map((cells) => {
      const marks = frequencies.map((hz) => mark(cells.find((cell) => cell.frequency_hz === hz), name, share));
      const absent = cells.find((cell) => cell.state !== "measured") ?? cells[0];
      return { label: way(cells[0]), marks, note: note(absent, marks) };
    }),
  };
}

export function consistencyChart() {
  const shareMark = (audit, kind) => (audit ? {
    value: audit[kind].share, low: audit[kind].low, high: audit[kind].high, text: share(audit[kind].share),
    spread: `${share(audit[kind].low)} to ${share(audit[kind].high)}, of ${number(audit.audited)}`,
  } : undefined);
  const audited = rows().flatMap((cells) => {
    const best = cells.reduce((a, b) => ((b.audit?.audited ?? 0) > (a.audit?.audited ?? 0) ? b : a));
    return best.audit || best.state !== "measured" ? [best] : [];
  });
  return {
    series: ["intrinsic", "extrinsic"], axis: { log: false, name: "share of observations", least: 0.1, format: share, tick: share },
    rows: audited.map((cell) => {
      const marks = ["intrinsic", "extrinsic"].map((kind) => shareMark(cell.audit, kind));
      return { label: way(cell), marks, note: note(cell, marks) };
    }),
  };
}
