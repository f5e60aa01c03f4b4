// Members of a workspace: what each role sees and may do, in browsers of their own.
import AxeBuilder from '@axe-core/playwright';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, test } from '../harness/test';
import { administrator, type Deployment, type Person } from '../harness/deployment';
import { createNote, createWorkspace, uploadFile } from '../harness/content';
import { open, pageHeading, signIn, signOut } from '../harness/steps';

const lin: Person = { email: 'lin@example.com', password: 'yet another long pass phrase', name: 'Lin' };

/** A workspace of Grace's with a note and a file; she is signed in on `page`, Lin on the other one. */
async function scene(page: Page, otherBrowser: BrowserContext, deployment: Deployment) {
  const grace = await deployment.member();
  await deployment.member(lin);
  await signIn(page, grace);
  const workspace = await createWorkspace(page.request, 'Harbour survey');
  await createNote(page.request, workspace, 'soundings of the spring');
  await uploadFile(page.request, workspace, 'soundings.csv', Buffer.from('1,2,3'), 'text/csv');
  const other = await otherBrowser.newPage();
  await signIn(other, lin);
  return { workspace, other };
}

async function addLin(page: Page, workspace: string, role: 'Reader' | 'Editor' | 'Owner'): Promise<void> {
  await open(page, `/workspaces/${workspace}`);
  await page.getByRole('link', { name: 'Members', exact: true }).click();
  await expect(pageHeading(page, 'Members')).toBeVisible();
  await page.getByLabel('Email').fill(lin.email);
  await page.getByLabel('Role', { exact: true }).selectOption(role);
  await page.getByRole('button', { name: 'Add member' }).click();
  await expect(page.getByRole('combobox', { name: `Role of ${lin.name}` })).toHaveValue(role.toLowerCase());
}

test('an owner adds a reader, who sees everything and can change nothing', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(403, 404);
  const { workspace, other } = await scene(page, otherBrowser, deployment);
  await expect(other.getByText('No workspaces yet')).toBeVisible();
  expect((await other.request.get(`/workspaces/${workspace}`)).status()).toBe(404);

  await addLin(page, workspace, 'Reader');
  await open(other, '/workspaces');
  await expect(other.getByRole('row', { name: /Harbour survey/ })).toContainText('Reader');
  await other.getByRole('link', { name: 'Harbour survey' }).click();
  await expect(pageHeading(other, 'Harbour survey')).toBeVisible();
  await expect(other.getByText('soundings of the spring')).toBeVisible();
  const downloading = other.waitForEvent('download');
  await other.getByRole('link', { name: 'soundings.csv' }).click();
  expect((await downloading).suggestedFilename()).toBe('soundings.csv');
  for (const name of ['New note', 'Upload file', 'Edit', 'Delete', 'Rename', 'Describe', 'Delete workspace']) {
    await expect(other.getByRole('button', { name, exact: true }), name).toHaveCount(0);
  }
  await expect(other.getByRole('link', { name: 'Members', exact: true })).toHaveCount(0);

  // The server refuses what the page does not offer.
  const refusals: Record<string, Record<string, string>> = {
    create_note: { workspace, text: 'x' },
    update_workspace: { workspace, rev: '1', description: 'x' },
    delete_workspace: { workspace },
    add_workspace_member: { workspace, email: administrator.email, role: 'reader' },
  };
  for (const [endpoint, form] of Object.entries(refusals)) {
    expect((await other.request.post(`/api/${endpoint}`, { form })).status(), endpoint).toBe(403);
  }
  expect((await other.request.get(`/workspaces/${workspace}/members`)).status()).toBe(403);
});

test('an editor writes, and describes without renaming', async ({ page, otherBrowser, deployment }) => {
  const { workspace, other } = await scene(page, otherBrowser, deployment);
  await addLin(page, workspace, 'Editor');
  await open(other, `/workspaces/${workspace}`);
  await other.getByRole('button', { name: 'New note' }).click();
  await other.getByLabel('Note', { exact: true }).fill('written by an editor');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByText('written by an editor')).toBeVisible();
  await open(other, `/workspaces/${workspace}`);
  await other.getByRole('button', { name: 'Describe' }).click();
  await expect(other.getByLabel('Name', { exact: true })).toHaveCount(0);
  await other.getByLabel('Description').fill('what it is for');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.locator('.page-head').getByText('what it is for')).toBeVisible();
  await expect(pageHeading(other, 'Harbour survey')).toBeVisible();
  await expect(other.getByRole('button', { name: 'Delete workspace' })).toHaveCount(0);
});

test('a removal takes effect on the next request, and takes the data off an open page', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(404);
  const { workspace, other } = await scene(page, otherBrowser, deployment);
  await addLin(page, workspace, 'Reader');
  await open(other, `/workspaces/${workspace}`);
  await expect(other.getByText('soundings of the spring')).toBeVisible();

  await page.getByRole('button', { name: `Remove ${lin.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('combobox', { name: `Role of ${lin.name}` })).toHaveCount(0);
  expect((await other.request.post('/api/open_workspace', { form: { workspace } })).status()).toBe(404);
  await expect(other.getByRole('heading', { name: 'Not found' })).toBeVisible();
  await expect(other.getByText('soundings of the spring')).toHaveCount(0);
  await open(other, '/workspaces');
  await expect(other.getByText('Harbour survey')).toHaveCount(0);
});

test('an administrator who is no member finds nothing', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(404);
  const { workspace, other } = await scene(page, otherBrowser, deployment);
  await signOut(other);
  await signIn(other, administrator);
  await expect(other.getByText('No workspaces yet')).toBeVisible();
  const answer = await other.goto(`/workspaces/${workspace}`);
  expect(answer?.status()).toBe(404);
  await expect(other.getByRole('heading', { name: 'Not found' })).toBeVisible();
  expect((await other.request.post('/api/add_workspace_member', {
    form: { workspace, email: administrator.email, role: 'owner' },
  })).status()).toBe(404);
  await open(page, `/workspaces/${workspace}`);
  await expect(pageHeading(page, 'Harbour survey')).toBeVisible();
});

test('the last owner stays, and mistakes are told', async ({ page, otherBrowser, deployment }) => {
  const { workspace } = await scene(page, otherBrowser, deployment);
  await open(page, `/workspaces/${workspace}/members`);
  await page.getByRole('button', { name: 'Leave', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await expect(page.getByRole('alert')).toContainText('A workspace needs an owner');
  await page.getByLabel('Email').fill('stranger@example.com');
  await page.getByRole('button', { name: 'Add member' }).click();
  await expect(page.getByRole('alert')).toContainText('Nobody in your organization has this email address');
  await addLin(page, workspace, 'Owner');
  await page.getByLabel('Email').fill(lin.email);
  await page.getByRole('button', { name: 'Add member' }).click();
  await expect(page.getByRole('alert')).toContainText('a member already');
  // Now another owner is there.
  await page.getByRole('button', { name: 'Leave', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await expect(page.getByText('No workspaces yet')).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the pages of every role are sound and narrow, ${colorScheme}`, async ({ page, otherBrowser, deployment, console }) => {
    console.allowStatus(403);
    const { workspace, other } = await scene(page, otherBrowser, deployment);
    await addLin(page, workspace, 'Reader');
    await open(page, `/workspaces/${workspace}/members`);
    for (const seen of [page, other]) await seen.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await looksRight(page, 'members');
    await page.getByRole('button', { name: `Remove ${lin.name}` }).click();
    await looksRight(page, 'the question');
    for (const path of ['/workspaces', `/workspaces/${workspace}`, `/workspaces/${workspace}/members`]) {
      await open(other, path);
      await looksRight(other, `a reader at ${path}`);
    }
  });
}

async function looksRight(page: Page, name: string): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const short = found.violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html.slice(0, 200)) }));
  expect.soft(short, name).toEqual([]);
  const before = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 640 });
  expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(320);
  await page.setViewportSize(before);
}
