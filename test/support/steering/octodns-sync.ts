import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const packages = ['octodns==1.22.0', 'octodns-route53==1.3.1'];
const installed = join(import.meta.dirname, '../../../build/bench/octodns');

/** The command of octoDNS that plans, and with `--doit` writes. */
export const octodnsSync = join(installed, 'bin/octodns-sync');

/** Installs octoDNS in these versions into a Python environment of its own, which Debian's package python3-venv makes; quick where it is there. */
export async function installOctodns(): Promise<void> {
  await mkdir(installed, { recursive: true });
  await run('python3', ['-m', 'venv', installed]);
  await run(join(installed, 'bin/pip'), ['install', '--quiet', ...packages]);
}

/** The configuration of octoDNS by which the YAML file of the zone in this folder goes to Route 53. */
export function octodnsConfig(folder: string, zone: string): object {
  return {
    providers: {
      config: { class: 'octodns.provider.yaml.YamlProvider', directory: folder, enforce_order: false },
      route53: { class: 'octodns_route53.Route53Provider', access_key_id: 'bench', secret_access_key: 'bench' },
    },
    zones: { [`${zone}.`]: { sources: ['config'], targets: ['route53'] } },
  };
}

/** The environment in which octoDNS asks this Route 53. */
export const octodnsEnvironment = (url: string) => ({
  AWS_ENDPOINT_URL_ROUTE_53: url,
  AWS_DEFAULT_REGION: 'us-east-1',
});
