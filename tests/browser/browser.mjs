// Controls a browser: reads one command per line from standard input and prints one result per line, both as JSON.
//
//   node browser.mjs MODULES        MODULES is the folder with package.json's packages
//
//   {"id": 1, "page": 1, "act": "open", "with": {…}}  ->  {"id": 1, "done": …} or {"id": 1, "failed": "…"}
//
// At the end of its input it closes the browser and exits.
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { controls, focused, outside } from './inside.mjs';

const require = createRequire(path.resolve(process.argv[2], 'package.json'));
const { chromium } = require('playwright-core');
const axe = require('axe-core').source;

// Milliseconds. The first start reads several hundred megabytes while the machine is busy.
const PATIENCE = 180_000;
const HEIGHT = 800;

/** Starts Chromium in its sandbox, or without it as root and in containers where the sandbox does not work. */
async function launch() {
  const options = { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', timeout: PATIENCE };
  if (process.getuid() !== 0) {
    try {
      return await chromium.launch({ ...options, chromiumSandbox: true });
    } catch (error) {
      console.error(`Chromium does not start in its sandbox; trying without it: ${error.message}`);
    }
  }
  return chromium.launch({ ...options, chromiumSandbox: false });
}

const browser = await launch();

/** Pages by number, each in a separate context, with its requests and its console messages and errors. */
const open = new Map();

const acts = {
  async open(number, { url, width, scheme, script }) {
    const context = await browser.newContext({
      viewport: { width, height: HEIGHT },
      colorScheme: scheme,
      javaScriptEnabled: script,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const asked = [];
    const complaints = [];
    page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    open.set(number, { context, page, asked, complaints });
    await page.goto(url);
  },
  async close(number) {
    const { context, asked, complaints } = open.get(number);
    open.delete(number);
    await context.close();
    return { asked, complaints };
  },
  heard(number) {
    const { asked, complaints } = open.get(number);
    return { asked, complaints };
  },
  text: (number) => on(number).locator('body').innerText(),
  title: (number) => on(number).title(),
  address: (number) => on(number).url(),
  press: (number, key) => on(number).keyboard.press(key),
  type: (number, text) => on(number).keyboard.insertText(text),
  click: (number, selector) => on(number).click(selector),
  look: (number, expression) => on(number).evaluate(expression),
  focused: (number) => on(number).evaluate(focused),
  controls: (number) => on(number).evaluate(controls),
  outside: (number) => on(number).evaluate(outside),
  widen: (number, width) => on(number).setViewportSize({ width, height: HEIGHT }),
  scheme: (number, scheme) => on(number).emulateMedia({ colorScheme: scheme }),
  async picture(number, { file, height }) {
    const { width } = on(number).viewportSize();
    const clip = height ? { x: 0, y: 0, width, height } : undefined;
    await on(number).screenshot({ path: file, fullPage: true, clip });
  },
  /** Runs axe: returns each violated rule with its elements, and the number of passed rules. */
  async rules(number) {
    const page = on(number);
    await page.evaluate(axe);
    return page.evaluate(async () => {
      // Live updates would replace elements while axe checks them.
      const { replaceWith } = Element.prototype;
      Element.prototype.replaceWith = () => {};
      const { violations, passes } = await window.axe.run().finally(() => {
        Element.prototype.replaceWith = replaceWith;
      });
      const broken = violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map((node) => node.html).join(' ')}`);
      return { broken, kept: passes.length };
    });
  },
};

function on(number) {
  return open.get(number).page;
}

console.log(JSON.stringify({ id: 0, done: browser.version() }));
const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { id, page, act, with: given } = JSON.parse(line);
  const answer = { id };
  try {
    answer.done = (await acts[act](page, given)) ?? null;
  } catch (error) {
    answer.failed = `${act}: ${error.stack}`;
  }
  console.log(JSON.stringify(answer));
});
lines.on('close', async () => {
  await browser.close();
  process.exit(0);
});
