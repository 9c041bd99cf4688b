import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import { videoIngress } from '../../support/clusters/objects.ts';
import { watchRoutes } from '../../support/daemons/route-monitor.ts';
import { promised } from '../../support/promised.ts';
import { ask, Load, podOf } from './client.ts';
import { accept, agentOf, type Blade, eventually, type Objects, tideline, vip, World } from './world.ts';

// Two blades with real nginx, ExaBGP and BIRD; everything is judged by clients behind the router. The tests build on each other.
let world: World;
let one: Blade;
let two: Blade;
const both = ['10.1.0.21', '10.1.0.22'];
/** An unfit blade withdraws within this time, as the README of the edge says. */
const withdrawnWithinMs = 2000;

/** Addresses that no pool has: one that an agent added, in the kernel's words, and one that a person added. */
const ofNobody = ['192.0.2.12/32 metric 114', '192.0.2.13/32'];

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'video' },
  spec: { ports: [{ port: 80 }] },
};

const ingress = (name: string, host: string, tls?: string): Objects[number] =>
  videoIngress(name, host, tls === undefined ? {} : { tls: [{ hosts: [host], secretName: tls }] });

function slice(...addresses: readonly string[]): Objects[number] {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'video', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ port: 3000 }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

function secret(name: string, commonName: string): Objects[number] {
  const { certificate, key } = selfSigned(commonName, Date.now());
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: 'video' },
    data: { 'tls.crt': encode(certificate), 'tls.key': encode(key) },
  };
}

async function fit(blade: Blade): Promise<boolean> {
  const [state] = (await blade.status()).vips;
  return state?.fit === true && state.announced;
}

async function settled(): Promise<void> {
  await eventually('both blades are fit and routed to', async () => {
    return (await fit(one)) && (await fit(two)) && (await world.routed()).join() === both.join();
  });
}

const onlyTheOther = (timeoutMs: number): Promise<unknown> =>
  eventually('only the other is routed to', async () => (await world.routed()).join() === two.address, { timeoutMs });

beforeAll(async () => {
  world = await World.create({
    'web.yaml': [service, ingress('web', 'www.video.example')],
    'slices.yaml': [slice('10.10.1.5')],
  });
  [one, two] = world.blades;
  for (const more of ofNobody) await world.network.ip(two.namespace, 'address', 'add', 'dev', 'lo', ...more.split(' '));
  await world.pod('first', 5);
  await world.pod('second', 6);
  await settled();
});
afterAll(() => world?.destroy());

describe('two blades', () => {
  it('serve a request directly: the pod sees the blade', async () => {
    const { status, body } = await ask('www.video.example');
    expect(status).toBe(200);
    expect(both).toContain((JSON.parse(body) as { readonly peer: string }).peer);
    expect((await ask('unknown.example')).status).toBe(404);
    const health = await ask(vip, '/.well-known/tideline/health/video');
    expect([health.status, JSON.parse(health.body)]).toEqual([
      200,
      { policy: 'video', state: 'healthy', reason: 'BackendsServing' },
    ]);
  });

  it('take a new Ingress, new endpoints and certificates without a reload', async () => {
    const workers = await one.nginx.workerPids();
    await world.write('web.yaml', [
      service,
      ingress('web', 'www.video.example', 'cert'),
      ingress('new', 'new.video.example'),
    ]);
    await world.write('cert.yaml', [secret('cert', 'www.video.example')]);
    await eventually('the new host is served', async () => (await podOf('new.video.example')) === 'first');
    await eventually('with its certificate', async () => {
      return (await ask('www.video.example', '/', { tls: true })).certificate === 'www.video.example';
    });
    await world.write('slices.yaml', [slice('10.10.1.6')]);
    await eventually('the other pod serves', async () => (await podOf('new.video.example')) === 'second');
    await world.write('slices.yaml', [slice('10.10.1.5', '10.10.1.6')]);
    expect(await one.nginx.workerPids()).toEqual(workers);
    expect(await one.nginx.reloads()).toBe(0);
  });

  it('answer no pod at the door of their agents, and stay fit while one floods it', async () => {
    const visit = (localAddress: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = get({ host: one.address, port: 9464, path: '/status', localAddress, agent: false });
        request.on('error', reject).on('response', (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            body += chunk;
          });
          response.on('end', () => resolve(`${response.statusCode} ${body}`));
        });
      });
    expect(await visit('10.9.0.2')).toMatch(/^200 /);
    expect(await visit('10.10.1.5')).toBe('403 ForeignNetwork\n');
    const flood = Array.from({ length: 4000 }, () => {
      const socket = connect({ host: one.address, port: 9464, localAddress: '10.10.1.5' });
      return socket
        .resume()
        .on('error', () => {})
        .on('connect', () => socket.write('GET /status HT'));
    });
    await Promise.all(flood.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    const { vips, platform, source } = await one.status();
    expect([vips[0]?.reasons, platform.phase, source.phase]).toEqual([[], 'current', 'live']);
  });

  it('take a rotated certificate while most Ingresses are in doubt, and let go of these by tideline accept alone', async () => {
    const agents = [...agentOf(one), ...agentOf(two)];
    const more = ['a', 'b', 'c', 'd'].map((name) => ingress(name, `${name}.video.example`));
    await world.write('more.yaml', [...more, ingress('e', 'e.video.example')]);
    await eventually('the new hosts are served', async () => (await podOf('e.video.example')) !== undefined);
    expect(await accept(...agents)).toEqual({ code: 0, out: 'nothing is in doubt on this server\n' });
    await rm(join(world.manifests, 'more.yaml'));
    await eventually('both doubt', async () => {
      const doubts = [...((await one.status()).doubts ?? []), ...((await two.status()).doubts ?? [])];
      return doubts.filter(({ reason }) => reason === 'SourceImplausible').length === 2;
    });
    await world.write('cert.yaml', [secret('cert', 'rotated.video.example')]);
    await eventually('the rotated certificate is presented', async () => {
      return (await ask('www.video.example', '/', { tls: true })).certificate === 'rotated.video.example';
    });
    expect((await ask('e.video.example')).status).toBe(200);
    const [doubt] = (await one.status()).doubts ?? [];
    const { fingerprint = '' } = doubt ?? {};
    expect(doubt).toMatchObject({ count: 5, objects: expect.arrayContaining(['Ingress/video/a']) });
    const metrics = await one.metrics();
    expect(metrics).toMatch(/tideline_doubts\{[^}]*reason="SourceImplausible"[^}]*\} 1\n/);
    expect(Number(/tideline_doubt_age_seconds\{[^}]*\} ([\d.]+)\n/.exec(metrics)?.[1])).toBeGreaterThan(0);
    const listed = await accept(...agents);
    expect(listed.code).toBe(1);
    expect(listed.out).toContain('cluster paris: 5 of 7 Ingress objects are missing; they stay in force');
    expect(listed.out).toContain(`tideline accept ${fingerprint} --yes`);
    expect(await accept('ffffffffffff', '--yes', ...agents)).toMatchObject({
      code: 2,
      out: expect.stringContaining('UnknownFingerprint'),
    });
    const plan = await accept(fingerprint, ...agents);
    expect(plan.out).toContain('every agent that reads this folder takes it');
    expect(plan).toMatchObject({ code: 0, out: expect.stringContaining('nothing was written; add --yes to do it') });
    expect((await ask('e.video.example')).status).toBe(200);
    expect(await accept(fingerprint, '--yes', ...agents)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\ntaken\n$/),
    });
    await eventually('the hosts are gone', async () => (await ask('e.video.example')).status === 404);
    // As on the second server that shares the folder, and its accept file.
    const again = await accept(fingerprint, '--yes', ...agentOf(two));
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining(`${fingerprint} is accepted already`) });
    expect(again.out).toMatch(/agent of \S+ at \S+Z, accepted by anna\n/);
    const { accepted = [], source } = await two.status();
    expect([accepted.at(-1), source.phase]).toEqual([expect.objectContaining({ fingerprint, by: 'anna' }), 'live']);
    expect(await accept(...agents)).toMatchObject({ code: 0 });
    await rm(join(world.manifests, '.tideline-accept'));
    // An agent that starts anew judges by what is on disk.
    await eventually('the last-good states lack them', async () => {
      const texts = [one, two].map(({ runDir }) => readFile(join(runDir, 'edge-snapshot.json'), 'utf8'));
      return (await Promise.all(texts)).every((text) => !text.includes('e.video.example'));
    });
    await world.write('cert.yaml', [secret('cert', 'www.video.example')]);
  });

  it('refuse a bad Ingress by name and serve the rest', async () => {
    await world.write('bad.yaml', [ingress('bad', 'x;return 299')]);
    await eventually('the refusal is in the status', async () => {
      const { conditions, refused } = await one.status();
      return conditions.refused === 1 && refused[0]?.problems[0]?.reason === 'HostInvalid';
    });
    expect(['first', 'second']).toContain(await podOf('www.video.example'));
    await rm(join(world.manifests, 'bad.yaml'));
  });

  it('serve on under load while both agents are killed and started again', async () => {
    const routes = await watchRoutes(world.network, 'tor');
    const load = new Load('www.video.example');
    for (const blade of [one, two]) {
      blade.agent.kill('SIGKILL');
      await blade.agent.exited;
      blade.startAgent();
    }
    await eventually('both agents are back', async () => (await fit(one)) && (await fit(two)));
    const { requests, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(20);
    expect(await world.routed()).toEqual(both);
    expect(await routes()).toEqual([]);
    // The second start has a compile cache, as in production. Half of what an agent may take that has 5,000 hosts.
    const memory = await readFile(`/proc/${one.agent.pid}/status`, 'utf8');
    expect(Number(/VmRSS:\s+(\d+) kB/.exec(memory)?.[1])).toBeLessThan(150 * 1024);
  });

  it('hold everything when the input is garbage, empty or gone, and say so', async () => {
    const routes = await watchRoutes(world.network, 'tor');
    const load = new Load('www.video.example');
    const stale = (reason: string): Promise<boolean> =>
      eventually(reason, async () => {
        const { source } = await one.status();
        return source.phase === 'stale' && source.reason === reason;
      });
    const good = await readFile(join(world.manifests, 'slices.yaml'), 'utf8');
    await world.write('slices.yaml', '\u0000{{ garbage');
    await stale('SourceUnreadable');
    await world.write('slices.yaml', good);
    await eventually('live again', async () => (await one.status()).source.phase === 'live');
    await rename(world.manifests, `${world.folder}/away`);
    await stale('SourceMissing');
    await mkdir(world.manifests);
    await stale('SourceEmpty');
    expect(await world.routed()).toEqual(both);
    expect(await routes()).toEqual([]);
    expect((await load.stop()).failures).toEqual([]);
  });

  it('start from the snapshot while the cluster is still away', async () => {
    one.agent.kill('SIGKILL');
    await one.agent.exited;
    await one.nginx.kill();
    await one.startNginx();
    one.startAgent();
    await eventually(
      'the snapshot is served',
      async () => (await fit(one)) && (await one.status()).source.servingSnapshot,
    );
    expect((await one.status()).nginx?.hosts).toBe(2);
    await rm(world.manifests, { recursive: true });
    await rename(`${world.folder}/away`, world.manifests);
    await eventually('the cluster is read again', async () => {
      const { source } = await one.status();
      return source.phase === 'live' && !source.servingSnapshot;
    });
    await settled();
  });

  it('withdraw the VIP of a blade whose nginx died, and bring it back with the full table', async () => {
    await one.nginx.kill();
    await onlyTheOther(promised(withdrawnWithinMs));
    expect(['first', 'second']).toContain(await podOf('www.video.example'));
    await one.startNginx();
    await settled();
    expect((await one.status()).nginx?.hosts).toBe(2);
  });

  it('hold the VIP on the last blade, however unfit', async () => {
    await one.nginx.kill();
    await onlyTheOther(promised(withdrawnWithinMs));
    await two.nginx.kill();
    await eventually('the last one says why', async () => {
      const [state] = (await two.status()).vips;
      return state?.fit === false && state.announced && state.reasons.includes('LastAnnouncer');
    });
    expect(await world.routed()).toEqual([two.address]);
    await two.startNginx();
    await one.startNginx();
    await settled();
  });

  it('drain a blade without a failed request; the drain ends by itself', async () => {
    const load = new Load('www.video.example');
    await world.writePlatform({ kind: 'Blade', name: one.name, seconds: 8 });
    await eventually('the drained blade is out', async () => (await world.routed()).join() === two.address);
    expect(await one.status()).toMatchObject({ draining: true, nginx: { draining: true } });
    await settled();
    expect((await load.stop({ moves: 2 })).failures).toEqual([]);
    await world.writePlatform();
  });

  it('keep the last good platform when an edit is bad', async () => {
    const file = join(world.platform, 'platform.yaml');
    const good = await readFile(file, 'utf8');
    await writeFile(file, `${good}---\nkind: Nonsense\n`);
    await eventually('the status says so', async () => (await one.status()).platform.reason === 'PlatformInvalid');
    expect(await fit(one)).toBe(true);
    await writeFile(file, good);
    await eventually('good again', async () => (await one.status()).platform.phase === 'current');
  });

  it('announce a VIP that was mistyped in their pool until a person accepts it on each, also after a restart', async () => {
    const file = join(world.platform, 'platform.yaml');
    const good = await readFile(file, 'utf8');
    const replace = async (text: string): Promise<void> => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    };
    await replace(good.replaceAll(vip, '192.0.2.11'));
    const waits = async (blade: Blade): Promise<boolean> => {
      const { vips, notices = [] } = await blade.status();
      const served = vips.every(({ fit: isFit, announced }) => isFit && announced);
      return vips.length === 2 && served && notices.some(({ reason }) => reason === 'PoolEditWaits');
    };
    await eventually('both say that it waits', async () => (await waits(one)) && (await waits(two)));
    await expect(world.routed()).resolves.toEqual(both);
    expect((await ask('www.video.example')).status).toBe(200);
    one.agent.kill('SIGKILL');
    await one.agent.exited;
    one.startAgent();
    // It probes both VIPs in both ways and asks the other blade first, which takes long on a busy machine.
    await eventually('the new agent says so too', () => waits(one).catch(() => false), { timeoutMs: 60_000 });
    await expect(world.routed()).resolves.toEqual(both);
    const accepted = await accept(vip, '--yes', ...agentOf(one));
    expect(accepted).toMatchObject({ code: 0, out: expect.stringMatching(/\ntaken\n$/) });
    await eventually('one blade lets it go', async () => (await world.routed()).join() === two.address);
    // What a person writes by hand is the same.
    await writeFile(join(two.runDir, 'accept-edge-paris'), vip);
    await eventually('the other as well', async () => (await world.routed()).length === 0);
    const decided = async (): Promise<string> =>
      (await tideline('history', ...agentOf(one), ...agentOf(two), '--since', '1m')).out;
    // A blade that was unfit or drained within the last minute tells that as well, with another cause.
    const withdrawal = `VipWithdrawn VIP ${vip}\n    the pool has it no longer`;
    await eventually('both tell it', async () => (await decided()).split(withdrawal).length === 3);
    const history = await decided();
    for (const word of [`Accepted ${vip}\n    by anna`, `DoubtBegan ${vip}`, 'AgentStarted blade', `accepted by anna`])
      expect(history).toContain(word);
    await replace(good);
    await settled();
    // Without its pool the spec does not load for a blade.
    const documents = good.split('---\n').filter((text) => !text.includes('kind: EdgePool'));
    expect(documents).toHaveLength(good.split('---\n').length - 1);
    await replace(documents.join('---\n'));
    const invalid = async (blade: Blade) => (await blade.status()).platform.reason === 'PlatformInvalid';
    await eventually('both say so', async () => (await invalid(one)) && (await invalid(two)));
    await expect(world.routed()).resolves.toEqual(both);
    await replace(good);
    await settled();
  });

  it('a planned stop withdraws first', async () => {
    await one.agent.stop();
    one.startAgent('--withdraw-on-stop');
    await settled();
    await one.agent.stop(15_000);
    await onlyTheOther(3000);
  });

  it('refuse the routes of an Ingress that limits access as the edge cannot, and obey what it can', async () => {
    const annotated = (name: string, annotations: Readonly<Record<string, string>>) => {
      const { metadata, ...rest } = ingress(name, `${name}.video.example`);
      const prefixed = Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]);
      return { ...rest, metadata: { ...(metadata as object), annotations: Object.fromEntries(prefixed) } };
    };
    await world.write('annotated.yaml', [
      annotated('members', { 'auth-type': 'basic' }),
      annotated('office', { 'whitelist-source-range': '203.0.113.0/24' }),
      annotated('forced', { 'force-ssl-redirect': 'true' }),
    ]);
    await eventually('it is refused', async () => (await ask('members.video.example')).status === 503);
    expect((await ask('members.video.example')).body).toBe('AccessAnnotationUnsupported\n');
    expect((await ask('office.video.example')).status).toBe(403);
    expect((await ask('forced.video.example')).status).toBe(308);
    const { refused } = await two.status();
    expect(refused.map(({ object, problems }) => [object, problems.map(({ reason }) => reason)])).toEqual([
      ['Ingress/video/members', ['AccessAnnotationUnsupported']],
    ]);
    expect(['first', 'second']).toContain(await podOf('www.video.example'));
  });

  it('have removed the address of a VIP that is no longer theirs, unless somebody else added it', async () => {
    const onLo = async (): Promise<string> => world.network.ip(two.namespace, 'address', 'show', 'dev', 'lo');
    const gone = async (): Promise<boolean> => !(await onLo()).includes('192.0.2.12/32');
    await eventually('what agents added is gone', gone, { timeoutMs: 60_000 });
    const named = async () => (await two.status()).notices?.some(({ subject }) => subject === '192.0.2.13') === true;
    await eventually('what a person added is named', named);
    // Addresses stand in the order in which they were added, and an agent adds its own anew when a VIP is to be announced again.
    const found = (await onLo()).match(/inet 192\.0\.2\.1(3\/32 scope|0\/32 metric 114 )/g);
    expect(found).toHaveLength(2);
  });
});
