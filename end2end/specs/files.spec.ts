// Files: what is uploaded comes back to the byte, in whole and in parts; several at once; limits are told.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '../harness/test';
import { bytes, createWorkspace, sha256, sha256OfFile, uploadFile } from '../harness/content';
import { gate } from '../harness/gate';
import { open, signIn } from '../harness/steps';
import type { Page } from '@playwright/test';

const MIB = 1024 * 1024;

async function choose(page: Page, files: string[]): Promise<void> {
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload file' }).click();
  await (await choosing).setFiles(files);
}

async function download(page: Page, name: string): Promise<string> {
  const downloading = page.waitForEvent('download', { timeout: 60_000 });
  await page.getByRole('link', { name, exact: true }).click();
  const file = await downloading;
  expect(file.suggestedFilename()).toBe(name);
  return sha256OfFile(await file.path());
}

test('a file of 50 MiB comes back to the byte', async ({ page }, info) => {
  test.slow();
  const content = bytes(50 * MIB, 'fifty');
  const path = info.outputPath('fifty.bin');
  await writeFile(path, content);
  await signIn(page);
  await open(page, `/workspaces/${await createWorkspace(page.request, 'Large')}`);
  await choose(page, [path]);
  await expect(page.getByRole('link', { name: 'fifty.bin', exact: true })).toBeVisible({ timeout: 60_000 });
  expect(await download(page, 'fifty.bin')).toBe(sha256(content));
});

test('several files at once, by button and by drag, each with its progress', async ({ page }, info) => {
  await signIn(page);
  await open(page, `/workspaces/${await createWorkspace(page.request, 'Several')}`);
  const contents = new Map<string, Buffer>();
  for (const [number, size] of [0, 1, 16_384, 3 * MIB + 7].entries()) {
    contents.set(`file ${number} – é.bin`, bytes(size, `several ${number}`));
  }
  const paths: string[] = [];
  for (const [name, content] of contents) {
    const path = join(info.outputPath(), name);
    await writeFile(path, content);
    paths.push(path);
  }
  await choose(page, paths);

  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['dropped content'], 'dropped.txt', { type: 'text/plain' }));
    return transfer;
  });
  await page.dispatchEvent('body', 'dragover', { dataTransfer: dropped });
  await expect(page.getByText('Drop files to upload them')).toBeVisible();
  await page.dispatchEvent('body', 'drop', { dataTransfer: dropped });
  await expect(page.getByText('Drop files to upload them')).toBeHidden();

  for (const name of [...contents.keys(), 'dropped.txt']) {
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible({ timeout: 30_000 });
  }
  for (const [name, content] of contents) expect(await download(page, name), name).toBe(sha256(content));
  expect(await download(page, 'dropped.txt')).toBe(sha256(Buffer.from('dropped content')));
});

test('a link that is being pressed when an upload ends is not taken away', async ({ page }, info) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Pressed');
  await uploadFile(page.request, workspace, 'first.bin', bytes(1_000, 'first'));
  await open(page, `/workspaces/${workspace}`);
  const path = info.outputPath('second.bin');
  await writeFile(path, bytes(1_000, 'second'));
  const [fetched, pressed] = [gate(), gate()];
  // The page asks for itself when the upload has ended.
  await page.route(`**/workspaces/${workspace}`, async (route) => {
    const answer = await route.fetch();
    fetched.open();
    await pressed.opened;
    await route.fulfill({ response: answer });
  });
  await choose(page, [path]);
  await fetched.opened;
  const first = page.getByRole('link', { name: 'first.bin', exact: true });
  const downloading = page.waitForEvent('download');
  await first.hover();
  await page.mouse.down();
  const answered = page.waitForResponse(`**/workspaces/${workspace}`);
  pressed.open();
  await answered;
  // Time enough to exchange the list, and less than a press may take.
  await page.waitForTimeout(100);
  await page.mouse.up();
  expect((await downloading).suggestedFilename()).toBe('first.bin');
  await expect(page.getByRole('link', { name: 'second.bin', exact: true })).toBeVisible();
});

test('a range, the end, and a range that does not exist', async ({ page }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Ranges');
  const content = bytes(100_000, 'ranges');
  const path = `/workspaces/${workspace}/files/${await uploadFile(page.request, workspace, 'ranges.bin', content)}`;
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 0],
    ['bytes=16383-16384', 16_383, 16_384],
    ['bytes=20000-69999', 20_000, 69_999],
    ['bytes=99990-', 99_990, 99_999],
    ['bytes=-10', 99_990, 99_999],
    ['bytes=99990-500000', 99_990, 99_999],
  ] as const) {
    const answer = await page.request.get(path, { headers: { Range: range } });
    expect(answer.status(), range).toBe(206);
    expect(answer.headers()['content-range'], range).toBe(`bytes ${from}-${to}/100000`);
    expect((await answer.body()).equals(content.subarray(from, to + 1)), range).toBe(true);
  }
  const beyond = await page.request.get(path, { headers: { Range: 'bytes=100000-' } });
  expect(beyond.status()).toBe(416);
  expect(beyond.headers()['content-range']).toBe('bytes */100000');
  const whole = await page.request.get(path);
  expect(whole.status()).toBe(200);
  expect(whole.headers()['accept-ranges']).toBe('bytes');
  expect(whole.headers()['content-disposition']).toMatch(/^attachment/);
  expect(whole.headers()['x-content-type-options']).toBe('nosniff');
  expect((await whole.body()).equals(content)).toBe(true);
});

test('a file is deleted', async ({ page }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Deleting');
  const file = await uploadFile(page.request, workspace, 'gone.bin', bytes(1000, 'gone'));
  await open(page, `/workspaces/${workspace}`);
  await page.getByRole('row', { name: /gone\.bin/ }).getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog', { name: 'Delete this file?' }).getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('link', { name: 'gone.bin' })).toHaveCount(0);
  expect((await page.request.get(`/workspaces/${workspace}/files/${file}`)).status()).toBe(404);
});

test.describe('with a limit of 1 MiB', () => {
  test.use({ settings: { KEYSTEAD_MAX_FILE_BYTES: String(MIB) } });

  test('a file that is too large is refused with a clear error, in the page and by the server', async ({ page, console }, info) => {
    console.allowStatus(413);
    const path = info.outputPath('large.bin');
    await writeFile(path, bytes(MIB + 1, 'large'));
    const fitting = info.outputPath('fitting.bin');
    await writeFile(fitting, bytes(MIB, 'fitting'));
    await signIn(page);
    const workspace = await createWorkspace(page.request, 'Limits');
    await open(page, `/workspaces/${workspace}`);
    await choose(page, [path, fitting]);
    await expect(page.getByRole('alert').filter({ hasText: 'too large' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'fitting.bin' })).toBeVisible();
    const answer = await page.request.post(`/workspaces/${workspace}/files`, {
      headers: { 'Content-Type': 'application/octet-stream', 'X-File-Name': 'large.bin' },
      data: bytes(2 * MIB, 'larger'),
    });
    expect(answer.status()).toBe(413);
    await open(page, `/workspaces/${workspace}`);
    await expect(page.getByRole('link', { name: 'large.bin' })).toHaveCount(0);
  });
});
