import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { policyOfHost } from '../../model/platform/policies.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { ZoneAtProvider } from '../../planes/steering/compile/intent.ts';
import type { ProviderName } from '../../planes/steering/dialects/dialect.ts';
import { printErrorLines } from '../../runtime/print.ts';
import { commandJournal } from '../record.ts';
import type { Planned } from './connect.ts';
import { addStepOptions, atProvider, type StepOptions, takeStep } from './step.ts';

interface AdoptOptions extends StepOptions {
  readonly keep?: string;
}

/** `tideline steering adopt HOST FILES...`: a host whose records somebody else wrote is answered by its policy from then on. */
export function register(): Command {
  const command = new Command('adopt')
    .description('Replace the records that somebody else wrote for a host of a policy by those of the policy')
    .argument('<host>', 'a host of a traffic policy')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--keep <folder>', 'where the replaced records are kept (default: "replaced" beside the history)');
  return addStepOptions(command).action(async (host: string, paths: string[], options: AdoptOptions) => {
    const stepOf = async (platform: Platform) => {
      const zones = await zonesOfHost(platform, host, options.provider);
      return { zones, purpose: { kind: 'adopt', host } as const };
    };
    await takeStep(paths, options, stepOf, (planned) => keep(planned, options.keep));
  });
}

/** The zones of a host of a policy, at these providers. Throws an InputError when there is none. */
export async function zonesOfHost(
  platform: Platform,
  host: string,
  provider: ProviderName | 'all',
): Promise<readonly ZoneAtProvider[]> {
  const policy = policyOfHost(platform, host);
  const zones = (policy?.spec.dns.providers ?? []).map((name) => ({
    provider: name,
    zone: policy?.spec.dns.zone ?? '',
  }));
  const found = atProvider(zones, provider);
  if (found.length > 0) return found;
  const { badInput } = await import('../../planes/steering/reasons.ts');
  throw badInput(
    'NoPolicy',
    `no traffic policy in these files answers for ${host}${provider === 'all' ? '' : ` with the provider ${provider}`}`,
    'add it to spec.hosts of a TrafficPolicy',
  );
}

/** Keeps what is to be replaced in files, so that `steering release --to` can put it back. */
async function keep({ plans }: Planned, folder: string | undefined): Promise<void> {
  const { keptOf } = await import('../../planes/steering/plan/kept.ts');
  const { replaceFile } = await import('../../runtime/kept-file.ts');
  const into = folder ?? join(dirname(commandJournal()), 'replaced');
  for (const plan of plans) {
    const kept = keptOf(plan);
    if (kept === undefined) continue;
    await mkdir(into, { recursive: true, mode: 0o700 });
    const file = join(into, `${kept.host}-${kept.provider}-${kept.generation}.json`);
    await replaceFile(file, `${JSON.stringify(kept, undefined, 2)}\n`);
    printErrorLines([`the records that are replaced are kept in ${file}`]);
  }
}
