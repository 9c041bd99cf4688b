import type { KubeClient } from '../../../kube/api/client.ts';
import { InputError, type InputProblem } from '../../../model/problem.ts';
import { placeOfApi } from '../../../model/source-status.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { NewVerdict } from '../../../platform/verdict-files.ts';
import type { SpecWriter } from '../../../platform-api/write.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { readCluster } from '../../cluster-read.ts';
import { personHere } from '../../person.ts';
import type { SaidByApis } from '../spec.ts';

/** Where a word about an overlay is written, and in whose name. */
export interface Pen {
  readonly by: string;
  /** Every name of that person that is known here: none of them may be the owner's where another person is wanted. */
  readonly names: readonly string[];
  /** `proven`: it counts only where the name is more than a claim. */
  readonly write: (verdict: NewVerdict, how: { readonly proven: boolean }) => Promise<Written>;
}

export interface Written {
  readonly files: readonly string[];
  /** `TrafficVerdict/evening in the API of cluster paris` each. */
  readonly objects: readonly string[];
}

export interface Asked {
  readonly name: string;
  readonly paths: readonly string[];
  readonly by?: string | undefined;
  readonly platform: Platform;
  readonly said?: SaidByApis | undefined;
}

/** Writes into the folder. Names are claims there. Throws an InputError where an API has a verdict of this name. */
export function folderPen({ name, paths, by, said }: Asked): Pen {
  const elsewhere = placesWith('TrafficVerdict', name, said)[0];
  if (elsewhere !== undefined) throw new InputError(copyElsewhere(name, elsewhere, 'add --to-api'));
  const here = personHere();
  return {
    by: by ?? here,
    names: [...new Set([by ?? here, here])],
    write: async (verdict) => {
      const { judging } = await import('../../../platform/verdict-files.ts');
      const { writeEdits } = await import('../../../platform/spec-edit.ts');
      const { edits } = await judging(paths, verdict, systemClock.now());
      await writeEdits(edits);
      return { files: edits.map(({ file }) => file), objects: [] };
    },
  };
}

/**
 * Writes into each API in which the overlay stands, in the name by which that API knows the person. Throws an InputError where it stands in none,
 * for another name, and where another place has a verdict of this name.
 */
export async function apiPen({ name, paths, by, platform, said }: Asked): Promise<Pen> {
  const standsIn = placesWith('TrafficOverlay', name, said);
  const clusters = [...platform.clusters.keys()].filter((cluster) => standsIn.includes(placeOfApi(cluster)));
  if (clusters.length === 0) throw new InputError(notInApi(name));
  const { verdictFileOf } = await import('../../../platform/verdict-files.ts');
  const file = await verdictFileOf(paths, name, systemClock.now());
  const beside = placesWith('TrafficVerdict', name, said).find((place) => !standsIn.includes(place));
  const elsewhere = file ?? beside;
  if (elsewhere !== undefined) throw new InputError(copyElsewhere(name, elsewhere, 'change it there, or remove it'));
  const { userOf } = await import('../../../platform-api/who.ts');
  const users = await Promise.all(
    clusters.map((cluster) => inApi(platform, cluster, (client) => userOf(client, patienceMs))),
  );
  const [user = '', ...others] = users;
  const other = others.find((one) => one !== user);
  if (other !== undefined) throw new InputError(twoNames(name, user, other));
  if (by !== undefined && by !== user) throw new InputError(notYourName(by, user, clusters));
  return {
    by: user,
    names: [user],
    write: async (verdict, how) => {
      const { verdictSpec } = await import('../../../platform/verdict-files.ts');
      const spec = verdictSpec(verdict, systemClock.now());
      if (how.proven)
        for (const cluster of clusters) {
          const another = { ...spec, by: `not ${user}` };
          if (await withWriter(platform, cluster, (writer) => writer.wouldTake(name, another)))
            throw new InputError(anyName(verdict, cluster));
        }
      for (const cluster of clusters) await withWriter(platform, cluster, (writer) => writer.put(name, spec));
      return {
        files: [],
        objects: clusters.map((cluster) => `TrafficVerdict/${name} in the ${placeOfApi(cluster)}`),
      };
    },
  };
}

/** The limit for each request. */
const patienceMs = 5000;

/** The APIs that have an object of this name. */
function placesWith(kind: 'TrafficOverlay' | 'TrafficVerdict', name: string, said: SaidByApis | undefined) {
  const found = said?.verdicts.filter((one) => one.kind === kind && one.name === name) ?? [];
  return found.map(({ place }) => place);
}

async function withWriter<T>(platform: Platform, cluster: string, work: (writer: SpecWriter) => Promise<T>) {
  const { SpecWriter: Writer } = await import('../../../platform-api/write.ts');
  return inApi(platform, cluster, (client) =>
    work(new Writer({ kind: 'TrafficVerdict', client, cluster, timeoutMs: patienceMs })),
  );
}

async function inApi<T>(platform: Platform, cluster: string, work: (client: KubeClient) => Promise<T>): Promise<T> {
  const done = await readCluster(platform, cluster, {
    folder: async () => undefined,
    api: async (client) => ({ value: await work(client) }),
  });
  if (done === undefined) throw new Error(`the spec names no API of cluster ${cluster} any more`);
  return done.value;
}

function notInApi(name: string): InputProblem {
  return {
    reason: 'NotInApi',
    object: `TrafficOverlay/${name}`,
    message: 'it stands in no API that is read, and agents would look for a word about it where it stands',
    fix: 'leave --to-api out, or name the API in which it stands by --platform-trust',
  };
}

function copyElsewhere(name: string, place: string, fix: string): InputProblem {
  return {
    reason: 'CopyElsewhere',
    object: `TrafficVerdict/${name}`,
    message: `${place} has this verdict already, and another version beside it would not come into force`,
    fix,
  };
}

function notYourName(by: string, user: string, clusters: readonly string[]): InputProblem {
  return {
    reason: 'NotYourName',
    path: '--by',
    message: `the API of cluster ${clusters[0] ?? ''} knows you as ${user}, and not as ${by}`,
    fix: 'leave --by out, or use the kubeconfig of that person',
  };
}

function twoNames(name: string, one: string, other: string): InputProblem {
  return {
    reason: 'CopiesDiffer',
    object: `TrafficVerdict/${name}`,
    message: `the APIs in which it would stand know you as ${one} and as ${other}, so the copies would differ`,
    fix: 'name one of the APIs by --platform-trust, or use kubeconfigs of the same name',
  };
}

function anyName({ overlay }: NewVerdict, cluster: string): InputProblem {
  return {
    reason: 'NamesUnproven',
    object: `TrafficOverlay/${overlay.metadata.name}`,
    message: `the policy ${overlay.spec.policy} wants another person to approve (guard.approvers), and the API of cluster ${cluster} takes a verdict in any name`,
    fix: 'let its administrator apply deploy/components/platform-spec, which binds names to users',
  };
}
