import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/**
 * The go command with a fixed view of the world: the versions are those of go.sum, the compiler is the one on this machine,
 * nothing links to C. Where modules come from and where compiled packages are kept is the user's.
 */
const environment = {
  ...process.env,
  GOFLAGS: '-mod=readonly',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
  CGO_ENABLED: '0',
  GOOS: undefined,
  GOARCH: undefined,
};

/** `go1.26.8`, or undefined when there is no Go. */
export async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['version'], { env: environment });
    return /\bgo\d+(\.\d+)*\S*/.exec(stdout.replace(/^go version /, ''))?.[0];
  } catch {
    return undefined;
  }
}

/** Whether a version like `go1.26.8` is at least one like `1.26.0`. */
export function atLeast(version: string, wanted: string): boolean {
  const numbers = (text: string): readonly number[] => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const [have, want] = [numbers(version), numbers(wanted)];
  const index = want.findIndex((part, position) => part !== (have[position] ?? 0));
  return index < 0 || (have[index] ?? 0) > (want[index] ?? 0);
}

/** Runs go; resolves with the lines of its output. `onMessage` gets the lines it says meanwhile (downloads, packages). */
export async function go(
  args: readonly string[],
  folder: string,
  onMessage: (line: string) => void = () => undefined,
): Promise<readonly string[]> {
  const child = spawn('go', args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => {
    child.kill();
    process.exit(1);
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  const output: string[] = [];
  const messages: string[] = [];
  createInterface(child.stdout).on('line', (line) => output.push(line));
  createInterface(child.stderr).on('line', (line) => {
    messages.push(line);
    onMessage(line);
  });
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (status) => resolve(status ?? 1));
  });
  process.removeListener('SIGTERM', end).removeListener('SIGINT', end);
  if (code !== 0) throw new Error(`go ${args[0]} failed:\n${messages.slice(-20).join('\n')}`);
  return output;
}
