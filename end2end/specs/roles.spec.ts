// A member sees the state of the key and may change nothing; the server refuses what the page does not offer.
import { expect, test } from '../harness/test';
import { createWorkspace } from '../harness/content';
import { activate, badge, open, openDataEncryption, pageHeading, signIn } from '../harness/steps';

test('a member sees the state, with the controls disabled and the reason beside them', async ({ page, deployment, kms }) => {
  await signIn(page, await deployment.member());
  await openDataEncryption(page);
  await expect(badge(page, 'Provider key')).toBeVisible();
  for (const name of ['Activate Key', 'Test Key']) {
    const button = page.getByRole('button', { name });
    await expect(button).toBeVisible();
    await expect(button).toBeDisabled();
  }
  await expect(page.getByRole('main').getByText(/administrator/i).first()).toBeVisible();
  const arn = await kms.createKey();
  for (const endpoint of ['activate_key', 'delete_key', 'test_key']) {
    const answer = await page.request.post(`/api/${endpoint}`, { form: { arn } });
    expect(answer.status(), endpoint).toBe(403);
    expect(await answer.text(), endpoint).toContain('not_allowed');
  }
  await openDataEncryption(page);
  await expect(badge(page, 'Provider key')).toBeVisible();
});

test('a member cannot delete the key that an administrator activated', async ({ page, otherBrowser, deployment, kms }) => {
  const arn = await kms.createKey();
  await signIn(page);
  await activate(page, arn);
  const member = await otherBrowser.newPage();
  await signIn(member, await deployment.member());
  await openDataEncryption(member);
  await expect(badge(member, 'Your key is in control')).toBeVisible();
  await expect(member.getByRole('button', { name: 'Delete Key' })).toBeDisabled();
  expect((await member.request.post('/api/delete_key', { form: { arn } })).status()).toBe(403);
  await openDataEncryption(page);
  await expect(badge(page, 'Your key is in control')).toBeVisible();
});

test('a member works with workspaces as everybody does', async ({ page, deployment }) => {
  await signIn(page, await deployment.member());
  const workspace = await createWorkspace(page.request, 'Made by a member');
  await open(page, `/workspaces/${workspace}`);
  await expect(pageHeading(page, 'Made by a member')).toBeVisible();
});

test('nobody who is not signed in gets anything from any route', async ({ page, request, deployment }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Private');
  const forms: Record<string, Record<string, string>> = {
    data_encryption: {},
    test_key: { arn: 'x' },
    activate_key: { arn: 'x' },
    delete_key: { arn: 'x' },
    members: {},
    account: {},
    change_password: { current: 'x', new: 'x' },
    give_proof: { secret: 'x', then: '' },
    change_member_role: { member: workspace, role: 'administrator' },
    remove_member: { member: workspace },
    frame: {},
    audit_log: {},
    list_workspaces: {},
    open_workspace: { workspace },
    create_workspace: { name: 'x', description: '' },
    update_workspace: { workspace, rev: '1', name: 'x', description: '' },
    delete_workspace: { workspace },
    create_note: { workspace, text: 'x' },
    update_note: { workspace, note: workspace, rev: '1', text: 'x' },
    delete_note: { workspace, note: workspace },
    rename_file: { workspace, file: workspace, name: 'x' },
    delete_file: { workspace, file: workspace },
  };
  for (const [endpoint, form] of Object.entries(forms)) {
    const answer = await request.post(`${deployment.url}/api/${endpoint}`, { form });
    expect(answer.status(), endpoint).toBe(401);
  }
  const file = await request.get(`${deployment.url}/workspaces/${workspace}/files/${workspace}`, { maxRedirects: 0 });
  expect([302, 303, 401, 404]).toContain(file.status());
  await open(page, `/workspaces/${workspace}`);
  await expect(pageHeading(page, 'Private')).toBeVisible();
});

test('a request from another site is refused', async ({ page }) => {
  await signIn(page);
  const answer = await page.request.post('/api/create_workspace', {
    form: { name: 'Forged', description: '' },
    headers: { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(403);
  await open(page, '/workspaces');
  await expect(page.getByText('Forged')).toHaveCount(0);
});
