// Headless Chromium for a page of the server given by its address, as a person would open it. `seen` gathers what went
// wrong on the page, and every request that left for another host.
import { chromium } from 'playwright-core';

export async function open(address) {
  const url = new URL(address);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const seen = { foreign: [], problems: [], answers: {} };
  const note = (address) => {
    const { protocol, host } = new URL(address);
    if (!['data:', 'blob:'].includes(protocol) && host !== url.host) seen.foreign.push(address);
  };
  context.on('request', (request) => note(request.url()));
  const page = await context.newPage();
  page.on('websocket', (socket) => note(socket.url()));
  page.on('pageerror', (error) => seen.problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && seen.problems.push(message.text()));
  return { browser, page, seen };
}

// Runs the visit and prints what was seen; SCREENSHOT names a file for a picture.
export async function visit(address, walk) {
  const { browser, page, seen } = await open(address);
  try {
    await page.goto(address);
    await walk(page, seen);
  } catch (error) {
    seen.problems.push(String(error));
  } finally {
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await browser.close();
  }
  console.log(JSON.stringify(seen));
}
