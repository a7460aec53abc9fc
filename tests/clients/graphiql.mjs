// Opens the page given as the first argument in headless Chromium, as a person would: runs a query, signs in, runs a
// subscription. Prints what was seen, and every request that left for another host; SCREENSHOT names a file for a picture.
import { chromium } from 'playwright-core';

const url = new URL(process.argv[2]);
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

// Runs a document in a tab of its own and waits until the answer has this text.
async function run(document, text) {
  await page.locator('button[aria-label="New tab"]').click();
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(document);
  await page.locator('.graphiql-execute-button').click();
  const result = page.locator('.result-window .view-lines');
  await result.filter({ hasText: text }).waitFor({ timeout: 20000 });
  return (await result.innerText()).replace(/\s+/g, '');
}

try {
  await page.goto(url.href);
  await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'query Tasks' }).waitFor({ timeout: 20000 });
  seen.tabs = await page.locator('.graphiql-tab').allInnerTexts();
  seen.answers.stranger = await run('{ whoami }', 'whoami');
  await page.getByLabel('Password or token').fill('good');
  await page.getByRole('button', { name: 'Use' }).click();
  seen.answers.user = await run('{ whoami task { id } }', 'ada');
  seen.answers.subscription = await run('subscription { count(to: 3) }', '3');
} catch (error) {
  seen.problems.push(String(error));
} finally {
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  await browser.close();
}
console.log(JSON.stringify(seen));
