// Takes pictures of pages that lie in a folder, at the widths of a phone and of a desktop, in both color schemes.
//
//   node pictures.mjs MODULES PAGES PICTURES [PAGE WIDTH HEIGHT FILE]
//
// MODULES is the folder with playwright-core, PAGES the one with the pages. With a PAGE, only this one is taken, in the
// light scheme, to FILE.
import { createRequire } from 'node:module';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, pages, pictures, one, width, height, file] = process.argv.slice(2);
const { chromium } = createRequire(path.resolve(modules, 'package.json'))('playwright-core');

mkdirSync(pictures, { recursive: true });
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid() !== 0 });

/** The script of a page that lies in a folder has no agent to ask, so that only its style for scripts is applied. */
async function take(name, width, colorScheme, file, clip) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.route(/\.js(\?|$)/, (route) => route.abort());
  await page.goto(pathToFileURL(path.resolve(pages, `${name}.html`)).href);
  await page.evaluate(() => {
    document.documentElement.classList.add('js');
    document.getElementById('live').textContent = 'Live';
  });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) console.error(`${name} at ${width}: ${overflow} pixels too wide`);
  await page.screenshot({ path: file, fullPage: true, clip });
  await context.close();
}

if (one) {
  await take(one, Number(width), 'light', file, { x: 0, y: 0, width: Number(width), height: Number(height) });
} else {
  const names = readdirSync(pages).filter((name) => name.endsWith('.html')).map((name) => name.slice(0, -5));
  for (const name of names) {
    for (const width of [360, 1440]) {
      for (const scheme of ['light', 'dark']) {
        await take(name, width, scheme, path.join(pictures, `${name}-${width}-${scheme}.png`));
      }
    }
  }
}
await browser.close();
