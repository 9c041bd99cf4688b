import { spawn } from 'node:child_process';
import { comparePrefixes, type Prefix, parsePrefix } from '../../../model/address.ts';

/** The blackhole routes of this agent in the kernel. Routes of any other protocol are never seen nor touched. */
export interface BlackholeTable {
  /** Sorted; rejects when the table cannot be read. */
  list(): Promise<readonly Prefix[]>;
  /**
   * Adds and removes as far as the kernel allows; `list` tells the result. Resolves with what `ip` complained about.
   */
  change(add: readonly Prefix[], remove: readonly Prefix[]): Promise<string>;
}

/** Our routing protocol number (docs/decisions): iproute2, BIRD, FRR, Calico and Cilium use it for nothing else. */
const routeProtocol = 114;
const tool = 'ip';
/** The metric is so high that any real route to the same prefix wins. */
const metric = 65_535;

/** The kernel of the network namespace that this process lives in, through `ip`. */
export const kernelBlackholes: BlackholeTable = {
  async list() {
    const [four, six] = await Promise.all([listFamily('-4'), listFamily('-6')]);
    return [...four, ...six].toSorted(comparePrefixes);
  },
  async change(add, remove) {
    const line = (verb: string, { text }: Prefix): string =>
      `route ${verb} blackhole ${text} proto ${routeProtocol} metric ${metric}`;
    let complaints = '';
    for (const family of [4, 6] as const) {
      const lines = [
        ...add.filter((prefix) => prefix.family === family).map((prefix) => line('add', prefix)),
        ...remove.filter((prefix) => prefix.family === family).map((prefix) => line('del', prefix)),
      ];
      if (lines.length === 0) continue;
      const { code, stderr } = await ip([`-${family}`, '-force', '-batch', '-'], `${lines.join('\n')}\n`);
      complaints += code !== 0 && stderr === '' ? `ip ended with ${code ?? 'a signal (10 s passed?)'}\n` : stderr;
    }
    return complaints.trim();
  },
};

async function listFamily(flag: '-4' | '-6'): Promise<readonly Prefix[]> {
  const { code, stdout, stderr } = await ip([
    flag,
    '-j',
    'route',
    'show',
    'table',
    'main',
    'proto',
    String(routeProtocol),
  ]);
  if (code !== 0) throw new Error(`ip ${flag} route failed: ${stderr.trim()}`);
  return parseRoutes(stdout);
}

/** The blackholes among the routes that `ip -j route show` prints; an empty table prints nothing or `[ ]`. */
export function parseRoutes(json: string): readonly Prefix[] {
  const routes: unknown = json.trim() === '' ? [] : JSON.parse(json);
  if (!Array.isArray(routes)) throw new Error('ip -j route printed no list');
  const list: readonly unknown[] = routes;
  return list.flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { type, dst } = entry as { readonly type?: unknown; readonly dst?: unknown };
    const prefix = type === 'blackhole' && typeof dst === 'string' ? parsePrefix(dst) : undefined;
    return prefix === undefined ? [] : [prefix];
  });
}

function ip(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 10_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
