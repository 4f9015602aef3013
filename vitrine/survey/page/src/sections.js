// What the report says in words and plain tables.
import { cellLink } from "./data_table.js";
import { element, prose, scrollable, section, table } from "./dom.js";
import { frequency, number, size, time } from "./format.js";
import { absence, shown, study, values, way } from "./study.js";

const count = (state) => study.cells.filter((cell) => cell.state === state).length;

export function summary() {
  const measured = count("measured");
  const parts = [`${number(measured)} of ${number(study.cells.length)} cells measured`,
    ...["refused", "failed", "missing"].filter((state) => count(state) > 0)
      .map((state) => `${number(count(state))} ${absence[state]}`)];
  const started = study.cells.map((cell) => cell.started_unix_ns).filter((at) => at > 0);
  const when = started.length > 0
    ? `First runs from ${time(Math.min(...started))} to ${time(Math.max(...started))}. ` : "";
  return [element("p", { class: "lead" }, study.cells.length > 0 ? `${parts.join(", ")}.` : "This survey has no cells."),
    element("p", {}, `${when}A cell is one way of looking at one view of one guest, at one frequency.`)];
}

const marks = { confirmed: "✓", refined: "≈", refuted: "✕", unknown: "?" };

export function findings() {
  const list = study.findings.map((finding) => element("li", {},
    element("p", { class: "statement" },
      element("span", { class: `verdict ${finding.verdict}` }, element("span", { "aria-hidden": "true" }, marks[finding.verdict] ?? "?"),
        ` ${finding.verdict}`), " ", element("strong", {}, prose(finding.statement))),
    element("p", {}, prose(finding.explanation)),
    finding.evidence.length > 0 && element("details", {},
      element("summary", {}, `Its numbers (${finding.evidence.length})`),
      element("ul", {}, finding.evidence.map((index) => element("li", {}, cellLink(index)))))));
  return section("findings", "Findings",
    element("p", {}, "What Suneja, Isci, de Lara and Bala (“Exploring VM Introspection: Techniques and Trade-offs”, 2015) say, judged by the figures of this survey."),
    list.length > 0 ? element("ol", { class: "findings" }, list) : element("p", { class: "nothing" }, "There is nothing to judge."));
}

// The choice of what the charts are of, where there is one.
export function choice(changed) {
  const selects = ["guest", "workload", "view"].filter((member) => values(member).length > 1).map((member) =>
    element("label", {}, `${member} `, element("select", { id: `choose-${member}`, change: (event) => {
      shown[member] = event.target.value;
      changed();
    } }, values(member).map((value) => element("option", { value, selected: value === shown[member] }, value)))));
  const fixed = ["guest", "workload", "view"].filter((member) => values(member).length === 1)
    .map((member) => `${member} ${shown[member]}`).join(", ");
  if (study.cells.length === 0) return undefined;
  return element("form", { class: "choice", "aria-label": "What the charts show", submit: (event) => event.preventDefault() },
    element("span", {}, `Charts show ${fixed}`), selects);
}

// What is the same of many cells is said once.
function absences() {
  const found = new Map();
  for (const cell of study.cells) {
    if (cell.state === "measured" && cell.unsuccessful === 0) continue;
    const state = cell.state === "measured"
      ? `${cell.unsuccessful} of ${cell.runs + cell.unsuccessful} runs` : absence[cell.state];
    const reason = cell.reason || (cell.state === "missing" ? "planned, and not run yet" : "no reason was given");
    const key = JSON.stringify([way(cell), state, reason]);
    found.set(key, [...(found.get(key) ?? []), cell]);
  }
  const unique = (cells, show) => [...new Set(cells.map(show))].join(", ");
  return [...found].map(([key, cells]) => {
    const [name, state, reason] = JSON.parse(key);
    const of = ["view", "guest", "workload"].map((member) => unique(cells, (cell) => cell[member]));
    return [name, state, prose(reason), [...of, unique(cells, (cell) => frequency(cell.frequency_hz))].join("; ")];
  });
}

export function absent() {
  const rows = absences();
  const columns = ["way of looking", "state", "reason", "of"].map((title) => ({ title }));
  return section("absent", "What was not measured",
    rows.length === 0
      ? element("p", {}, study.cells.length === 0 ? "There was nothing to measure." : "Every cell that was planned was measured.")
      : scrollable("What was not measured, table", table("Not measured, and why", columns, rows)));
}

export function taxonomy() {
  const members = ["class", "effect", "cooperation", "snapshot", "liveness", "access", "demands"];
  const titles = ["technique", "class", "effect", "in the guest", "memory", "the guest", "access", "needs"];
  return section("techniques", "The techniques",
    element("p", {}, "Passive: the VM cannot notice. Intrusive: noticeable, and undone when the access ends. Persistent: stays."),
    scrollable("The techniques, table", table("The taxonomy, and what each technique demands", titles.map((title) => ({ title })),
      study.techniques.map((technique) => [element("code", {}, technique.id), ...members.map((member) => prose(technique[member]))]))));
}

export function environment() {
  const facts = Object.entries(study.facts).flatMap(([name, value]) =>
    [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, value)]);
  const guests = study.guests.map((guest) => [guest.name, guest.release || "unknown", size(guest.memory_bytes), number(guest.processors), number(guest.tasks)]);
  return section("environment", "Environment",
    facts.length > 0 ? element("dl", {}, facts) : element("p", { class: "nothing" }, "The survey notes no facts."),
    guests.length > 0 && scrollable("Guests", table("The guests that were looked into", [{ title: "guest" }, { title: "kernel" },
      { title: "memory", number: true }, { title: "processors", number: true }, { title: "tasks at the beginning", number: true }], guests)));
}
