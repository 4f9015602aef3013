// Bundles the page's scripts with the chart library and writes page.html, which lacks only the data.
// usage: node build.mjs OUTPUT (from this folder, after `npm ci`)
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const bundled = async (entry) => {
  const { outputFiles } = await build({
    entryPoints: [entry], bundle: true, minify: true, write: false, legalComments: "none",
    target: "es2020", format: "iife", logLevel: "warning",
  });
  return outputFiles[0].text.trim();
};
// The policy lets only this very script and this very style run; neither can fetch anything.
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const script = await bundled("src/main.js");
const style = await bundled("style.css");
if (/<\/script/i.test(script) || /<\/style/i.test(style)) throw new Error("a bundle ends its element");
const licences = ["echarts/NOTICE", "echarts/LICENSE", "echarts/licenses/LICENSE-d3", "zrender/LICENSE"]
  .map((path) => read(`node_modules/${path}`).replaceAll("--", "- -")).join("\n\n");
const parts = {
  POLICY: `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`,
  STYLE: style,
  SCRIPT: script,
  LICENCES: licences,
  LIBRARY: JSON.parse(read("node_modules/echarts/package.json")).version,
};
const page = read("page.html").replace(/@([A-Z]+)@/g, (mark, name) => parts[name] ?? mark);
writeFileSync(process.argv[2], page);
