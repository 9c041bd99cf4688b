import { Command } from 'commander';
import type { Platform } from '../../model/spec/platform.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Down } from '../../observe/why/suppose.ts';
import { addDownOption } from '../down.ts';
import { addNameServerOption, type NameServerArguments } from '../name-servers.ts';
import { printResult } from '../output.ts';
import { addZoneOptions, type ProviderOptions } from './connect.ts';
import type { Found } from './explain/found.ts';

interface ExplainArguments extends ProviderOptions, NameServerArguments {
  readonly if: readonly Down[];
  readonly network?: string;
  readonly offline?: true;
}

/** `tideline steering explain HOST COUNTRY FILES...`: prints why the users of a country get the answer they get. */
export function register(): Command {
  const command = new Command('explain')
    .description('Say which cluster answers a country, why, and who would answer when clusters fail')
    .argument('<host>', 'a host of a traffic policy')
    .argument('<country>', 'ISO 3166-1 alpha-2 code, a state such as US-CA, or "unknown"')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--network <cidr>', 'users in this network or of this address, such as 192.0.2.0/24')
    .option('--offline', 'say what the policy wants, and ask neither the zone nor name servers');
  addDownOption(command, ['Site', 'Cluster']);
  addNameServerOption(command);
  return addZoneOptions(command).action(
    async (host: string, country: string, paths: string[], options: ExplainArguments) => {
      const { steeredPlatform } = await import('./spec.ts');
      const { explain, renderExplanation } = await import('../../planes/steering/plan/explain.ts');
      const platform = await steeredPlatform(paths, options.platformTrust ?? []);
      const { clustersDown } = await import('./clusters-down.ts');
      const down = clustersDown(platform, options.if);
      const { network } = options;
      const explanation = explain(platform, host, country, Date.now(), { down, ...withoutUndefined({ network }) });
      const found = options.offline === true ? undefined : await look(platform, { host, country, down }, options);
      const lines = found === undefined ? [] : await (await import('./explain/found.ts')).renderFound(found);
      await printResult(options.output, {
        lines: () => [...renderExplanation(explanation), ...lines],
        value: () => ({ ...explanation, ...found }),
      });
    },
  );
}

async function look(
  platform: Platform,
  { host, country, down }: { readonly host: string; readonly country: string; readonly down: readonly string[] },
  options: ExplainArguments,
): Promise<Found> {
  const { answeringPolicy } = await import('../../planes/steering/plan/explain.ts');
  const { find } = await import('./explain/found.ts');
  const policy = answeringPolicy(platform, host);
  const code = country === 'unknown' ? undefined : country.toUpperCase();
  const question = {
    policy,
    host,
    country: code,
    ...withoutUndefined({ network: options.network }),
    ...(options.if.length > 0 ? { supposed: down } : {}),
  };
  return find(platform, question, options);
}
