import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';

/**
 * Takes the CustomResourceDefinitions of Config Connector that deploy/gke uses out of its Go module, without their descriptions, and writes
 * them where tests read them: `node tools/gke/schemas.ts`. The version and the checksum are pinned here.
 */
const module = 'github.com/GoogleCloudPlatform/k8s-config-connector';
const version = 'v1.100.0';
const sum = 'h1:ppkBT7Lhe+6i0WonNJq11+mLsz/BKE2YYrlFmFtyksk=';
const kinds: readonly string[] = [
  'ComputeAddress',
  'ComputeBackendService',
  'ComputeExternalVPNGateway',
  'ComputeFirewall',
  'ComputeForwardingRule',
  'ComputeHealthCheck',
  'ComputeNetwork',
  'ComputeRouter',
  'ComputeRouterInterface',
  'ComputeRouterPeer',
  'ComputeSSLCertificate',
  'ComputeSubnetwork',
  'ComputeTargetHTTPProxy',
  'ComputeTargetHTTPSProxy',
  'ComputeURLMap',
  'ComputeVPNGateway',
  'ComputeVPNTunnel',
  'ContainerCluster',
  'ContainerNodePool',
  'IAMPolicyMember',
  'IAMServiceAccount',
];

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: object }[];
  };
}

const run = promisify(execFile);
const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd: '/' });
const fetched = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string };
if (fetched.Sum !== sum) throw new Error(`${module} ${version} is ${fetched.Sum}, not ${sum}`);
const folder = join(fetched.Dir, 'config/crds/resources');
const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
const all = await Promise.all(
  files.map(async (name) => parse(await readFile(join(folder, name), 'utf8')) as Definition),
);
const wanted = all.filter(({ spec }) => kinds.includes(spec.names.kind));
const missing = kinds.filter((kind) => !wanted.some(({ spec }) => spec.names.kind === kind));
if (missing.length > 0) throw new Error(`${module} ${version} has no ${missing.join(', ')}`);
const header = `# Made by tools/gke/schemas.ts from ${module} ${version} (Apache-2.0), descriptions left out. Do not edit.\n`;
const documents = wanted
  .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  .map(({ metadata, spec }) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: metadata.name },
    spec: { ...spec, versions: spec.versions.map((one) => ({ ...one, schema: without(one.schema) })) },
  }));
const text = documents
  .map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }))
  .join('---\n');
await writeFile(resolve(import.meta.dirname, '../../test/support/gke/config-connector.yaml'), header + text);

/** The schema without texts for people. A property may be called `description` as well: that is an object. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      key === 'description' && typeof inner === 'string' ? [] : [[key, without(inner)]],
    ),
  );
}
