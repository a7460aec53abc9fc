// Opens GraphiQL at the address given as the first argument, as a person would: runs a query, signs in, runs a
// subscription. Prints what was seen.
import { visit } from './browser.mjs';

// Runs a document in a tab of its own and waits until the answer has this text.
async function run(page, document, text) {
  await page.locator('button[aria-label="New tab"]').click();
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(document);
  await page.locator('.graphiql-execute-button').click();
  const result = page.locator('.result-window .view-lines');
  await result.filter({ hasText: text }).waitFor({ timeout: 20000 });
  return (await result.innerText()).replace(/\s+/g, '');
}

await visit(process.argv[2], async (page, seen) => {
  await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'query Tasks' }).waitFor({ timeout: 20000 });
  seen.tabs = await page.locator('.graphiql-tab').allInnerTexts();
  seen.answers.stranger = await run(page, '{ whoami }', 'whoami');
  await page.getByLabel('Password or token').fill('good');
  await page.getByRole('button', { name: 'Use' }).click();
  seen.answers.user = await run(page, '{ whoami task { id } }', 'ada');
  seen.answers.subscription = await run(page, 'subscription { count(to: 3) }', '3');
});
