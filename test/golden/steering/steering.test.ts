import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answersOf, formatTiers } from '../../../src/answers/answers.ts';
import { formatRecord } from '../../../src/answers/record.ts';
import { messageOf } from '../../../src/model/values.ts';
import type { Compiled, CompileInput } from '../../../src/planes/steering/dialects/dialect.ts';
import { dialects } from '../../../src/planes/steering/dialects/table.ts';
import { verify } from '../../support/steering/plans.ts';
import { compileInputOf, policyOf } from '../../support/steering/policies.ts';

/** Each `<case>.in.yaml` (rules and default of a policy) becomes `<case>.out.txt`. `vitest -u` writes them again. */
const folder = import.meta.dirname;
const cases = readdirSync(folder).flatMap((file) => /^(.+)\.in\.yaml$/.exec(file)?.[1] ?? []);

test('there are cases', () => expect(cases.length).toBeGreaterThanOrEqual(4));

test.each(cases)('%s', async (name) => {
  const policy = policyOf(readFileSync(join(folder, `${name}.in.yaml`), 'utf8'));
  const input = compileInputOf(policy);
  const tree = dialects.route53.compile(input);
  const verification = verify(dialects.route53, tree, input.hosts, input.entries);
  const lua = compileLua(input);
  if ('records' in lua) expect(verify(dialects.powerdns, lua, input.hosts, input.entries)).toEqual(verification);
  const byTiers = Map.groupBy(
    [...answersOf(policy, new Set()).byCountry],
    ([, preference]) => `${formatTiers(preference.tiers)} because of ${preference.rule}`,
  );
  const text = [
    'answers',
    ...[...byTiers].map(([tiers, members]) => `  ${tiers}: ${members.map(([code]) => code).join(' ')}`),
    'route53 records',
    ...tree.records.map((record) => `  ${formatRecord(record)}`),
    'route53 health checks',
    ...tree.healthChecks.map((check) => `  ${JSON.stringify(check)}`),
    'notices',
    ...tree.notices.map(({ reason, message }) => `  ${reason}: ${message}`),
    `verified ${JSON.stringify(verification)}`,
    'powerdns records',
    ...('records' in lua ? lua.records.map(formatRecord) : [lua.refused]).map((line) => `  ${line}`),
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot(join(folder, `${name}.out.txt`));
});

/** The records, or why PowerDNS cannot have them. */
function compileLua(input: CompileInput): Compiled | { readonly refused: string } {
  try {
    return dialects.powerdns.compile(input);
  } catch (error) {
    return { refused: messageOf(error) };
  }
}
