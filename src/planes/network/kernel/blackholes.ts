import { spawn } from 'node:child_process';
import { comparePrefixes, type Prefix } from '../../../model/address.ts';
import {
  blackholeMetric,
  type KernelRoutes,
  type KernelRules,
  parseRoutes,
  parseRules,
  parseUplinkRules,
  routeProtocol,
  uplinkPriority,
} from './parse.ts';
import type { UplinkRule } from './uplinks.ts';

/** The routing tables of the kernel; routes of any other protocol are read, and never touched. */
export interface BlackholeTable {
  /** Our blackholes, and the routes of others; rejects when the tables cannot be read. */
  read(): Promise<KernelRoutes>;
  /** Our rules and those of others; rejects when they cannot be read. */
  rules(): Promise<KernelRules>;
  /**
   * Adds and removes as far as the kernel allows; `read` tells the result. Resolves with what `ip` complained about.
   */
  change(add: readonly Prefix[], remove: readonly Prefix[]): Promise<string>;
  /**
   * Calls `onChange` whenever routes or rules change, whoever did it, until the returned function is called; `onEnd` when it cannot do
   * so any longer.
   */
  watch(onChange: () => void, onEnd: () => void): () => void;
  /** As `change`, for our rules. */
  changeRules(add: readonly UplinkRule[], remove: readonly UplinkRule[]): Promise<string>;
}

const tool = 'ip';
const families = [4, 6] as const;
/** A worker has some thousands of routes, of some 100 bytes each. What prints for ever is no answer. */
const outputBytes = 64 << 20;

/** The kernel of the network namespace that this process lives in, through `ip`. */
export const kernelBlackholes: BlackholeTable = {
  async read() {
    // All tables at once: a process for each of them would cost more than what it leaves out.
    const [four, six] = await Promise.all(families.map((family) => list(family, 'route', 'show', 'table', 'all')));
    const routes = [parseRoutes(four ?? '', 4), parseRoutes(six ?? '', 6)];
    return {
      blackholes: routes.flatMap(({ blackholes }) => blackholes).toSorted(comparePrefixes),
      foreign: routes.flatMap(({ foreign }) => foreign),
      uplinks: [...new Set(routes.flatMap(({ uplinks }) => uplinks))].toSorted(),
    };
  },
  async rules() {
    const [four, six] = await Promise.all(families.map((family) => list(family, 'rule', 'show')));
    return {
      foreign: [...parseRules(four ?? '', 4), ...parseRules(six ?? '', 6)],
      uplink: [...parseUplinkRules(four ?? '', 4), ...parseUplinkRules(six ?? '', 6)],
    };
  },
  change(add, remove) {
    const line = (verb: string, { text }: Prefix): string =>
      `route ${verb} blackhole ${text} proto ${routeProtocol} metric ${blackholeMetric}`;
    const familyOf = ({ family }: Prefix): 4 | 6 => family;
    return batches(add, remove, { line, familyOf });
  },
  watch(onChange, onEnd) {
    // It would outlive an agent that is killed until the next route changes, which may be never.
    const withUs = ['--pdeathsig', 'KILL', '--', tool];
    const child = spawn('setpriv', [...withUs, 'monitor', 'route', 'rule'], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.on('data', onChange);
    child.once('error', onEnd);
    child.once('exit', onEnd);
    return () => {
      child.removeListener('exit', onEnd);
      child.kill('SIGKILL');
    };
  },
  changeRules(add, remove) {
    return batches(add, remove, { line: ruleLine, familyOf: ({ block }) => block.family });
  },
};

function ruleLine(verb: string, { block, uplink, action }: UplinkRule): string {
  const does = action === 'drop' ? 'blackhole' : `lookup main suppress_prefixlength ${block.length - 1}`;
  const priority = uplinkPriority[action];
  return `rule ${verb} iif ${uplink} to ${block.text} ${does} priority ${priority} protocol ${routeProtocol}`;
}

/** Has `ip` add and remove what `line` says, a process a family; resolves with its complaints. */
async function batches<One>(
  add: readonly One[],
  remove: readonly One[],
  { line, familyOf }: { readonly line: (verb: string, one: One) => string; readonly familyOf: (one: One) => 4 | 6 },
): Promise<string> {
  let complaints = '';
  for (const family of families) {
    const lines = [
      ...add.filter((one) => familyOf(one) === family).map((one) => line('add', one)),
      ...remove.filter((one) => familyOf(one) === family).map((one) => line('del', one)),
    ];
    if (lines.length === 0) continue;
    const { code, stderr } = await ip([`-${family}`, '-force', '-batch', '-'], `${lines.join('\n')}\n`);
    complaints += code !== 0 && stderr === '' ? `ip ended with ${code ?? 'a signal (10 s passed?)'}\n` : stderr;
  }
  return complaints.trim();
}

async function list(family: 4 | 6, ...what: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ip([`-${family}`, '-j', ...what]);
  if (code !== 0) throw new Error(`ip -${family} ${what.join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}

function ip(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 10_000 });
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let bytes = 0;
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= outputBytes) said[stream].push(chunk);
        else child.kill('SIGKILL');
      });
    child.once('error', reject);
    child.once('close', (code) => {
      const [stdout, stderr] = [said.stdout, said.stderr].map((chunks) => Buffer.concat(chunks).toString('utf8'));
      if (bytes <= outputBytes) resolve({ code, stdout: stdout ?? '', stderr: stderr ?? '' });
      else reject(new Error(`${[tool, ...args].join(' ')} printed more than ${outputBytes} bytes`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
