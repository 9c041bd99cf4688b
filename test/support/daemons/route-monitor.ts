import type { Network } from '../../../lab/net/network.ts';
import { eventually } from '../eventually.ts';

/** A change of a kernel's routing tables, as `ip monitor route` prints it; the text of a removal begins with `Deleted`. */
export interface RouteChange {
  readonly atMs: number;
  readonly text: string;
}

/** The marks are routes in a table that nothing looks up, to an address that no test uses; each has a metric of its own. */
const mark = { address: '203.0.113.113', table: '113' } as const;
let marks = 0;

/**
 * Records every change of the routes of a namespace. That nothing was heard means something only of a monitor that listens, so
 * it resolves when the monitor has told of a route that was added for that. The function resolves with the changes so far: all of
 * them, because it too adds a route and waits until the monitor has told of it.
 */
export async function watchRoutes(network: Network, namespace: string): Promise<() => Promise<readonly RouteChange[]>> {
  const child = network.spawn(namespace, 'ip', ['-ts', 'monitor', 'route'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const seen: RouteChange[] = [];
  const heard = new Set<string>();
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, at, text = ''] = /^\[(\S+)\] (.*)$/.exec(line) ?? [];
      if (text.includes(mark.address)) heard.add(/metric (\d+)/.exec(text)?.[1] ?? '');
      else if (at !== undefined) seen.push({ atMs: Date.parse(`${at}Z`), text });
    }
  });
  const addMark = async (): Promise<string> => {
    marks += 1;
    const metric = String(marks);
    await network.ip(namespace, 'route', 'add', 'blackhole', mark.address, 'table', mark.table, 'metric', metric);
    return metric;
  };
  const patience = { timeoutMs: 20_000, everyMs: 10, onError: 'fail' } as const;
  const listens = async (): Promise<boolean> => {
    await addMark();
    return heard.size > 0;
  };
  await eventually(`the monitor of ${namespace} listens`, listens, patience);
  return async () => {
    const last = await addMark();
    await eventually(`the monitor of ${namespace} still listens`, () => heard.has(last), patience);
    return [...seen];
  };
}
