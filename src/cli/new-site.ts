import { type Command, InvalidArgumentError } from 'commander';
import { type Prefix, parsePrefix } from '../model/address.ts';
import { shellWords } from '../model/shell-words.ts';
import { withoutUndefined } from '../model/values.ts';
import type { NewSite, SiteEdit } from '../platform/new-site.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Register } from './command.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';

interface NewSiteArguments extends OutputArguments {
  readonly like: string;
  readonly country: string;
  readonly at: Place;
  readonly pods: readonly Prefix[];
  readonly servers: readonly Prefix[];
  readonly vips: readonly Prefix[];
  readonly routerAsn?: number;
  readonly serverAsn?: number;
}

type Place = Pick<NewSite['location'], 'latitude' | 'longitude'>;

/** `tideline new-site NAME FILES...`: the spec of a data centre that is like another one. */
export const register: Register = (program) => {
  const command = program
    .command('new-site')
    .description('Write the spec of a site that is like another one, in prefixes of its own')
    .argument('<name>', 'the name of the new Site')
    .argument('<path...>', 'the folder of the platform spec that agents read; more files and folders if it has more')
    .requiredOption('--like <site>', 'the Site whose routers, cluster and edge pool it has the like of')
    .requiredOption('--country <code>', 'where it is: the country, e.g. IT')
    .requiredOption('--at <latitude,longitude>', 'where it is: degrees north and east, e.g. 41.9,12.5', parsePlace)
    .option('--router-asn <number>', 'AS number of its routers', parseAsn)
    .option('--server-asn <number>', "AS number of its servers' BGP speakers", parseAsn);
  for (const [kind, what] of [
    ['pods', 'addresses of pods'],
    ['servers', 'addresses of servers'],
    ['vips', 'VIPs'],
  ] as const)
    prefixOption(command, kind, what);
  addOutputOption(command)
    .addHelpText(
      'after',
      `
Writes NAME.yaml into the folder: the Site, and a Cluster and an EdgePool like each that serves the other site alone. Routers, blades and
VIPs keep their places in their prefixes, and names have the new name for the other's. No user is led there: no TrafficPolicy names it yet.`,
    )
    .action(run);
};

function prefixOption(command: Command, kind: string, what: string): void {
  command.option(
    `--${kind} <prefix>`,
    `the prefix of its ${what}; again for each that the other site has, in the same order`,
    (text: string, before: readonly Prefix[]) => [...before, parseNetwork(text)],
    [],
  );
}

function parseNetwork(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new InvalidArgumentError('Expected a prefix without host bits, such as 10.3.0.0/24.');
  return prefix;
}

function parsePlace(text: string): Place {
  const [, latitude, longitude] = /^(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (latitude === undefined || longitude === undefined)
    throw new InvalidArgumentError('Expected degrees north and east, such as 41.9,12.5.');
  return { latitude: Number(latitude), longitude: Number(longitude) };
}

function parseAsn(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('Expected an AS number, such as 65030.');
  return Number(text);
}

async function run(name: string, paths: string[], options: NewSiteArguments): Promise<void> {
  const { addingSite } = await import('../platform/new-site.ts');
  const { writeEdits } = await import('../platform/spec-edit.ts');
  const { like, country, at, pods, servers, vips, routerAsn, serverAsn, output } = options;
  const location = { country, ...at };
  const site = {
    name,
    like,
    location,
    prefixes: { pods, servers, vips },
    ...withoutUndefined({ routerAsn, serverAsn }),
  };
  const edit = await addingSite(paths, site, systemClock.now());
  await writeEdits(edit.edits);
  await printResult(output, {
    lines: () => linesOf(edit, name, paths),
    value: () => ({
      site: name,
      clusters: edit.clusters,
      edgePools: edit.edgePools,
      spanning: edit.spanning,
      files: edit.edits.map(({ file }) => file),
    }),
  });
}

function linesOf(
  { after, clusters, edgePools, spanning, edits }: SiteEdit,
  name: string,
  paths: readonly string[],
): string[] {
  const pools = edgePools.flatMap((pool) => after.edgePools.get(pool) ?? []);
  return [
    ...edits.map(({ file }) => `written: ${file}`),
    ...spanning.map(
      (cluster) =>
        `the cluster ${cluster} serves several sites: add ${name} to its spec.sites if it is to serve this one`,
    ),
    'next, on its servers, with this folder and a kubeconfig of each:',
    ...pools.flatMap(({ metadata, spec }) =>
      spec.blades.map(
        ({ name: blade, address }) => `  ${address.text}: deploy/install blade ${metadata.name} ${blade}`,
      ),
    ),
    ...clusters.map((cluster) => `  each worker: deploy/install worker ${cluster} NAME ADDRESS`),
    `then name ${clusters.join(' and ') || 'its cluster'} in a TrafficPolicy: tideline steering plan ${shellWords(paths)}`,
  ];
}
