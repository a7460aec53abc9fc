// Opens the page of the REST dialects at the address given as the first argument, as a person would: chooses each
// dialect, signs in with the token given as the second, and tries the list of tasks. Prints what was seen.
import { visit } from './browser.mjs';

const token = process.argv[3];

await visit(process.argv[2], async (page, seen) => {
  const choice = page.locator('.topbar select');
  await choice.waitFor({ timeout: 20000 });
  seen.dialects = await choice.locator('option').allInnerTexts();
  seen.operations = {};
  for (const name of seen.dialects.toReversed()) {
    await choice.selectOption({ label: name });
    await page.locator('.info .link', { hasText: await choice.inputValue() }).waitFor({ timeout: 20000 });
    await page.locator('.opblock').first().waitFor({ timeout: 20000 });
    seen.operations[name] = await page.locator('.opblock').count();
  }
  await page.locator('.btn.authorize').first().click();
  const bearer = page.locator('.auth-container form', { has: page.getByLabel('auth-bearer-value') });
  await bearer.getByLabel('auth-bearer-value').fill(token);
  await bearer.locator('.btn.authorize').click();
  await page.locator('.modal-ux .btn-done').first().click();
  const list = page.locator('.opblock').filter({ hasText: '/api/v2/tasks/instances' }).first();
  await list.locator('.opblock-summary-control').click();
  await list.getByRole('button', { name: 'Try it out' }).click();
  await list.getByRole('button', { name: 'Execute' }).click();
  const status = list.locator('.live-responses-table .response-col_status').last();
  await status.waitFor({ timeout: 20000 });
  seen.answers.status = (await status.innerText()).trim().slice(0, 3);
  seen.answers.body = await list.locator('.live-responses-table .highlight-code').first().innerText();
});
