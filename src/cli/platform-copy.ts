import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { codeOf } from '../kube/manifests/folder.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import { objectsOfKind } from '../kube/state.ts';
import { clusterOfSpecApiFile } from '../model/contract.ts';
import { fullTrust } from '../model/platform/trust.ts';
import { InputError } from '../model/problem.ts';
import { apiKindNames } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { compareText, messageOf } from '../model/values.ts';
import type { SpecApi } from '../platform/spec-api.ts';
import { printErrorLines } from '../runtime/print.ts';

/** Where the platform spec is read by what renders a server's configuration before its agent runs. */
export interface PlatformPlaces {
  /** A file or folder. */
  readonly platform?: string;
  /** State folders of agents. */
  readonly platformCopy: readonly string[];
}

/** Adds the options of the places, the same for every command that renders. */
export function addPlatformPlaces(command: Command): Command {
  return command
    .addOption(platformOption('file or folder of the platform spec'))
    .option(
      '--platform-copy <dir>',
      'what APIs said last of the spec, as the agent of this server keeps it in its --state-dir (or --run-dir); may be given again',
      (text: string, before: readonly string[]) => [...before, text],
      [],
    );
}

/** The option of the file or folder; its value may be empty (`namedFolder`). */
export function platformOption(what: string): Option {
  return new Option('--platform <path>', what).env('TIDELINE_PLATFORM');
}

/** The arguments without a folder whose name is empty, as in a variable that says that there is none. */
export function namedFolder<Given extends { readonly platform?: string }>(given: Given): Given {
  if (given.platform !== '') return given;
  const { platform: _, ...rest } = given;
  return rest as Given;
}

/** How a person knows where the platform was read. */
export function placesText(places: PlatformPlaces): string {
  const { platform, platformCopy } = namedFolder(places);
  return [...(platform === undefined ? [] : [platform]), ...platformCopy].join(' and ');
}

/**
 * The platform of these places. What agents keep of APIs is what was in force, so it is believed here as it was by the agent; on standard error
 * stands of when it is, and what of it does not count. Throws an InputError when there is no place, the folder is not valid, or nothing was kept.
 */
export async function platformOfPlaces(places: PlatformPlaces): Promise<Platform> {
  const { platform: path, platformCopy } = namedFolder(places);
  const { loadPlatformOrThrow, readDocumentsOrThrow } = await import('../platform/load.ts');
  if (path === undefined && platformCopy.length === 0) throw new InputError(nowhere);
  const { copies, unread } = await copiesIn(platformCopy);
  printErrorLines(unread);
  if (copies.length === 0) {
    if (path !== undefined) return loadPlatformOrThrow([path]);
    throw new InputError(nothingKept(platformCopy));
  }
  const nowMs = Date.now();
  const { composePlatform } = await import('../platform/compose.ts');
  const folder = path === undefined ? [] : await readDocumentsOrThrow([path], nowMs);
  const { platform, verdicts } = composePlatform({ folder, apis: copies, inForce: new Map(), nowMs });
  const odd = verdicts.filter(({ reason }) => reason !== 'InForce');
  printErrorLines([
    ...copies.map(({ place }) => `read ${place}`),
    ...odd.map(({ place, kind, name, message, reason }) => `${place}: ${kind}/${name}: ${message} (${reason})`),
  ]);
  return platform;
}

/** Every copy in these folders, of each cluster the newest; folders that are not there have none. */
async function copiesIn(
  folders: readonly string[],
): Promise<{ readonly copies: readonly SpecApi[]; readonly unread: readonly string[] }> {
  const { readSnapshot } = await import('../kube/snapshot.ts');
  const newest = new Map<string, { readonly savedAtMs: number; readonly api: SpecApi }>();
  const unread: string[] = [];
  for (const file of (await Promise.all(folders.map(filesIn))).flat()) {
    const { cluster } = file;
    const read = await readSnapshot(file.path);
    if (!read.ok) {
      unread.push(`${file.path} is left out: ${read.message} (${read.reason})`);
      continue;
    }
    const savedAtMs = read.state.origin?.savedAtMs ?? 0;
    if ((newest.get(cluster)?.savedAtMs ?? -1) >= savedAtMs) continue;
    const place = `what the API of cluster ${cluster} said last, kept in ${file.path} on ${new Date(savedAtMs).toISOString()}`;
    const objects = apiKindNames.flatMap((kind) =>
      [...(objectsOfKind(read.state, kind) as ReadonlyMap<string, OwnObject<typeof kind>>).values()].map(
        ({ metadata: { name }, spec }) => ({ kind, name, spec }),
      ),
    );
    newest.set(cluster, { savedAtMs, api: { place, cluster, trust: fullTrust, objects } });
  }
  return { copies: [...newest.values()].map(({ api }) => api), unread };
}

async function filesIn(folder: string): Promise<readonly { readonly path: string; readonly cluster: string }[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw new InputError({ ...nothingKept([folder]), message: messageOf(error) });
  });
  return names.toSorted(compareText).flatMap((name) => {
    const cluster = clusterOfSpecApiFile(name);
    return cluster === undefined ? [] : [{ path: join(folder, name), cluster }];
  });
}

const nowhere = {
  reason: 'NoSpecSource',
  path: '--platform',
  message: 'nothing says where the platform spec is',
  fix: 'name its folder with --platform, or where the agent keeps what APIs said last with --platform-copy',
} as const;

function nothingKept(folders: readonly string[]) {
  return {
    reason: 'PlatformMissing',
    path: '--platform-copy',
    message: `no agent has kept a platform spec in ${folders.join(' or ')} yet`,
    fix: 'start the agent: it keeps there what the API of its cluster says, and this works once it has; or name a folder with --platform',
  };
}
