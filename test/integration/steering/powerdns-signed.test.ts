import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decode, encode } from 'dns-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PowerDns } from '../../../lab/daemons/powerdns.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { powerDns } from '../../../src/planes/steering/providers/powerdns/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { withDrainOf } from '../../support/steering/agent.ts';
import { planZone } from '../../support/steering/plans.ts';
import { testPowerDns } from '../../support/steering/powerdns.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually, examplePlatform, Vips } from '../../support/steering/world.ts';

/** A zone that the server signs as it answers: what Lua records answer is signed as well, and what is not there is denied. */
const dns = { host: '127.0.0.1', port: 5302 };
const zone = 'video.example';
const host = 'www.video.example';
const vips = new Vips();
let directory: string;
let server: PowerDns;

beforeAll(async () => {
  await vips.start();
  directory = await mkdtemp(join(tmpdir(), 'tideline-powerdns-signed-'));
  server = await testPowerDns({ directory, dns, apiPort: 8083, zones: [zone] });
  await promisify(execFile)('pdnsutil', [`--config-dir=${directory}`, 'secure-zone', zone]);
});

afterAll(async () => {
  await server?.stop();
  await vips.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Signed {
  readonly rcode: string;
  /** `A`, `RRSIG A`, `NSEC www.video.example A AAAA`, `NSEC3 A AAAA`, of the answer and the authority. */
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
}

interface Part {
  readonly name: string;
  readonly type: string;
  readonly data: { readonly typeCovered?: string; readonly rrtypes?: readonly string[] };
}

const partText = ({ name, type, data }: Part): string => {
  if (type === 'RRSIG') return `RRSIG ${data.typeCovered}`;
  if (type === 'NSEC3') return `NSEC3 ${data.rrtypes?.join(' ')}`;
  return type === 'NSEC' ? `NSEC ${name} ${data.rrtypes?.join(' ')}` : type;
};

/** Asks as a resolver that validates does. */
async function askSigned(name: string, type: 'A' | 'AAAA' | 'TXT'): Promise<Signed> {
  const option = { type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0x8000, options: [] };
  const query = encode({ type: 'query', id: 7, questions: [{ name, type }], additionals: [option as never] });
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = createSocket('udp4');
  socket.once('message', resolve);
  socket.once('error', reject);
  socket.send(query, dns.port, dns.host);
  const reply = decode(await promise.finally(() => socket.close()));
  const texts = (parts: unknown): readonly string[] => (parts as readonly Part[]).map(partText);
  return {
    rcode: (reply as unknown as { rcode: string }).rcode,
    answers: texts(reply.answers),
    authorities: texts(reply.authorities),
  };
}

const providerOf = () =>
  powerDns({ url: server.apiUrl, apiKey: server.apiKey, clock: systemClock, random: Math.random });

test('a signed zone is planned and applied as any other, and each answer of a policy is signed', async () => {
  const provider = providerOf();
  const platform = await examplePlatform();
  const plan = () => planZone(platform, provider, zone, Date.now(), { probe: async () => 'healthy' });
  await applyZone(await plan(), provider);
  expect((await plan()).batches).toEqual([]);
  await eventually(async () => {
    const [french] = await resolveFor(dns, host, clientAddress('FR', 0));
    const [japanese] = await resolveFor(dns, host, clientAddress('JP', 0));
    const isRight = french === vips.addresses['paris'] && japanese === vips.addresses['cloud'];
    return isRight ? undefined : `FR gets ${french}, JP gets ${japanese}`;
  });
  // Where PowerDNS has not checked a cluster yet, it answers with the addresses of several, and in any order.
  const { rcode, answers } = await askSigned(host, 'A');
  expect([rcode, new Set(answers)]).toEqual(['NOERROR', new Set(['A', 'RRSIG A'])]);

  const otherType = await askSigned(host, 'TXT');
  expect([otherType.rcode, otherType.answers]).toEqual(['NOERROR', []]);
  expect(otherType.authorities).toContainEqual(
    expect.stringMatching(/^NSEC www\.video\.example A( AAAA)? RRSIG NSEC$/),
  );

  const noName = await askSigned('nobody.video.example', 'A');
  expect(noName.rcode).toBe('NXDOMAIN');
  expect(noName.authorities.filter((text) => text === 'RRSIG NSEC').length).toBeGreaterThan(0);
}, 60_000);

test('one that denies by NSEC3 is so as well, and names no host in clear', async () => {
  // Through the API, because the server remembers for a minute what another program set.
  const set = await fetch(`${server.apiUrl}/api/v1/servers/localhost/zones/${zone}.`, {
    method: 'PUT',
    headers: { 'x-api-key': server.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ nsec3param: '1 0 0 -' }),
  });
  expect(set.status).toBe(204);
  const provider = providerOf();
  const platform = await examplePlatform();
  const drained = withDrainOf(platform, 'paris', Date.now() + 3_600_000);
  const plan = (of: Platform) => planZone(of, provider, zone, Date.now(), { probe: async () => 'healthy' });
  expect((await plan(platform)).batches).toEqual([]);
  await applyZone(await plan(drained), provider);
  expect((await plan(drained)).batches).toEqual([]);
  await eventually(async () => {
    const [french] = await resolveFor(dns, host, clientAddress('FR', 0));
    return french === vips.addresses['cloud'] ? undefined : `FR gets ${french}`;
  });
  await eventually(async () => {
    const { authorities } = await askSigned(host, 'TXT');
    return authorities.some((text) => /^NSEC3 A( AAAA)? RRSIG$/.test(text)) ? undefined : authorities.join();
  });
  const { answers } = await askSigned(host, 'A');
  expect(new Set(answers)).toEqual(new Set(['A', 'RRSIG A']));
  const noName = await askSigned('nobody.video.example', 'A');
  expect(noName.rcode).toBe('NXDOMAIN');
  expect(noName.authorities).toContain('RRSIG NSEC3');
  expect(noName.authorities.filter((text) => /NSEC\b/.test(text))).toEqual([]);
}, 60_000);
