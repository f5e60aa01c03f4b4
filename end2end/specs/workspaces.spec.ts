// Workspaces and notes: making, changing, removing; Markdown shown safely; two people with one note.
import { expect, test } from '../harness/test';
import { addToWorkspace, createNote, createWorkspace } from '../harness/content';
import { interactive, open, pageHeading, signIn } from '../harness/steps';
import type { Locator, Page } from '@playwright/test';

const note = (page: Page, text: string | RegExp): Locator => page.getByRole('article').filter({ hasText: text });

async function writeNote(page: Page, text: string): Promise<void> {
  await page.getByRole('button', { name: 'New note' }).click();
  await page.getByLabel('Note', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Save' }).click();
  // The page loads itself anew; only then is the note on it.
  await expect(note(page, text)).toBeVisible();
  await interactive(page);
  await expect(page.getByLabel('Note', { exact: true })).toHaveCount(0);
}

test('a workspace is made, renamed and deleted', async ({ page }) => {
  await signIn(page);
  await expect(page.getByText('No workspaces yet')).toBeVisible();
  await page.getByRole('button', { name: 'New workspace' }).click();
  const made = page.getByRole('dialog', { name: 'New workspace' });
  await expect(made.getByLabel('Name', { exact: true })).toBeFocused();
  await made.getByLabel('Name', { exact: true }).fill('Fraud model');
  await made.getByLabel('Description').fill('What we know\nand what we guess');
  await made.getByRole('button', { name: 'Create' }).click();
  await expect(pageHeading(page, 'Fraud model')).toBeVisible();
  await expect(page).toHaveURL(/\/workspaces\/[0-9a-f-]+$/);
  await expect(page.getByRole('paragraph').filter({ hasText: 'What we know' })).toBeVisible();

  await page.getByRole('button', { name: 'Rename' }).click();
  const edit = page.getByRole('dialog', { name: 'Rename or describe' });
  await edit.getByLabel('Name', { exact: true }).fill('Fraud model, production');
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(edit).toBeHidden();
  await expect(pageHeading(page, 'Fraud model, production')).toBeVisible();
  await expect(page).toHaveTitle('Fraud model, production · Keystead');
  await open(page, '/workspaces');
  await page.getByRole('link', { name: 'Fraud model, production' }).click();
  await expect(pageHeading(page, 'Fraud model, production')).toBeVisible();

  await page.getByRole('button', { name: 'Delete workspace' }).click();
  await page.getByRole('dialog', { name: 'Delete this workspace?' }).getByRole('button', { name: 'Delete' }).click();
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await expect(page.getByText('No workspaces yet')).toBeVisible();
});

test('a name is needed, may not be endless, and may be in any script', async ({ page }) => {
  await signIn(page);
  await page.getByRole('button', { name: 'New workspace' }).click();
  const dialog = page.getByRole('dialog', { name: 'New workspace' });
  for (const [name, message] of [
    ['   ', /Enter a name/],
    ['n'.repeat(121), /name is too long/],
  ] as const) {
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(dialog.getByText(message)).toBeVisible();
  }
  const name = '<b>Ünïcode</b> 日本語 🔑 "quoted" & more';
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(pageHeading(page, name)).toBeVisible();
});

test('a note is made, edited and deleted', async ({ page }) => {
  await signIn(page);
  await open(page, `/workspaces/${await createWorkspace(page.request, 'Notes')}`);
  await writeNote(page, 'First thought');
  await expect(note(page, 'First thought')).toBeVisible();
  await writeNote(page, 'Second thought');

  await note(page, 'First thought').getByRole('button', { name: 'Edit' }).click();
  await expect(page.getByLabel('Note', { exact: true })).toHaveValue('First thought');
  await page.getByLabel('Note', { exact: true }).fill('First thought, revised');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(note(page, 'First thought, revised')).toBeVisible();
  await page.reload();
  await expect(note(page, 'First thought, revised')).toBeVisible();
  await expect(note(page, 'Second thought')).toBeVisible();

  await open(page, new URL(page.url()).pathname);
  await note(page, 'Second thought').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog', { name: 'Delete this note?' }).getByRole('button', { name: 'Delete' }).click();
  await expect(note(page, 'Second thought')).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('article')).toHaveCount(1);
});

test('an empty note is refused', async ({ page }) => {
  await signIn(page);
  await open(page, `/workspaces/${await createWorkspace(page.request, 'Empty')}`);
  await page.getByRole('button', { name: 'New note' }).click();
  await page.getByLabel('Note', { exact: true }).fill('  \n ');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText(/A note cannot be empty/)).toBeVisible();
});

test('Markdown is shown, and nothing in it can act', async ({ page }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Markdown');
  const dangerous = [
    '# Findings',
    '',
    'A **strong** word, `code`, and [a link](https://example.com/).',
    '',
    '- one',
    '- two',
    '',
    '<script>window.harmed = "script"</script>',
    '<img src="x" onerror="window.harmed = \'image\'">',
    '<iframe src="https://evil.example/"></iframe>',
    '<a href="javascript:window.harmed=1" onclick="window.harmed=1">raw</a>',
    '[trick](javascript:window.harmed=1)',
    '<svg onload="window.harmed=1"></svg>',
    '<style>body { display: none }</style>',
    '<form action="https://evil.example/"><input name="password"></form>',
  ].join('\n');
  await createNote(page.request, workspace, dangerous);
  await open(page, `/workspaces/${workspace}`);
  const shown = page.getByRole('article');
  await expect(shown.getByRole('heading', { name: 'Findings' })).toBeVisible();
  await expect(shown.locator('strong', { hasText: 'strong' })).toBeVisible();
  await expect(shown.getByRole('listitem')).toHaveCount(2);
  await expect(shown.getByRole('link', { name: 'a link' })).toHaveAttribute('href', 'https://example.com/');
  for (const element of ['script', 'iframe', 'svg', 'style', 'form', 'input', '[onerror]', '[onclick]', '[href^="javascript"]']) {
    await expect(shown.locator('.prose').locator(element), element).toHaveCount(0);
  }
  expect(await page.evaluate(() => (window as unknown as { harmed?: unknown }).harmed)).toBeUndefined();
});

test('two people edit one note: the second is told, sees the newer text, and loses nothing', async ({ page, otherBrowser, deployment }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Shared');
  await createNote(page.request, workspace, 'The common text');
  const other = await otherBrowser.newPage();
  const grace = await deployment.member();
  await addToWorkspace(page.request, workspace, grace.email, 'editor');
  await signIn(other, grace);
  for (const somebody of [page, other]) {
    await open(somebody, `/workspaces/${workspace}`);
    await note(somebody, 'The common text').getByRole('button', { name: 'Edit' }).click();
  }
  await page.getByLabel('Note', { exact: true }).fill('What the first person wrote');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(note(page, 'What the first person wrote')).toBeVisible();

  await other.getByLabel('Note', { exact: true }).fill('What the second person wrote');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByText('Somebody else saved this note')).toBeVisible();
  await expect(other.getByText('What the first person wrote')).toBeVisible();
  await expect(other.getByLabel('Note', { exact: true })).toHaveValue('What the second person wrote');
  await page.reload();
  await expect(note(page, 'What the first person wrote')).toBeVisible();

  await other.getByRole('button', { name: 'Save' }).click();
  await expect(note(other, 'What the second person wrote')).toBeVisible();
  await page.reload();
  await expect(note(page, 'What the second person wrote')).toBeVisible();
});

test('what does not exist is said so, with its status', async ({ page, console }) => {
  console.allowStatus(404);
  await signIn(page);
  const missing = await page.goto('/workspaces/01900000-0000-7000-8000-000000000000');
  expect(missing?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: 'Not found' })).toBeVisible();
  const nowhere = await page.goto('/no-such-page');
  expect(nowhere?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
});
