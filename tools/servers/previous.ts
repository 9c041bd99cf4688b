import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sources } from '../../lab/servers/root.ts';
import { buildTools } from './go-tools.ts';

/** Builds the programs of the minor version before into `target`, each the one that Kubernetes releases by this name. */
export async function makePrevious(target: string, say: (line: string) => void): Promise<void> {
  const modules = await readFile(join(sources, 'previous/go.mod'), 'utf8');
  const found = /^\s*(?:require )?k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/m.exec(modules);
  if (found === null) throw new Error('previous/go.mod names no release of k8s.io/kubernetes');
  const [, whole, major, minor] = found;
  const values = { gitVersion: whole, gitMajor: major, gitMinor: minor, gitTreeState: 'clean', gitCommit: '' };
  const stamped = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const stamps = stamped.flatMap((at) => Object.entries(values).map(([field, value]) => `-X ${at}.${field}=${value}`));
  await buildTools('previous', target, stamps, say);
}
