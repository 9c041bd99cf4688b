import type { Fleet } from '../../../model/spec/kinds.ts';
import { minorOf } from '../../../model/version.ts';
import type { ServerDocument } from './document.ts';

/** What programs of several versions take. Minor versions are numbers: 36 is Kubernetes 1.36. */

interface Change {
  /** A flag (`--cloud-config`) or a feature gate (`DynamicResourceAllocation`). */
  readonly name: string;
  /** The first minor version without it. */
  readonly removedIn: number;
}

/** Flags that a program of this minor version refuses at its start. */
const removedFlags: Readonly<Record<string, readonly Change[]>> = {
  'kube-apiserver': [{ name: '--cloud-config', removedIn: 33 }],
  kubelet: [
    { name: '--cloud-config', removedIn: 34 },
    { name: '--pod-infra-container-image', removedIn: 35 },
  ],
  etcd: [
    { name: '--proxy', removedIn: 6 },
    { name: '--enable-v2', removedIn: 6 },
    { name: '--experimental-initial-corrupt-check', removedIn: 7 },
    { name: '--experimental-compact-hash-check-enabled', removedIn: 7 },
    { name: '--experimental-watch-progress-notify-interval', removedIn: 7 },
  ],
};

/** The flags of a command line that this version of the program no longer has. */
function refusedFlags(program: string, version: string, flags: readonly string[]): readonly string[] {
  const minor = minorOf(version);
  const gone = (removedFlags[program] ?? []).filter(({ removedIn }) => minor >= removedIn).map(({ name }) => name);
  return flags.filter((flag) => gone.includes(flag.split('=')[0] ?? flag));
}

/** The API of `--authentication-config`, whose `anonymous` exists since 1.31 and which is stable since 1.34. */
export function authenticationApi(kubernetes: string): string {
  return `apiserver.config.k8s.io/${minorOf(kubernetes) >= 34 ? 'v1' : 'v1beta1'}`;
}

/** How etcd is told to compare its data with that of the other members, at its start and after each compaction. */
export function corruptionChecks(etcd: string): readonly string[] {
  return minorOf(etcd) >= 6
    ? ['--feature-gates=CompactHashCheck=true,InitialCorruptCheck=true']
    : ['--experimental-compact-hash-check-enabled=true', '--experimental-initial-corrupt-check=true'];
}

/** The command lines of a document that its programs would refuse, as `unit --flag`. There are none unless this room has a fault. */
export function refusedIn({ components }: ServerDocument, versions: Fleet['spec']['versions']): readonly string[] {
  const { etcd, kubernetes, kubelet = kubernetes } = versions;
  return components.flatMap(({ units }) =>
    Object.entries(units).flatMap(([unit, { text }]) => {
      const program = unit.replace(/\.service$/, '');
      if (!(program in removedFlags)) return [];
      const version = program === 'etcd' ? etcd : program === 'kubelet' ? kubelet : kubernetes;
      const flags = [...text.matchAll(/^ {2}(--[^ \n]+)/gm)].map(([, flag = '']) => flag);
      return refusedFlags(program, version, flags).map((flag) => `${unit} ${flag}`);
    }),
  );
}
