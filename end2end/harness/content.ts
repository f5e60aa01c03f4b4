// Content made through the same routes that the pages use, where a test is about something else than making it.
import { createHash } from 'node:crypto';
import { open as openFile } from 'node:fs/promises';
import { expect, type APIRequestContext } from '@playwright/test';

/** Creates a workspace as the person signed in, and returns its id. */
export async function createWorkspace(request: APIRequestContext, name: string, description = ''): Promise<string> {
  const answer = await request.post('/api/create_workspace', { form: { name, description }, maxRedirects: 0 });
  const id = /\/workspaces\/([^/?]+)$/.exec(answer.headers()['location'] ?? '')?.[1];
  expect(id, `create_workspace: ${answer.status()} ${await answer.text()}`).toBeTruthy();
  return id!;
}

/** Adds somebody of the organization to a workspace, as an owner of it. */
export async function addToWorkspace(
  request: APIRequestContext,
  workspace: string,
  email: string,
  role: 'reader' | 'editor' | 'owner',
): Promise<void> {
  const answer = await request.post('/api/add_workspace_member', { form: { workspace, email, role } });
  expect(answer.ok(), `add_workspace_member: ${answer.status()} ${await answer.text()}`).toBe(true);
}

export type StoredNote = { id: string; rev: number };

export async function createNote(request: APIRequestContext, workspace: string, text: string): Promise<StoredNote> {
  const answer = await request.post('/api/create_note', { form: { workspace, text } });
  expect(answer.ok(), `create_note: ${answer.status()} ${await answer.text()}`).toBe(true);
  return (await answer.json()) as StoredNote;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `size` bytes that look random and are the same each time for the same seed: a hash in counter mode. */
export function bytes(size: number, seed: string): Buffer {
  const block = createHash('sha512').update(seed).digest();
  const content = Buffer.alloc(size);
  for (let at = 0; at < size; at += block.length) {
    block.copy(content, at, 0, Math.min(block.length, size - at));
    // Another value in each block, so that blocks exchanged or lost change the content.
    if (at + 4 <= size) content.writeUInt32LE((at / block.length) >>> 0, at);
  }
  return content;
}

export async function sha256OfFile(path: string): Promise<string> {
  const file = await openFile(path);
  try {
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

/** Stores a file as the page's upload does, and returns its id. */
export async function uploadFile(
  request: APIRequestContext,
  workspace: string,
  name: string,
  content: Buffer,
  mediaType = 'application/octet-stream',
): Promise<string> {
  const answer = await request.post(`/workspaces/${workspace}/files`, {
    headers: { 'Content-Type': mediaType, 'X-File-Name': encodeURIComponent(name) },
    data: content,
  });
  expect(answer.status(), `upload: ${await answer.text()}`).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}
