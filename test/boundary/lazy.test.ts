import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

/** The modules that a file of `src/cli` that composes an agent may load at once, because they cost little; types cost nothing. */
const light = /^(?:node:|commander$|\.|(?:\.\.\/)+(?:agent|model)\/|\.\.\/[\w-]+\.ts$)/;
const large = /^(?:\.\.\/)+(?:(?:planes|bgp|kube|platform|preflight|runtime)\/|model\/spec\/)/;

/** The modules that load with this text and are not light. `import { type A }` loads the module that it names. */
function loadedAtOnce(text: string): readonly string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\s)(?:[^;']*?\sfrom\s+)?'([^']+)'/gm)]
    .map(([, target = '']) => target)
    .filter((target) => !target.endsWith('/needs.ts') && (large.test(target) || !light.test(target)));
}

it('finds what is planted', () => {
  const text = `import type { Need } from '../../kube/source.ts';
import { type Agent, runAgent } from '../agent/host.ts';
import { EdgeAgent } from '../../planes/edge/agent.ts';
import { type Log } from '../../runtime/log.ts';
import {
  pino,
} from 'pino';
const late = await import('../../bgp/driver/speaker.ts');`;
  expect(loadedAtOnce(text)).toEqual(['../../planes/edge/agent.ts', '../../runtime/log.ts', 'pino']);
});

it('an agent loads what it runs when it runs: not another plane, and nothing large before its first word', async () => {
  const files = globSync([
    'src/cli/{agent,edge,network}/*.ts',
    'src/cli/{edge,network,cluster-source,options,named,compile-cache}.ts',
  ]);
  const found = await Promise.all(
    files
      .filter((path) => !path.endsWith('.test.ts'))
      .map(async (path) => loadedAtOnce(await readFile(path, 'utf8')).map((target) => `${path}: ${target}`)),
  );
  expect(files.length).toBeGreaterThan(8);
  expect(found.flat()).toEqual([]);
});
