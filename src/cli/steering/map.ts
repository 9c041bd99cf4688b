import { Command, Option } from 'commander';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf } from '../../model/values.ts';
import type { Down } from '../../observe/why/suppose.ts';
import type { HeldBack } from '../../planes/steering/records/scope.ts';
import { hasColour, printColoured, printLines } from '../../runtime/print.ts';
import { addDownOption } from '../down.ts';
import { printResult } from '../output.ts';
import { addProviderOptions, type Planned, type ProviderOptions, planBy, planWith } from './connect.ts';
import type { WorldView } from './map/view.ts';

interface MapOptions extends ProviderOptions {
  readonly show: 'policy' | 'zone' | 'changes';
  readonly family: '4' | '6';
  readonly if: readonly Down[];
  readonly now?: true;
  readonly svg?: string;
}

/** `tideline steering map HOST FILES...`: the world, coloured by the cluster that answers each country. */
export function register(): Command {
  const command = new Command('map')
    .description('Draw the world, coloured by the cluster that answers each country')
    .argument('<host>', 'a host of a traffic policy')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .addOption(
      new Option('--show <what>', 'what the policy wants, what the zone has, or what a plan changes')
        .choices(['policy', 'zone', 'changes'])
        .default('policy'),
    )
    .addOption(new Option('--family <version>', 'of zone and changes: IPv4 or IPv6').choices(['4', '6']).default('4'))
    .addOption(
      new Option(
        '--now',
        'in the present health, which the plan of the zone reads (default: while everything is healthy)',
      ).conflicts('if'),
    )
    .option('--svg <file>', 'write the map as a picture for browsers as well');
  addDownOption(command, ['Site', 'Cluster']);
  return addProviderOptions(command).action(async (host: string, paths: string[], options: MapOptions) => {
    const { steeredPlatform } = await import('./spec.ts');
    const platform = await steeredPlatform(paths, options.platformTrust ?? []);
    const view = await viewOf(platform, host, { paths, options });
    await draw(platform, view, options);
  });
}

interface Request {
  readonly paths: readonly string[];
  readonly options: MapOptions;
}

async function viewOf(platform: Platform, host: string, { paths, options }: Request): Promise<WorldView> {
  const { presentOf, wantedView, zoneView } = await import('./map/view.ts');
  const { answeringPolicy } = await import('../../planes/steering/plan/explain.ts');
  const { clustersDown } = await import('./clusters-down.ts');
  const down = clustersDown(platform, options.if);
  const policy = answeringPolicy(platform, host);
  const { show, family, now: isNow } = options;
  if (show === 'policy' && isNow !== true) return wantedView(platform, host, { down, nowMs: Date.now() });
  const { badInput } = await import('../../planes/steering/reasons.ts');
  if (down.length > 1)
    throw badInput(
      'SeveralDown',
      `--if: ${down.join(' and ')} at once; what a zone answers is known while one cluster is down`,
      'name one Cluster, or leave --show out: the policy is drawn for any number of them',
    );
  const first = await planWith(paths, options, isNow === true ? { health: 'all' } : {});
  const isHeld = first.plans.some(({ heldBack }) => heldBack.some((one) => one.host === host && isOfOthers(one)));
  // What answers for a host of others, and what its adoption would change, is in the plan of that.
  const { plans } = isHeld ? await adoptionOf(host, paths, options) : first;
  const plan = plans.find(
    ({ zone, impacts }) => zone === policy.spec.dns.zone && impacts.some((one) => one.host === host),
  );
  const held = plans.flatMap(({ heldBack }) => heldBack).find((one) => one.host === host);
  if (held !== undefined)
    throw badInput(held.reason, `${host} is held back: ${held.message}`, '--show policy draws what the policy wants');
  if (plan === undefined)
    throw badInput('NoPolicy', `no plan says what is answered for ${host}`, 'tideline steering plan FOLDER says why');
  const presently = isNow === true ? { now: presentOf(plan.health, policy.metadata.name) } : {};
  if (show === 'policy') return wantedView(platform, host, { down, nowMs: Date.now(), ...presently });
  return zoneView(plan, host, { show, type: family === '4' ? 'A' : 'AAAA', down, ...presently });
}

const isOfOthers = ({ reason }: HeldBack): boolean => reason === 'UnownedRecord';

async function adoptionOf(host: string, paths: readonly string[], options: MapOptions): Promise<Planned> {
  const { planEach } = await import('../../planes/steering/plan/plan.ts');
  const { zonesOfHost } = await import('./adopt.ts');
  return planBy(paths, options, async (platform, { connect, nowMs, asked }) => {
    const zones = await zonesOfHost(platform, host, options.provider);
    return planEach(platform, { zones, purpose: { kind: 'adopt', host } }, connect, nowMs, asked);
  });
}

async function draw(platform: Platform, view: WorldView, { output, svg }: MapOptions): Promise<void> {
  const [{ worldMap }, { paintsFor }, { mapLines }] = await Promise.all([
    import('../../geo/world/world.ts'),
    import('./map/paint.ts'),
    import('./map/text.ts'),
  ]);
  const map = await worldMap();
  const paints = paintsFor(view.groups, [...platform.clusters.keys()].sort());
  if (svg !== undefined) await writePicture(svg, (await import('./map/svg.ts')).mapSvg(map, view, paints));
  const size = { columns: Math.min(process.stdout.columns ?? 80, 120), colour: hasColour() };
  if (output === 'text' && size.colour) printColoured(mapLines(map, view, paints, size));
  else
    await printResult(output, {
      lines: () => mapLines(map, view, paints, size).map((line) => line.map(({ text }) => text).join('')),
      value: () => view,
    });
  if (svg !== undefined && output === 'text') printLines([`written to ${svg}`]);
}

async function writePicture(file: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  try {
    await writeFile(file, text);
  } catch (error) {
    const { badInput } = await import('../../planes/steering/reasons.ts');
    const fix = 'name a file in a folder that exists and may be written';
    throw badInput('FileNotWritten', `--svg: ${messageOf(error)}`, fix);
  }
}
