// A local KMS for one worker, and the few calls to it that tests make in the place of the AWS console.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, freePort } from './process';

const checkout = process.env['KEYSTEAD_CHECKOUT'] ?? join(import.meta.dirname, '..', '..');

export const region = 'us-west-1';

export class LocalKms {
  private program: Program | undefined;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<LocalKms> {
    const kms = new LocalKms(await mkdtemp(join(tmpdir(), 'keystead-e2e-kms-')), await freePort());
    await kms.startAgain();
    return kms;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async startAgain(): Promise<void> {
    const args = [join(checkout, 'scripts', 'local_kms.py'), '--port', String(this.port), '--state', this.folder];
    const python = join(checkout, '.tools', 'venv', 'bin', 'python');
    this.program = Program.start('local KMS', python, args, { PATH: process.env['PATH'] }, this.folder);
    await this.program.ready(`${this.endpoint}/_ministack/health`);
  }

  /** As a power failure would. What it has answered is true after `startAgain`. */
  async kill(): Promise<void> {
    await this.program?.end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.program?.end('SIGTERM').catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Creates a key and returns its ARN. */
  async createKey(fields: Record<string, unknown> = {}, inRegion = region): Promise<string> {
    const made = await this.call<{ KeyMetadata: { Arn: string } }>('CreateKey', fields, inRegion);
    return made.KeyMetadata.Arn;
  }

  async disable(arn: string): Promise<void> {
    await this.call('DisableKey', { KeyId: arn });
  }

  async enable(arn: string): Promise<void> {
    await this.call('EnableKey', { KeyId: arn });
  }

  async scheduleDeletion(arn: string): Promise<void> {
    await this.call('ScheduleKeyDeletion', { KeyId: arn, PendingWindowInDays: 7 });
  }

  /** AWS then leaves the key disabled. */
  async cancelDeletion(arn: string): Promise<void> {
    await this.call('CancelKeyDeletion', { KeyId: arn });
  }

  async state(arn: string): Promise<string> {
    const described = await this.call<{ KeyMetadata: { KeyState: string } }>('DescribeKey', { KeyId: arn });
    return described.KeyMetadata.KeyState;
  }

  private async call<T>(action: string, fields: Record<string, unknown>, inRegion = region): Promise<T> {
    const answer = await fetch(this.endpoint, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': `TrentService.${action}`,
        // The emulator does not check signatures here; it takes account and region from this line.
        Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${inRegion}/kms/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(fields),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }
}
