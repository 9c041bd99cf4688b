import { application } from '../../world/application.ts';
import { countriesOf, expectedClusters } from '../expected.ts';
import type { Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import { expect } from '../unmet.ts';

export const uplinkCut: Step = {
  name: 'uplink-cut',
  explanation:
    'The nearest uplink of paris is cut. BGP finds the way round over the other transit; then the link is mended.',
  tolerance: { kind: 'recovers', withinMs: 3000 },
  async run(stage) {
    const paris = stage.lab.world.datacentres.find(({ cluster }) => cluster === 'paris');
    expect(paris !== undefined, 'there is a paris');
    const link = `${paris.router.name}/${paris.uplinks[0]}`;
    await stage.fault('uplink-cut', link);
    await stage.pause(4000);
    await stage.heal('uplink-cut');
    await stage.waitUntilNoFailures(3000);
    return `traffic of paris went over ${paris.uplinks[1]} and came back to ${paris.uplinks[0]}`;
  },
};

function labCountries(stage: Stage): readonly string[] {
  return [...new Set(stage.lab.world.users.flatMap(({ clients }) => clients.map(({ country }) => country)))];
}

/** Waits until both name servers send each country only where `allowed` says. */
async function untilAnswers(stage: Stage, allowed: (country: string) => readonly string[]): Promise<void> {
  await stage.until(async () => {
    for (const { country, route53, powerdns } of await stage.answers()) {
      if (!allowed(country).includes(route53)) return `Route 53 sends ${country} to ${route53 || 'nobody'}`;
      if (!allowed(country).includes(powerdns)) return `PowerDNS sends ${country} to ${powerdns || 'nobody'}`;
    }
    return undefined;
  });
}

/** The alerts that say that the servers of a cluster do not answer. */
const alertsOfGone: ReadonlySet<string> = new Set(['TidelineBladesGone', 'TidelineAgentsGone', 'TidelineAgentDown']);

/** Waits until the alert fires that wakes somebody for a dead cluster; resolves with all that fire, which must be about it alone. */
async function untilAlarm(stage: Stage, cluster: string): Promise<string> {
  await stage.until(async () => {
    const alerts = await stage.alerts();
    const fires = alerts.some((alert) => alert.name === 'TidelineBladesGone' && alert.cluster === cluster);
    return fires ? undefined : `TidelineBladesGone of ${cluster} does not fire`;
  });
  const alerts = await stage.alerts();
  const wrong = alerts.find((alert) => alert.cluster !== cluster);
  expect(wrong === undefined, `${wrong?.name} fires for ${wrong?.cluster}, where nothing is wrong`);
  return alerts.map(({ name }) => name).join(', ');
}

async function untilNoAlarm(stage: Stage, cluster: string): Promise<void> {
  await stage.until(async () => {
    const alerts = await stage.alerts();
    const fires = alerts.find((alert) => alert.cluster === cluster && alertsOfGone.has(alert.name));
    return fires === undefined ? undefined : `${fires.name} of ${cluster} still fires`;
  });
}

export const clusterLost: Step = {
  name: 'cluster-lost',
  explanation:
    'All of paris dies: servers, router, uplinks. The name servers see its health checks fail; the next choice is already in the records, so the cloud serves its countries. Nobody calls an API, and an alert wakes who is on call.',
  tolerance: { kind: 'recovers', withinMs: 15_000 },
  leavesFault: true,
  async run(stage) {
    const policy = application.policy;
    const moved = countriesOf(stage.lab.platform, policy, 'paris', labCountries(stage));
    await stage.fault('cluster-lost', 'paris');
    const allowed = (country: string): readonly string[] => {
      const others = expectedClusters(stage.lab.platform, policy, country).filter((name) => name !== 'paris');
      return others.length > 0 ? others : ['cloud'];
    };
    await untilAnswers(stage, allowed);
    await stage.waitUntilNoFailures(4000);
    const alerts = await untilAlarm(stage, 'paris');
    return `${moved.join(', ')} are served by the next choice of the policy; for paris fires ${alerts}`;
  },
};

export const clusterBack: Step = {
  name: 'cluster-back',
  explanation:
    'Paris gets its power back. Its agents start, the blades announce the VIP once they are fit, the health checks pass, and its countries come home.',
  tolerance: { kind: 'recovers', withinMs: 15_000 },
  async run(stage) {
    await stage.heal('cluster-lost');
    await untilAnswers(stage, (country) => expectedClusters(stage.lab.platform, application.policy, country));
    const from = stage.now();
    await stage.until(() => {
      const clusters = stage.accountSince(from).countries.get('FR')?.clusters;
      return clusters?.has('paris') === true ? undefined : 'FR is not served by paris yet';
    });
    await stage.waitUntilNoFailures(3000);
    await untilNoAlarm(stage, 'paris');
    return 'paris serves its countries again, and no alert says that it is gone';
  },
};

export const cloudRegionLost: Step = {
  name: 'cloud-region-lost',
  explanation:
    'The Asian region of the cloud dies. The address is anycast: the routers take the next region that announces it, and DNS has nothing to do.',
  tolerance: { kind: 'recovers', withinMs: 3000 },
  async run(stage) {
    const region = 'cloud-asia';
    await stage.fault('cloud-region-lost', region);
    const from = stage.now() + 1000;
    await stage.until(() => {
      const places = [...(stage.accountSince(from).countries.get('JP')?.clusters.keys() ?? [])];
      if (places.includes(`cloud/${region}`)) return `${region} still answers`;
      return places.some((place) => place.startsWith('cloud/')) ? undefined : 'JP is not served by the cloud';
    });
    const places = [...(stage.accountSince(from).countries.get('JP')?.clusters.keys() ?? [])];
    await stage.heal('cloud-region-lost');
    const back = stage.now();
    await stage.until(() => {
      const clusters = stage.accountSince(back).countries.get('JP')?.clusters;
      return clusters?.has(`cloud/${region}`) === true ? undefined : `JP is not back on ${region}`;
    });
    return `JP was served by ${places.join(', ')}, then by ${region} again`;
  },
};
