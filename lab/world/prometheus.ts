import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { agentPorts } from '../../src/model/contract.ts';
import type { Supervisor } from '../supervise.ts';
import { compression } from './platform.ts';
import { operator, type Server, type World } from './topology.ts';

export interface AlertsOptions {
  readonly supervisor: Supervisor;
  readonly world: World;
  /** The alerts of the product. */
  readonly rulesFile: string;
  readonly runFolder: string;
  /** The certificate files with which Prometheus asks; undefined where agents have none. */
  readonly certificate: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
  /** Where the steering agent answers; undefined where there is none. */
  readonly steering: string | undefined;
}

const everySeconds = 1;
/** Where it answers, on the operator's machine. */
export const prometheusAddress = '127.0.0.1:9090';

/** Starts a Prometheus on the operator's machine, which asks every agent of the lab and has the alerts of the product. */
export async function startPrometheus(options: AlertsOptions): Promise<void> {
  const { supervisor, rulesFile, runFolder } = options;
  const folder = join(runFolder, 'prometheus');
  await mkdir(folder, { recursive: true });
  const rules = join(folder, 'rules.yaml');
  await writeFile(rules, hastened(await readFile(rulesFile, 'utf8')));
  const config = join(folder, 'prometheus.yaml');
  await writeFile(config, prometheusConfig(options, rules));
  supervisor.start({
    name: 'operator/prometheus',
    namespace: operator.namespace,
    command: 'prometheus',
    arguments: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${prometheusAddress}`,
    ],
  });
}

/** The rules with every wait cut, and the age of a plan that is waited for as well (pure). Windows of rates stay as they are. */
export function hastened(text: string): string {
  const document = parse(text) as { groups: { rules: { for?: string; expr: string }[] }[] };
  const cut = (seconds: number): number => Math.ceil(seconds / compression.alertFactor);
  for (const rule of document.groups.flatMap(({ rules }) => rules)) {
    if (rule.for !== undefined) rule.for = `${cut(secondsOf(rule.for))}s`;
    rule.expr = rule.expr.replace(
      /(_plan_age_seconds\) > )(\d+)/g,
      (_, age, seconds) => `${age}${cut(Number(seconds))}`,
    );
  }
  return stringify(document);
}

function secondsOf(duration: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? [];
  const seconds = { s: 1, m: 60, h: 3600 }[unit];
  if (seconds === undefined) throw new Error(`the duration ${duration} is none of seconds, minutes or hours`);
  return Number(count) * seconds;
}

function prometheusConfig({ world, certificate: files, steering }: AlertsOptions, rules: string): string {
  const tls =
    files === undefined
      ? {}
      : { scheme: 'https', tls_config: { ca_file: files.ca, cert_file: files.cert, key_file: files.key } };
  const job = (name: string, port: number, serversOf: (centre: World['datacentres'][number]) => readonly Server[]) => ({
    job_name: name,
    ...tls,
    static_configs: world.datacentres.map((centre) => ({
      targets: serversOf(centre).map((server) => `${server.address}:${port}`),
      labels: { cluster: centre.cluster },
    })),
  });
  return stringify({
    global: {
      scrape_interval: `${everySeconds}s`,
      scrape_timeout: `${everySeconds}s`,
      evaluation_interval: `${everySeconds}s`,
    },
    rule_files: [rules],
    scrape_configs: [
      job('tideline-edge', agentPorts.edge, ({ blades }) => blades),
      job('tideline-network', agentPorts.network, ({ workers }) => workers),
      ...(steering === undefined ? [] : [{ job_name: 'tideline-steering', static_configs: [{ targets: [steering] }] }]),
    ],
  });
}
