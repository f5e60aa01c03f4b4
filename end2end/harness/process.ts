// Starting a program, keeping the end of what it says, and ending it politely or not.
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A TCP port on loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Program {
  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
    private readonly said: string[],
  ) {}

  static start(name: string, file: string, args: string[], env: NodeJS.ProcessEnv, folder: string): Program {
    const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    const keep = (chunk: Buffer) => {
      said.push(chunk.toString());
      if (said.length > 400) said.splice(0, 200);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => said.push(String(error)));
    return new Program(name, child, said);
  }

  /** Everything it has written, or the end of it. */
  get log(): string {
    return this.said.join('');
  }

  /** Waits until `url` answers 200. Throws with the program's log when it has ended or 30 seconds are over. */
  async ready(url: string): Promise<void> {
    const until = Date.now() + 30_000;
    while (Date.now() < until && this.isRunning()) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.status === 200) return;
      await pause(50);
    }
    throw new Error(`${this.name} did not become ready at ${url}. It said:\n${this.log}`);
  }

  isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  /** Ends it with `signal` and waits until it is gone. A program that will not stop politely in 15 s is killed, loudly. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.isRunning()) return;
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill(signal);
    const inTime = await Promise.race([gone.then(() => true), pause(15_000, false)]);
    if (inTime) return;
    this.child.kill('SIGKILL');
    await gone;
    throw new Error(`${this.name} did not stop within 15 seconds of ${signal}. It said:\n${this.log}`);
  }
}

/** Runs a command to its end. Throws with its output when it fails. */
export async function run(file: string, args: string[], env: NodeJS.ProcessEnv, folder: string): Promise<string> {
  const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} ended with ${code}:\n${output}`);
  return output;
}
