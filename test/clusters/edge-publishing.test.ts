import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { vip, World } from '../integration/edge/world.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { ingressAddresses } from '../support/clusters/ingress-status.ts';
import { videoIngress } from '../support/clusters/objects.ts';

// The tests run two blades with real nginx, ExaBGP and BIRD, which read and write a real API server with the rights of deploy/rbac.
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'video' },
  spec: { ports: [{ port: 80 }] },
};

let world: World;
let plane: ControlPlane;

const addressOf = async (name: string): Promise<string> => (await ingressAddresses(plane, name)).join(' ');

async function leader(): Promise<string | undefined> {
  const statuses = await Promise.all(world.blades.map((blade) => blade.status().catch(() => undefined)));
  return statuses.find((status) => status?.publishing?.leading === true)?.blade;
}

beforeAll(async () => {
  world = await World.create({ 'web.yaml': [service] });
  plane = await startTestControlPlane({ address: '10.9.0.2' });
  await plane.kubectl(['create', 'namespace', 'video']);
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  const rights = parseAllDocuments(await readFile(join(import.meta.dirname, '../../deploy/rbac/edge.yaml'), 'utf8'));
  await plane.apply(...rights.map((document) => document.toJS() as object), service);
  for (const blade of world.blades) {
    await blade.agent.stop();
    const who = { user: `tideline:edge:${blade.name}`, groups: ['tideline:edge'] };
    blade.startAgent('--kubeconfig', await plane.kubeconfigFor(who));
  }
});

afterAll(async () => {
  await world?.destroy();
  await plane?.stop();
});

it('shows the VIP on an Ingress that is served, and an Event on one that is not', async () => {
  await plane.apply(videoIngress('web', 'www.video.example'));
  await eventually(async () => (await addressOf('web')) === vip, { timeoutMs: 120_000 });
  await plane.apply(videoIngress('young', 'www.video.example'));
  await eventually(async () => {
    const text = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'young']);
    return /Warning\s+PathConflict\s.*belongs to Ingress video\/web/.test(text);
  });
  expect(await addressOf('young')).toBe('');
  const writers = await plane.audit(
    ({ resource, subresource }) => resource === 'ingresses' && subresource === 'status',
  );
  expect([...new Set(writers.map(({ user }) => user))]).toEqual([`tideline:edge:${await leader()}`]);
});

it('goes on when the agent that writes ends, and says in /status who does', async () => {
  const name = await eventually(leader);
  const [first, second] = world.blades[0].name === name ? world.blades : [world.blades[1], world.blades[0]];
  await first.agent.stop();
  await plane.apply(videoIngress('later', 'later.video.example'));
  await eventually(async () => (await addressOf('later')) === vip);
  expect((await second.status()).publishing).toMatchObject({ leading: true, addresses: [vip], poolObject: 'absent' });
  const asked = await plane.audit(({ user }) => user.startsWith('tideline:'));
  expect(new Set(asked.map(({ user }) => user)).size).toBe(world.blades.length);
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
});
