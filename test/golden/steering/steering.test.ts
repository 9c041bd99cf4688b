import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answersOf, formatTiers } from '../../../src/planes/steering/policy/answers.ts';
import { compileLua } from '../../../src/planes/steering/records/lua.ts';
import { formatRecord } from '../../../src/planes/steering/records/record.ts';
import { compileTree } from '../../../src/planes/steering/records/tree.ts';
import { verifyTree } from '../../../src/planes/steering/records/verify.ts';
import { policyOf, treeInputOf } from '../../support/steering/policies.ts';

/** Each `<case>.in.yaml` (rules and default of a policy) becomes `<case>.out.txt`. `vitest -u` writes them again. */
const folder = import.meta.dirname;
const cases = readdirSync(folder).flatMap((file) => /^(.+)\.in\.yaml$/.exec(file)?.[1] ?? []);

test('there are cases', () => expect(cases.length).toBeGreaterThanOrEqual(4));

test.each(cases)('%s', async (name) => {
  const policy = policyOf(readFileSync(join(folder, `${name}.in.yaml`), 'utf8'));
  const input = treeInputOf(policy);
  const tree = compileTree(input);
  const lua = compileLua(input);
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
    `verified ${JSON.stringify(verifyTree(tree, input.hosts, input.entries))}`,
    'powerdns records',
    ...lua.records.map((record) => `  ${formatRecord(record)}`),
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot(join(folder, `${name}.out.txt`));
});
