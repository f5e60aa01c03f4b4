// A proxy between the program and the local KMS, for what the emulator cannot be made to do: deny one scope, refuse every use
// of any key with a given code, answer single actions with an error of its own, take its time or give no answer, and describe
// a key as another one. Everything else passes unchanged.
import { randomUUID } from 'node:crypto';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LocalKms } from './local-kms';

type Fields = Record<string, unknown>;

/** An error of AWS: its code, the status it comes with (400 if not given), its message, and for which key and scope alone, if not for all. */
export type Refusal = { code: string; status?: number; message?: string; key?: string; scope?: string };

const USES = ['Encrypt', 'Decrypt'];

/** What is asked of AWS. */
type Asked = { KeyId?: string; EncryptionContext?: { scope?: string } };

export class KmsProxy {
  /** Scopes whose data keys are denied, as a key policy can do by encryption context. */
  readonly deniedScopes = new Set<string>();
  /** AWS's code for every Encrypt and Decrypt, whatever the key. */
  refusal: string | undefined;
  /** What single actions are answered with. */
  readonly answers = new Map<string, Refusal>();
  /** Whether connections break before anything is answered. */
  silent = false;
  /**
   * Before each Encrypt and Decrypt of a workspace's data key, in milliseconds: a change of key then lasts. Not of the
   * organization's, and so of no key check: that may take two seconds. The program itself waits for five.
   */
  delay = 0;
  /** What DescribeKey says of every key in place of what is the case. */
  described: Fields = {};

  private constructor(
    private readonly kms: LocalKms,
    private readonly server: Server,
  ) {}

  static async start(kms: LocalKms): Promise<KmsProxy> {
    const server = createServer();
    const proxy = new KmsProxy(kms, server);
    server.on('request', (asked, answer) => {
      proxy.answer(asked, answer).catch(() => answer.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** DescribeKey says of every key that its material is imported and expires then. */
  materialExpires(at: Date): void {
    this.described = { Origin: 'EXTERNAL', ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: at.getTime() / 1_000 };
  }

  /** Everything passes again. */
  behave(): void {
    this.deniedScopes.clear();
    this.refusal = undefined;
    this.answers.clear();
    this.silent = false;
    this.delay = 0;
    this.described = {};
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await read(asked);
    if (this.silent) {
      answer.destroy();
      return;
    }
    const action = String(asked.headers['x-amz-target'] ?? '').replace('TrentService.', '');
    if (USES.includes(action) && isOfWorkspace(body)) await pause(this.delay);
    const refusal = this.refusalOf(action, body);
    if (refusal) {
      send(answer, refusal.status ?? 400, { __type: refusal.code, message: refusal.message ?? 'refused by the test' });
      return;
    }
    const { status, text } = await this.pass(asked, body);
    const fields = text ? (JSON.parse(text) as Fields) : {};
    const isDescription = action === 'DescribeKey' && status === 200;
    if (isDescription) fields['KeyMetadata'] = { ...(fields['KeyMetadata'] as Fields), ...this.described };
    send(answer, status, fields);
  }

  private refusalOf(action: string, body: Buffer): Refusal | undefined {
    const asked = parsed(body);
    const scope = asked.EncryptionContext?.scope;
    const single = this.answers.get(action);
    const isMeant = (single?.key ?? asked.KeyId) === asked.KeyId && (single?.scope ?? scope) === scope;
    if (single && isMeant) return single;
    if (!USES.includes(action)) return undefined;
    const code = scope !== undefined && this.deniedScopes.has(scope) ? 'AccessDeniedException' : this.refusal;
    return code === undefined ? undefined : { code };
  }

  private pass(asked: IncomingMessage, body: Buffer): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { ...asked.headers, host: new URL(this.kms.endpoint).host, 'content-length': String(body.length) };
      const passed = request(this.kms.endpoint, { method: asked.method, headers, path: asked.url }, (reply) => {
        read(reply).then((text) => resolve({ status: reply.statusCode ?? 500, text: text.toString() }), reject);
      });
      passed.on('error', reject);
      passed.end(body);
    });
  }
}

function send(answer: ServerResponse, status: number, fields: Fields): void {
  answer.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
  answer.end(JSON.stringify(fields));
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parsed(body: Buffer): Asked {
  return JSON.parse(body.toString()) as Asked;
}

function isOfWorkspace(body: Buffer): boolean {
  const scope = parsed(body).EncryptionContext?.scope;
  return scope !== undefined && scope !== 'organization';
}
