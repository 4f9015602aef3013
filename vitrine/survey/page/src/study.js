// The survey's data, and the questions that the page asks it.
import { frequency } from "./format.js";

export const study = JSON.parse(document.getElementById("data").textContent);
study.cells.forEach((cell, index) => { cell.index = index; });

// The figures that are known, in the order of the table: [name, title, kind].
export const figures = [
  ["per_second", "observations a second", "rate"],
  ["latency_p50_ns", "latency, median", "duration"],
  ["latency_p90_ns", "latency, 90 %", "duration"],
  ["latency_p99_ns", "latency, 99 %", "duration"],
  ["latency_max_ns", "latency, longest", "duration"],
  ["stopped_ns", "guest stopped, each", "duration"],
  ["stopped_share", "guest stopped, share of time", "share"],
  ["cpu_ns", "CPU of this tool, each", "duration"],
  ["vmm_cpu_ns", "CPU of the VMM, each", "duration"],
  ["cpu_share", "CPU of this tool, share", "share"],
  ["vmm_cpu_share", "CPU of the VMM, share", "share"],
  ["written_bytes", "written to disks, each", "size"],
  ["peak_memory_bytes", "memory of this tool, at most", "size"],
  ["views", "observations", "number"],
  ["incomplete", "incomplete", "number"],
  ["reached", "demand reached", "number"],
  ["rows", "rows", "number"],
  ["collects", "collections, each", "number"],
  ["audited", "audited", "number"],
  ["intrinsic", "with intrinsic kinds", "number"],
  ["extrinsic", "with extrinsic kinds", "number"],
];

// A way of looking, as its options are on the command line.
export function way(cell) {
  return [cell.technique, cell.pause !== "none" && `--pause=${cell.pause}`,
    cell.demand !== "none" && `--${cell.demand}`].filter(Boolean).join(" ");
}

export function describe(cell) {
  return `${way(cell)}, ${cell.view}, ${cell.guest}, ${cell.workload}, ${frequency(cell.frequency_hz)}`;
}

// What a cell without figures says in their place.
export const absence = { refused: "refused", failed: "failed", missing: "not run" };

const rank = new Map(study.techniques.map((technique, index) => [technique.id, index]));
const order = (cell) => [rank.get(cell.technique) ?? rank.size,
  ["none", "vmm", "freeze"].indexOf(cell.pause), ["none", "atomic", "quiescent"].indexOf(cell.demand)];
function before(a, b) {
  const [left, right] = [order(a), order(b)];
  const differs = left.findIndex((value, index) => value !== right[index]);
  return differs < 0 ? 0 : left[differs] - right[differs];
}

// The values of a cell's member, in the order of the survey.
export const values = (member) => [...new Set(study.cells.map((cell) => cell[member]))];

// What the charts are of: one guest, one workload, one view. Begins with what most was measured of.
export const shown = {};
const tally = new Map();
for (const cell of study.cells) {
  const key = JSON.stringify([cell.guest, cell.workload, cell.view]);
  tally.set(key, (tally.get(key) ?? 0) + (cell.state === "measured" ? 1000 : 1));
}
if (tally.size > 0)
  [shown.guest, shown.workload, shown.view] =
    JSON.parse([...tally].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]);

// The cells that are shown, one list for each way of looking, in the order of the taxonomy.
export function rows() {
  const found = new Map();
  for (const cell of study.cells) {
    if (["guest", "workload", "view"].some((member) => cell[member] !== shown[member])) continue;
    found.set(way(cell), [...(found.get(way(cell)) ?? []), cell]);
  }
  return [...found.values()].sort((a, b) => before(a[0], b[0]));
}
