// Draws the dashboards as PNG, from query results of a real Prometheus that tests/integration/truth.rs has recorded.
//
//   node draw.mjs ANSWERS MODULES OUT PANELS
//
// MODULES is the folder with package.json's packages. Writes the upper part of each dashboard to OUT, for the
// documentation, and the whole dashboard and each panel to PANELS, for review.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const [answersFile, modules, out, panels] = process.argv.slice(2);
const here = import.meta.dirname;
const require = createRequire(path.resolve(modules, 'package.json'));
const { build } = require('esbuild');
const { chromium } = require('playwright-core');

// @grafana/ui imports the default export, which an ES module does not get from this CommonJS module.
const scrollbars = {
  name: 'scrollbars',
  setup(builder) {
    builder.onResolve({ filter: /^react-custom-scrollbars-2$/ }, () => ({ path: 'scrollbars', namespace: 'scrollbars' }));
    builder.onLoad({ filter: /.*/, namespace: 'scrollbars' }, () => ({
      contents: "module.exports = require('react-custom-scrollbars-2/lib/index.js').Scrollbars",
      resolveDir: path.resolve(modules),
    }));
  },
};

const bundle = await build({
  entryPoints: [path.join(here, 'page.jsx')],
  bundle: true,
  write: false,
  outdir: 'bundle',
  format: 'iife',
  jsx: 'automatic',
  logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.svg': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl', '.png': 'dataurl' },
  nodePaths: [path.resolve(modules, 'node_modules')],
  plugins: [scrollbars],
});
const ending = (end) => bundle.outputFiles.filter((file) => file.path.endsWith(end)).map((file) => file.text).join('\n');

const html = `<!doctype html><title>drawing</title><style>${ending('.css')}
  body { margin: 8px; background: #f4f5f5; font-family: "DejaVu Sans", sans-serif; }
  h1 { font-size: 20px; margin: 4px 4px 10px; }
  h2 { font-size: 16px; margin: 0; padding-top: 10px; }
  .values { display: flex; }
  .empty { height: 100%; display: flex; align-items: center; justify-content: center; color: #666; }
</style><div id="page"></div>`;

const { dashboards } = JSON.parse(await readFile(answersFile, 'utf8'));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium's sandbox does not run as root.
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
let failed = false;
for (const { name, from, to, answers } of dashboards) {
  const dashboard = JSON.parse(await readFile(path.join(here, '../../dashboards/grafana', name), 'utf8'));
  const page = await browser.newPage({ viewport: { width: 1616, height: 900 } });
  page.on('pageerror', (error) => {
    failed = true;
    console.error(`${name}: ${error.stack}`);
  });
  // The components need an origin for local storage. All requests are answered here.
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  await page.goto('http://dashboards.invalid/');
  await page.setContent(html);
  await page.evaluate((given) => {
    window.pgmedic = given;
    window.grafanaBootData = { user: {}, settings: {} };
  }, { dashboard, answers, from, to });
  await page.addScriptTag({ content: ending('.js') });
  await page.waitForFunction(() => document.title === 'drawn', undefined, { timeout: 60_000 });
  const base = path.basename(name, '.json');
  await mkdir(path.join(panels, base), { recursive: true });
  await page.screenshot({ path: path.join(panels, `${base}.png`), fullPage: true });
  // Cut at the last row that starts within the first 33 lines of the grid.
  const section = dashboard.panels.filter(({ type, gridPos }) => type === 'row' && gridPos.y <= 33).at(-1);
  const { y } = await page.locator(`#row-${section.id}`).boundingBox();
  await page.screenshot({ path: path.join(out, `${base}.png`), fullPage: true, clip: { x: 0, y: 0, width: 1616, height: y } });
  for (const panel of dashboard.panels.filter((panel) => panel.type !== 'row')) {
    await page.locator(`#panel-${panel.id}`).screenshot({ path: path.join(panels, base, `${panel.id}.png`) });
  }
  await page.close();
}
await browser.close();
process.exit(failed ? 1 : 0);
