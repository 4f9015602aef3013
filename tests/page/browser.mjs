// A headless Chromium, spoken to over a pipe in its DevTools protocol: nothing but Node is needed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
  "--disable-extensions", "--disable-dev-shm-usage", "--mute-audio", "--remote-debugging-pipe"];
const answerWithin = 45000;  // milliseconds

export class Browser {
  #next = 0;
  #waiting = new Map();
  #listeners = [];

  // Starts it with a profile of its own, gone when it is closed.
  constructor(program) {
    this.profile = mkdtempSync(join(tmpdir(), "vitrine-page-"));
    this.process = spawn(program, [...flags, `--user-data-dir=${this.profile}`, "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => this.process.once("close", resolve));
    this.process.once("error", (error) => this.#fail(error));
    this.process.once("exit", () => this.#fail(new Error("the browser ended")));
    this.process.stdio[3].on("error", (error) => this.#fail(error));
    let text = "";
    this.process.stdio[4].setEncoding("utf8").on("data", (data) => {
      const messages = (text + data).split("\0");
      text = messages.pop();
      messages.forEach((message) => this.#take(JSON.parse(message)));
    });
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      this.#listeners.forEach((listener) => listener({ method, params, tab: sessionId }));
      return;
    }
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }

  // Calls a method of the protocol, in a tab or in the browser itself.
  call(method, params = {}, tab = undefined) {
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method} took longer than ${answerWithin} ms`)), answerWithin);
      const settled = (then) => (value) => { clearTimeout(late); then(value); };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: tab })}\0`);
    });
  }

  listen(listener) { this.#listeners.push(listener); }

  async close() {
    await this.call("Browser.close").catch(() => this.process.kill("SIGKILL"));
    const late = setTimeout(() => this.process.kill("SIGKILL"), 3000);
    await this.ended;
    clearTimeout(late);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

// A tab, with all that it complained of and asked the network for.
export class Page {
  complaints = [];
  requests = [];

  static async open(browser) {
    const page = new Page();
    page.browser = browser;
    const { targetId } = await browser.call("Target.createTarget", { url: "about:blank" });
    page.tab = (await browser.call("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    browser.listen(({ method, params, tab }) => { if (tab === page.tab) page.#note(method, params); });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.call(`${domain}.enable`);
    return page;
  }

  #note(method, params) {
    if (method === "Runtime.exceptionThrown") this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled") this.complaints.push(`${params.type}: ${params.args.map((arg) => arg.value).join(" ")}`);
    if (method === "Log.entryAdded") this.complaints.push(`${params.entry.level}: ${params.entry.text}`);
    if (method === "Page.javascriptDialogOpening") {
      this.complaints.push(`dialog: ${params.message}`);
      this.call("Page.handleJavaScriptDialog", { accept: true });
    }
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    if (method === "Page.loadEventFired") this.loaded?.();
  }

  call(method, params) { return this.browser.call(method, params, this.tab); }

  async go(url) {
    const loaded = new Promise((resolve) => { this.loaded = resolve; });
    await this.call("Page.navigate", { url });
    await loaded;
  }

  // The value of an expression, awaited where it is a promise.
  async value(expression) {
    const { result, exceptionDetails } =
      await this.call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  // As on a screen of that width; `features` are of media queries, e.g. {"prefers-color-scheme": "dark"}.
  async show(width, features = {}, media = "") {
    await this.call("Page.bringToFront");  // or nothing is drawn
    await this.call("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 });
    await this.call("Emulation.setEmulatedMedia",
      { media, features: Object.entries(features).map(([name, value]) => ({ name, value })) });
    // Two frames: what observes the size has drawn by then.
    await this.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))");
  }

  async press(key) {
    const event = { key, code: key, windowsVirtualKeyCode: { Enter: 13, Tab: 9 }[key], text: key === "Enter" ? "\r" : undefined };
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }
}
