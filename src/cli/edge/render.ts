import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { runFiles } from '../../model/contract.ts';
import { findObject } from '../../model/platform/find.ts';
import { InputError, type InputProblem } from '../../model/problem.ts';
import type { EdgePool } from '../../model/spec/kinds.ts';
import type { NginxSettings } from '../../planes/edge/nginx/conf.ts';
import { addPlatformPlaces, type PlatformPlaces, placesText, platformOfPlaces } from '../platform-copy.ts';

interface RenderArguments extends PlatformPlaces {
  readonly pool: string;
  readonly runDir: string;
  readonly temporaryDir?: string;
  readonly to: string;
  readonly user?: string;
  readonly workers: number | 'auto';
  readonly accessLog?: boolean;
  readonly fullAddresses: boolean;
  readonly syslog: boolean;
}

/** `tideline edge render`: writes the files with which nginx of a pool's blade is started. */
export function registerRender(edge: Command): void {
  const command = edge
    .command('render')
    .description('Write nginx.conf and the Lua data plane of a pool; constant, whatever the cluster holds');
  addPlatformPlaces(command)
    .requiredOption('--pool <name>', 'the EdgePool')
    .requiredOption('--run-dir <dir>', 'folder of the control socket, pid and logs')
    .option(
      '--temporary-dir <dir>',
      'folder of bodies that are too long for memory, on a disk (default: the run directory)',
    )
    .requiredOption('--to <dir>', 'folder to write')
    .option('--user <name>', 'user of the worker processes (default: www-data, or root where no other user exists)')
    .option('--workers <count>', 'worker processes, or auto: one a processor', parseWorkers, 'auto')
    .option('--access-log', 'log one JSON object a request (default with --syslog; else to <run-dir>/nginx-access.log)')
    .option('--no-access-log', 'log no requests, whatever accessLog of the EdgePool says')
    .option('--full-addresses', 'log whole addresses of clients, not their networks (IPv4 /24, IPv6 /48)', false)
    .option('--syslog', 'log to /dev/log, where the journal bounds it, instead of to files of the run directory', false)
    .action(render);
}

function parseWorkers(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('a number from 1 to 999, or auto.');
  return Number(text);
}

async function render(options: RenderArguments): Promise<void> {
  const { checkSettings } = await import('../../planes/edge/nginx/conf.ts');
  const { renderDataPlane } = await import('../../planes/edge/nginx/render.ts');
  const { zoneMiB } = await import('../../planes/edge/table.ts');
  const { countryRanges } = await import('../../geo/ranges.ts');
  const { printLines } = await import('../../runtime/print.ts');

  const platform = await platformOfPlaces(options);
  const pool = findObject(platform, 'EdgePool', options.pool, { option: '--pool', place: placesText(options) });
  const settings = {
    rendered: resolve(options.to),
    runDir: resolve(options.runDir),
    temporaryDir: resolve(options.temporaryDir ?? options.runDir),
    httpPort: pool.spec.ports.http,
    httpsPort: pool.spec.ports.https,
    ipv6: existsSync('/proc/net/if_inet6'),
    user: options.user ?? (await defaultUser()),
    workers: options.workers,
    accessLog: options.accessLog ?? options.syslog,
    fullAddresses: options.fullAddresses,
    syslog: options.syslog,
    maxBodyMiB: pool.spec.maxBodyMiB,
    clients: pool.spec.clients,
    ...trustedProxies(pool.spec),
    zoneMiB,
  };
  const wrong = checkSettings(settings);
  if (wrong.length > 0)
    throw new InputError(
      wrong.map((message) => ({
        reason: 'BadSetting',
        message,
        fix: 'give another --run-dir, --temporary-dir, --to, --user or --workers',
      })),
    );
  const open = (
    await Promise.all([
      openFolder('--run-dir', settings.runDir),
      openFolder('--temporary-dir', settings.temporaryDir),
      openFolder('--to', settings.rendered),
    ])
  ).flat();
  if (open.length > 0) throw new InputError(open);
  const closed = await closedToWorkers(settings);
  if (closed.length > 0) throw new InputError(closed);
  await renderDataPlane(settings, Date.now(), countryRanges());
  printLines([join(settings.rendered, 'nginx.conf')]);
}

function trustedProxies({ trustedProxies: trusted }: EdgePool['spec']): Pick<NginxSettings, 'trustedProxies'> {
  if (trusted === undefined) return {};
  return { trustedProxies: { prefixes: trusted.prefixes.map(({ text }) => text), via: trusted.via } };
}

/**
 * The problem of a folder in which others could put files of their own, or exchange ours: sockets, what nginx runs, the pid file. A
 * folder that does not exist is made later, by us or by the unit.
 */
async function openFolder(option: string, path: string): Promise<readonly InputProblem[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  const foreign = found.uid !== 0 && found.uid !== process.getuid?.();
  if (!foreign && (found.mode & 0o022) === 0) return [];
  const message = foreign
    ? `${path} belongs to another user (${found.uid}), who could exchange what nginx runs`
    : `others may write in ${path}: whoever does controls nginx`;
  return [
    {
      reason: 'OpenFolder',
      path: option,
      message,
      fix: `chown it to the user of nginx's master, and chmod go-w ${path}`,
    },
  ];
}

/**
 * What the worker processes of nginx could not use: with it nginx starts and serves, but its workers cannot see that shared memory is torn,
 * and long bodies fail.
 */
async function closedToWorkers({ user, runDir, temporaryDir }: NginxSettings): Promise<readonly InputProblem[]> {
  const { closedFolder, isUnreadable, workerUser } = await import('../../planes/edge/nginx/folders.ts');
  const worker = await workerUser(user);
  const alerts = join(runDir, runFiles.nginxAlerts);
  const folders = [
    { option: '--run-dir', path: runDir, use: 'where they read nginx-alerts.log' },
    { option: '--temporary-dir', path: temporaryDir, use: 'where they write long bodies' },
  ];
  const problems: InputProblem[] = [];
  for (const { option, path, use } of folders) {
    const closed = await closedFolder(path, worker);
    if (closed === undefined) continue;
    problems.push({
      reason: 'ClosedFolder',
      path: option,
      message: `the workers of nginx (${worker.name}) may not enter ${closed}, which leads to ${path}, ${use}`,
      fix: `chmod a+x ${closed}, or give a --user who may enter it`,
    });
  }
  if (await isUnreadable(alerts, worker))
    problems.push({
      reason: 'ClosedFile',
      path: '--run-dir',
      message: `the workers of nginx (${worker.name}) may not read ${alerts}, which tells them when shared memory is torn`,
      fix: `chmod a+r ${alerts}`,
    });
  return problems;
}

/**
 * The default user of the workers: root in a user namespace, where only the users of its map exist and nginx could change to no
 * other.
 */
async function defaultUser(): Promise<string> {
  const map = await readFile('/proc/self/uid_map', 'utf8').catch(() => '');
  return /^\s*0\s+0\s+4294967295\s*$/.test(map) ? 'www-data' : 'root';
}
