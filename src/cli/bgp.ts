import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Uplink } from '../bgp/render/server.ts';
import { parseAddress } from '../model/address.ts';
import { defaultRunDir, runFiles } from '../model/contract.ts';
import { InputError } from '../model/problem.ts';
import { addPlatformPlaces, type PlatformPlaces, platformOfPlaces } from './platform-copy.ts';

/** `tideline bgp render | relay`: the configuration of a server's ExaBGP, and its API child. */
export function register(program: Command): void {
  const bgp = program.command('bgp').description("A server's ExaBGP: its configuration and our relay under it");
  const command = bgp.command('render').description('Write exabgp.conf and exabgp.env of a worker or blade');
  addPlatformPlaces(command)
    .requiredOption('--server <name>', 'name of the worker or blade')
    .option('--address <address>', 'its address; blades have it in their EdgePool')
    .option(
      '--uplink <router=local[,remote]>',
      "a session over one link of a server whose address is on its loopback interface: the router's name in the Site, the server's address on the link, and the router's if it is not that of the Site (repeatable)",
      (text: string, before: readonly string[]) => [...before, text],
      [] as readonly string[],
    )
    .option('--run-dir <folder>', "where the relay's socket bgp.sock is", defaultRunDir)
    .requiredOption('--to <path>', 'a folder, or the path of a file that ends in .conf (the .env file goes beside it)')
    .addHelpText('after', '\nThen run: exabgp --env <folder>/exabgp.env <folder>/exabgp.conf')
    .action(render);
  bgp
    .command('relay')
    .description("ExaBGP's API child; exabgp.conf as rendered runs it")
    .allowUnknownOption()
    .helpOption(false)
    .argument('[arguments...]')
    .action(async (argv: string[]) => {
      const { runRelay } = await import('../bgp/relay/run.ts');
      process.exitCode = runRelay(argv) ?? 0;
    });
}

interface RenderArguments extends PlatformPlaces {
  readonly server: string;
  readonly address?: string;
  readonly uplink: readonly string[];
  readonly runDir: string;
  readonly to: string;
}

async function render(options: RenderArguments): Promise<void> {
  const { renderEnvironment, renderExabgp } = await import('../bgp/render/config.ts');
  const { relayProgram, warmRelay } = await import('../bgp/render/relay.ts');
  const { resolveServer } = await import('../bgp/render/server.ts');
  const { checkExabgp } = await import('../bgp/render/version.ts');

  const address = options.address === undefined ? undefined : parseAddress(options.address);
  if (options.address !== undefined && address === undefined)
    throw new InputError({
      reason: 'BadOption',
      message: `--address: not an IP address: ${options.address}`,
      fix: 'write the whole address, such as 10.1.0.11',
    });
  const platform = await platformOfPlaces(options);
  await checkExabgp(process.env);
  // Where the environment names a compile cache the relay shares it, so that the eight servers of a lab compile once.
  const compileCache = resolve(process.env.NODE_COMPILE_CACHE ?? join(options.runDir, runFiles.compileCache));
  const server = resolveServer(platform, options.server, address, options.uplink.map(uplinkOf));
  const text = renderExabgp(server, {
    relay: relayProgram(),
    compileCache,
    runDirectory: resolve(options.runDir),
  });
  const file = options.to.endsWith('.conf') ? options.to : join(options.to, 'exabgp.conf');
  await warmRelay(compileCache);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  await writeFile(`${file.slice(0, -'.conf'.length)}.env`, renderEnvironment(server));
}

function uplinkOf(text: string): Uplink {
  const [, router = '', localText = '', remoteText] = /^([^=]+)=([^,]+)(?:,(.+))?$/.exec(text) ?? [];
  const local = parseAddress(localText);
  const remote = remoteText === undefined ? undefined : parseAddress(remoteText);
  if (local === undefined || (remoteText !== undefined && remote === undefined))
    throw new InputError({
      reason: 'BadOption',
      message: `--uplink: not ROUTER=LOCAL or ROUTER=LOCAL,REMOTE: ${text}`,
      fix: 'write the name of the router and the addresses of both ends, such as paris-tor=10.2.0.1,10.2.0.0',
    });
  return { router, local, ...(remote === undefined ? {} : { remote }) };
}
