import { Command } from 'commander';
import { messageOf } from '../../model/values.ts';
import { addStepOptions, atProvider, type StepOptions, takeStep } from './step.ts';

interface ReleaseOptions extends StepOptions {
  readonly to?: string;
}

/** Of a file of replaced records no more is read. */
const maxKeptBytes = 4 << 20;

/** `tideline steering release HOST FILES...`: the host keeps its answers, and Tideline leaves them alone from then on. */
export function register(): Command {
  const command = new Command('release')
    .description(
      'Turn the records of a host into plain ones that Tideline leaves alone, or put back those that it replaced',
    )
    .argument('<host>', 'a host that Tideline answers for')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--to <file>', 'put back the records in this file, which `tideline steering adopt` kept');
  return addStepOptions(command).action(async (host: string, paths: string[], options: ReleaseOptions) => {
    const kept = options.to === undefined ? undefined : await readRecords(options.to, host);
    await takeStep(paths, options, async (platform) => {
      const { zonesOf } = await import('../../planes/steering/compile/intent.ts');
      const all = kept === undefined ? zonesOf(platform) : [{ provider: kept.provider, zone: kept.zone }];
      const holding = all.filter(({ zone }) => host === zone || host.endsWith(`.${zone}`));
      const longest = Math.max(0, ...holding.map(({ zone }) => zone.length));
      const zones = atProvider(
        holding.filter(({ zone }) => zone.length === longest),
        options.provider,
      );
      if (zones.length > 0) return { zones, purpose: { kind: 'release', host, ...(kept && { to: kept.records }) } };
      const { badInput } = await import('../../planes/steering/reasons.ts');
      throw badInput(
        'NoPolicy',
        `no traffic policy in these files names a zone in which ${host} lies`,
        'name the files with a TrafficPolicy of that zone',
      );
    });
  });
}

async function readRecords(file: string, host: string) {
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const { readKept } = await import('../../planes/steering/plan/kept.ts');
  const { badInput } = await import('../../planes/steering/reasons.ts');
  const bytes = await readBounded(file, maxKeptBytes).catch((error: unknown) => {
    const fix = 'name the file that `tideline steering adopt` printed when it replaced the records';
    throw badInput('UnreadableKept', `--to ${file} cannot be read: ${messageOf(error)}`, fix);
  });
  return readKept(bytes.toString('utf8'), { file, host });
}
