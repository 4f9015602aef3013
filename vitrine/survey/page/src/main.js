// Puts the report together.
import * as charts from "./charts.js";
import { dataTable } from "./data_table.js";
import { element, section } from "./dom.js";
import { drawAll, figure, keepDrawn } from "./figure.js";
import * as sections from "./sections.js";
import { study } from "./study.js";

const spread = "Marks are medians of the runs, whiskers the least and the greatest.";
const parts = [
  sections.findings(),
  section("frequency", "How often",
    sections.choice(drawAll),
    figure("frequency", "The highest frequency.", `Observations a second, one after the other. ${spread}`, charts.frequencyChart)),
  section("latency", "How long",
    figure("latency", "The time an observation takes.", "Shaded: the distribution over all runs, each as high where it is densest.", charts.latencyChart)),
  section("stopped", "Time stopped",
    figure("stopped", "How long the guest is stopped for an observation.", `Hollow marks at 0: it runs on. ${spread}`, charts.stoppedChart)),
  section("cost", "Cost to the host",
    figure("cost", "Processor time of this tool.", `By the frequency asked for. ${spread}`, () => charts.costChart("cpu_share")),
    figure("vmm-cost", "Processor time of the VMM.", "By the frequency asked for; the guest’s own work is part of it.", () => charts.costChart("vmm_cpu_share"))),
  section("consistency", "Consistency",
    figure("consistency", "Observations in which something does not fit together.",
      "Intrinsic: the guest itself was in the middle of something. Extrinsic: it moved on while it was read. Whiskers are 95 % confidence intervals.",
      charts.consistencyChart)),
  sections.absent(),
  sections.taxonomy(),
  sections.environment(),
  section("figures", "All figures",
    study.cells.length > 0 ? dataTable() : element("p", { class: "nothing" }, "There are none.")),
];

document.getElementById("summary").append(...sections.summary());
document.getElementById("contents").append(element("ul", {}, parts.map((part) =>
  element("li", {}, element("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)))));
const main = document.getElementById("main");
main.append(...parts);
keepDrawn(main);
