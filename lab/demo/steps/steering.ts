import { application } from '../../world/application.ts';
import { expectedClusters } from '../expected.ts';
import type { Stage } from '../stage.ts';
import { type Step, unnoticed } from '../step.ts';
import { expect } from '../unmet.ts';

export const steering: Step = {
  name: 'steering',
  explanation:
    'Both name servers, Route 53 (emulated) and PowerDNS (real), send every country to the cluster that the traffic policy names for it, by the client subnet of the query.',
  tolerance: unnoticed,
  async run(stage) {
    const from = stage.now();
    // With weights, chance decides when a country has met both clusters: some ten connections in the least likely case.
    await stage.until(() => wronglyServed(stage, from));
    for (let round = 0; round < 3; round += 1) await expectAnswers(stage);
    return (await stage.answers())
      .map(
        ({ country, route53, powerdns }) =>
          `${country} -> ${route53 === powerdns ? route53 : `${route53}/${powerdns}`}`,
      )
      .join(', ');
  },
};

async function expectAnswers(stage: Stage): Promise<void> {
  for (const { country, route53, powerdns } of await stage.answers()) {
    const expected = expectedClusters(stage.lab.platform, application.policy, country);
    expect(
      expected.includes(route53),
      `Route 53 sends ${country} to ${route53 || 'nobody'}, the policy to ${expected.join(' or ')}`,
    );
    expect(
      expected.includes(powerdns),
      `PowerDNS sends ${country} to ${powerdns || 'nobody'}, the policy to ${expected.join(' or ')}`,
    );
  }
}

/**
 * What is missing until every country has been served, through each name server, by every cluster that the policy names and no
 * other.
 */
function wronglyServed(stage: Stage, fromMs: number): string | undefined {
  const account = stage.accountSince(fromMs);
  for (const { country } of stage.lab.world.users.flatMap(({ clients }) => clients)) {
    const expected = expectedClusters(stage.lab.platform, application.policy, country);
    for (const [resolver, places] of Object.entries(account.countries.get(country)?.byResolver ?? {})) {
      const seen = new Set([...places.keys()].map((place) => place.split('/')[0] ?? ''));
      const stranger = [...seen].find((cluster) => !expected.includes(cluster));
      expect(
        stranger === undefined,
        `${country} was served by ${stranger} through ${resolver}, the policy says ${expected.join(' or ')}`,
      );
      if (seen.size === 0) return `${country} was not served through ${resolver}`;
    }
    const everywhere = new Set(
      [...(account.countries.get(country)?.clusters.keys() ?? [])].map((place) => place.split('/')[0]),
    );
    const missing = expected.find((cluster) => !everywhere.has(cluster));
    if (missing !== undefined) return `${country} was not yet served by ${missing}`;
  }
  return undefined;
}
