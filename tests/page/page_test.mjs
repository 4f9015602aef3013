// The report as a reader's browser shows it.
// usage: node page_test.mjs CHROMIUM WRITE_SAMPLE AXE; exit status 77 where there is no browser
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dark, light } from "../../vitrine/survey/page/src/palette.js";
import { Browser, Page } from "./browser.mjs";

const [chromium, writeSample, axe] = process.argv.slice(2);
if (!existsSync(chromium)) {
  console.log("skipped: no chromium here; install it, then configure anew");
  process.exit(77);
}
const charts = ["frequency", "latency", "stopped", "cost", "vmm-cost", "consistency"];
const schemes = ["light", "dark"];
let folder, browser, page, data;

async function open(name, ...options) {
  const file = join(folder, `${name}.html`);
  writeFileSync(file, execFileSync(writeSample, options, { maxBuffer: 1 << 26, timeout: 30000 }));
  const opened = await Page.open(browser);
  await opened.go(`file://${file}`);
  await opened.show(1100);
  return opened;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "vitrine-report-"));
  browser = new Browser(chromium);
  page = await open("sample");
  data = await page.value("JSON.parse(document.getElementById('data').textContent)");
}, { timeout: 30000 });

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}, { timeout: 10000 });

const check = (name, body) => test(name, { timeout: 60000 }, body);

check("every chart is drawn, and described for who does not see it", async () => {
  for (const id of charts) {
    const chart = await page.value(`(() => {
      const chart = document.querySelector("#${id}-chart");
      return { texts: [...chart.querySelectorAll("svg text")].map((text) => text.textContent),
               marks: chart.querySelectorAll("svg path").length,
               role: chart.getAttribute("role"), label: chart.getAttribute("aria-label") };
    })()`);
    for (const text of ["map", "process-vm --pause=freeze", "dump", "refused", "failed", "not run"])
      assert.ok(chart.texts.includes(text), `${id}: no ${text} in ${chart.texts}`);
    assert.ok(chart.marks > 20, `${id}: ${chart.marks} paths`);
    assert.equal(chart.role, "img");
    assert.match(chart.label, /map: .*; adopt: refused/s);
  }
});

check("a chart's table says the same, and no number where nothing was measured", async () => {
  const rows = await page.value(`[...document.querySelectorAll("#frequency-figure tbody tr")].map((row) =>
    [...row.cells].map((cell) => cell.textContent))`);
  const of = Object.fromEntries(rows);
  assert.match(of.map, /^263,158 \/s/);
  assert.equal(of.adopt, "refused");
  assert.equal(of.dump, "failed");
  assert.equal(of.pmemsave, "not run");
  assert.equal(rows.length, 16);
});

check("the table of all figures holds the data", async () => {
  const rows = await page.value(`[...document.querySelectorAll("#figures-table tbody tr")].map((row) => ({
    id: row.id, text: row.textContent,
    figures: Object.fromEntries([...row.querySelectorAll("[data-figure]")].map((cell) =>
      [cell.dataset.figure, { value: cell.dataset.value, text: cell.textContent }])) }))`);
  assert.equal(rows.length, data.cells.length);
  data.cells.forEach((cell, index) => {
    assert.equal(rows[index].id, `cell-${index}`);
    assert.ok(rows[index].text.startsWith(cell.technique));
    for (const [name, { value, text }] of Object.entries(rows[index].figures)) {
      const figure = cell.figures[name];
      assert.equal(value, figure && String(figure.median), `${name} of cell ${index}`);
      if (!figure) assert.equal(text, "–");
    }
    const shown = Object.values(rows[index].figures).filter(({ value }) => value !== undefined);
    assert.equal(shown.length, Object.keys(cell.figures).length);
  });
});

check("what was not measured is told with its reason", async () => {
  const text = await page.value(`document.getElementById("absent").innerText`);
  for (const { reason, state } of data.cells)
    if (state !== "measured" || reason) assert.ok(text.includes(reason), reason);
  assert.match(text, /pmemsave\s+not run\s+planned, and not run yet/);
  assert.match(text, /1 of 4 runs\s+the VM was stopped meanwhile/);
});

check("every finding leads to its numbers", async () => {
  const found = await page.value(`[...document.querySelectorAll(".findings > li")].map((item) => ({
    text: item.textContent, links: [...item.querySelectorAll("a")].map((link) => link.getAttribute("href")) }))`);
  assert.equal(found.length, data.findings.length);
  data.findings.forEach((finding, index) => {
    assert.ok(found[index].text.includes(finding.statement));
    assert.ok(found[index].text.includes(finding.verdict));
    assert.deepEqual(found[index].links, finding.evidence.map((cell) => `#cell-${cell}`));
  });
  await page.value(`location.hash = "cell-3"`);
  assert.equal(await page.value(`document.querySelector("tr:target").id`), "cell-3");
});

check("it fits a phone, in both schemes and in print", async () => {
  for (const scheme of schemes)
    for (const media of ["", "print"]) {
      const width = media ? 680 : 360;
      await page.show(width, { "prefers-color-scheme": scheme }, media);
      const [wide, ink] = await page.value(`[document.getElementById("main").scrollWidth,
        getComputedStyle(document.documentElement).color]`);
      const all = await page.value("document.documentElement.scrollWidth");
      if (!media) assert.ok(all <= width && wide <= width, `${scheme}: ${all} of ${width} pixels`);
      const dark = scheme === "dark" && !media;
      assert.equal(ink, dark ? "rgb(232, 234, 237)" : "rgb(27, 31, 36)");
      const drawn = await page.value(`document.querySelector("#frequency-chart svg").getBoundingClientRect().right`);
      assert.ok(drawn <= width, `${scheme} ${media}: a chart of ${drawn} pixels`);
    }
});

check("charts are printed light, whatever the screen is", async () => {
  await page.show(1100, { "prefers-color-scheme": "dark" });
  const ink = () => page.value(`[...document.querySelectorAll("#frequency-chart text")]
    .find((text) => text.textContent === "map").getAttribute("fill")`);
  assert.equal(await ink(), "#e8eaed");
  await page.value(`dispatchEvent(new Event("beforeprint"))`);
  assert.equal(await ink(), "#1b1f24");
  await page.value(`dispatchEvent(new Event("afterprint"))`);
  assert.equal(await ink(), "#e8eaed");
});

check("the keyboard saves a chart as SVG", async () => {
  await page.show(360, { "prefers-color-scheme": "dark" });
  const saved = new Promise((resolve) => browser.listen(({ method, params }) => {
    if (method === "Browser.downloadProgress" && params.state === "completed") resolve();
  }));
  await browser.call("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, eventsEnabled: true });
  await page.value(`document.querySelector("#latency-figure button").focus()`);
  await page.press("Enter");
  await saved;
  assert.ok(readdirSync(folder).includes("vitrine-latency.svg"), readdirSync(folder).join(" "));
  const svg = readFileSync(join(folder, "vitrine-latency.svg"), "utf8");
  assert.match(svg, /^<svg[^>]* width="800"/);
  const other = await Page.open(browser);  // whose policy lets a parsed image have styles
  const parsed = await other.value(`(() => {
    const parsed = new DOMParser().parseFromString(${JSON.stringify(svg)}, "image/svg+xml");
    return { error: parsed.querySelector("parsererror")?.textContent, title: parsed.querySelector("title")?.textContent,
             texts: [...parsed.querySelectorAll("text")].map((text) => text.textContent) };
  })()`);
  assert.equal(parsed.error, undefined);
  assert.equal(parsed.title, `The time an observation takes. processes of ${data.guests[0].name}, idle`);
  assert.ok(parsed.texts.includes("background-snapshot"));
});

check("the keyboard sorts the table, what is absent last", async () => {
  const press = async () => {
    await page.value(`[...document.querySelectorAll("#figures-table thead button")]
      .find((button) => button.textContent === "observations a second").focus()`);
    await page.press("Enter");
    return page.value(`({ sort: document.querySelector("[aria-sort]").getAttribute("aria-sort"),
      values: [...document.querySelectorAll('[data-figure="per_second"]')].map((cell) => cell.dataset.value) })`);
  };
  const median = data.cells.flatMap((cell) => cell.figures.per_second?.median ?? []).sort((a, b) => a - b);
  const absent = data.cells.length - median.length;
  const texts = (values) => [...values.map(String), ...Array(absent).fill(undefined)];
  const rising = await press();
  assert.equal(rising.sort, "ascending");
  assert.deepEqual(rising.values.map((value) => value ?? undefined), texts(median));
  const falling = await press();
  assert.equal(falling.sort, "descending");
  assert.deepEqual(falling.values.map((value) => value ?? undefined), texts(median.reverse()));
});

check("charts show what is chosen", async () => {
  const first = () => page.value(`document.querySelector("#frequency-figure tbody td").firstChild.textContent`);
  const choose = (guest) => page.value(`(() => { const choice = document.getElementById("choose-workload");
    choice.value = "${guest}"; choice.dispatchEvent(new Event("change")); })()`);
  assert.equal(await first(), "263,158 /s");
  await choose("forks");
  assert.equal(await first(), "187,970 /s");
  await choose("idle");
});

check("a mark that is pointed at tells its figures", async () => {
  await page.show(1100);
  const { x, y } = await page.value(`(() => {
    const chart = document.querySelector("#frequency-chart");
    chart.scrollIntoView({ block: "center" });
    const mark = [...chart.querySelectorAll("path")].find((path) => path.getAttribute("fill") === "#0a6a94");
    const box = mark.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  })()`);
  for (const step of [3, 0]) await page.call("Input.dispatchMouseEvent", { type: "mouseMoved", x: x + step, y });
  await page.show(1100);
  const told = await page.value(`[...document.querySelectorAll("#frequency-chart > div")].at(-1).innerText`);
  assert.match(told, /^map\s+median of the runs: 263,158 \/s \(/);
});

// The contrast ratio of WCAG 2.2.
function contrast(one, other) {
  const luminance = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

check("charts keep their colours apart from the page", () => {
  for (const palette of [light, dark]) {
    for (const text of ["ink", "muted"]) assert.ok(contrast(palette[text], palette.page) >= 4.5, palette[text]);
    for (const mark of palette.series) assert.ok(contrast(mark, palette.page) >= 3, mark);
  }
});

check("axe finds nothing that keeps readers out", async () => {
  const audited = await open("audited");
  await audited.value(`document.querySelectorAll("details").forEach((details) => { details.open = true; })`);
  // Rows are alike, and each takes axe long.
  await audited.value(`document.querySelectorAll("#figures-table tbody tr:nth-child(n+4)").forEach((row) => row.remove())`);
  await audited.value(`${readFileSync(axe, "utf8")}; undefined`);
  for (const [scheme, width, only] of [["light", 360, "{}"], ["dark", 1100, `{ runOnly: ["color-contrast"] }`]]) {
    await audited.show(width, { "prefers-color-scheme": scheme });
    const violations = await audited.value(`axe.run({ exclude: ["svg"] }, ${only}).then(({ violations }) => violations.map((violation) =>
      violation.impact + ": " + violation.help + ": " + violation.nodes.slice(0, 3).map((node) => node.html).join(" | ")))`);
    assert.deepEqual(violations, [], scheme);
  }
});

check("a survey of nothing says so and draws nothing", async () => {
  const empty = await open("empty", "--empty");
  assert.equal(await empty.value(`document.querySelectorAll("svg").length`), 0);
  assert.match(await empty.value(`document.getElementById("frequency").innerText`), /Nothing of this was measured/);
  assert.deepEqual(empty.complaints, []);
});

check("nothing was complained of, and the network was asked for nothing", () => {
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.requests.filter((url) => !url.startsWith("blob:")), [`file://${join(folder, "sample.html")}`]);
});

check("the page's policy lets nothing out and no other script run", async () => {
  const before = page.requests.length;
  const outcome = await page.value(`(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script, Object.assign(new Image(), { src: "http://127.0.0.1:9/image" }));
    const fetched = await fetch("http://127.0.0.1:9/data").then(() => "fetched", () => "refused");
    return { ran: window.ran ?? false, fetched };
  })()`);
  assert.deepEqual(outcome, { ran: false, fetched: "refused" });
  for (const refused of [/inline script violates/, /127.0.0.1:9\/data.* violates/, /127.0.0.1:9\/image.* violates/])
    assert.ok(page.complaints.some((text) => refused.test(text)), page.complaints.join("\n"));
  assert.ok(page.requests.length - before <= 2);
});
