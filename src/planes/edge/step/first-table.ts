import type { DataPlaneStatus } from '../table.ts';

/** For at least this many hosts, it looks like loss when more than half of them are missing. */
const smallestJudgedByHalf = 4;

/**
 * Why the first table of an agent without a last-good state must not replace the one that nginx serves from an earlier agent: it
 * lacks most of its hosts, or all of two or more. Undefined when it may. An nginx that has started anew serves nothing, so
 * that a restart of nginx accepts the loss. To be asked only when nginx has answered.
 */
export function lossInFirstTable(
  nginx: Pick<DataPlaneStatus, 'generation' | 'hosts'> | undefined,
  hosts: number,
): string | undefined {
  if (nginx === undefined || nginx.generation === 0) return undefined;
  const missing = nginx.hosts - hosts;
  const most = nginx.hosts >= smallestJudgedByHalf && missing * 2 > nginx.hosts;
  const all = nginx.hosts >= 2 && hosts === 0;
  if (!most && !all) return undefined;
  return `nginx serves ${nginx.hosts} hosts of an earlier agent, the cluster has ${hosts}, and there is no last-good state to judge by: nginx goes on as it is; restart nginx to accept the loss`;
}
