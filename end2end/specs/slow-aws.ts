// The same `test`, with a proxy between the program and the local KMS that delays each use of a key, so that a change of key
// lasts long enough to do something in the middle of it.
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LocalKms } from '../harness/local-kms';
import { test as base } from '../harness/test';

const USES = /\.(Encrypt|Decrypt)$/;

export class SlowAws {
  /** Before each Encrypt and Decrypt, in milliseconds. A key check may take two seconds. */
  delay = 0;

  private constructor(
    private readonly kms: LocalKms,
    private readonly server: Server,
  ) {}

  static async start(kms: LocalKms): Promise<SlowAws> {
    const server = createServer();
    const slow = new SlowAws(kms, server);
    server.on('request', (asked, answer) => {
      slow.answer(asked, answer).catch(() => answer.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return slow;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (USES.test(String(asked.headers['x-amz-target'] ?? ''))) await pause(this.delay);
    const headers = { ...asked.headers, host: new URL(this.kms.endpoint).host };
    await new Promise<void>((resolve, reject) => {
      const passed = request(this.kms.endpoint, { method: asked.method, headers, path: asked.url }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
        reply.on('end', resolve);
      });
      passed.on('error', reject);
      asked.pipe(passed);
    });
  }
}

export const test = base.extend<{ aws: SlowAws }>({
  aws: async ({ kms }, use) => {
    const slow = await SlowAws.start(kms);
    await use(slow);
    await slow.stop();
  },
  settings: async ({ aws }, use) => {
    await use({ AWS_ENDPOINT_URL_KMS: aws.endpoint });
  },
});

export { expect } from '../harness/test';
