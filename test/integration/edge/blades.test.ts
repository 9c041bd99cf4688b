import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import { videoIngress } from '../../support/clusters/objects.ts';
import { promised } from '../../support/promised.ts';
import { ask, Load, podOf } from './client.ts';
import { type Blade, eventually, type Objects, vip, World } from './world.ts';

// Two blades with real nginx, ExaBGP and BIRD; everything is judged by clients behind the router. The tests build on each other.
let world: World;
let one: Blade;
let two: Blade;
const both = ['10.1.0.21', '10.1.0.22'];
/** An unfit blade withdraws within this time, as the README of the edge says. */
const withdrawnWithinMs = 2000;

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

beforeAll(async () => {
  world = await World.create({
    'web.yaml': [service, ingress('web', 'www.video.example')],
    'slices.yaml': [slice('10.10.1.5')],
  });
  [one, two] = world.blades;
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
    // The second start has a compile cache, as in production.
    const memory = await readFile(`/proc/${one.agent.pid}/status`, 'utf8');
    expect(Number(/VmRSS:\s+(\d+) kB/.exec(memory)?.[1])).toBeLessThan(110 * 1024);
  });

  it('hold everything when the input is garbage, empty or gone, and say so', async () => {
    const load = new Load('www.video.example');
    const stale = async (reason: string): Promise<void> => {
      await eventually(reason, async () => {
        const { source } = await one.status();
        return source.phase === 'stale' && source.reason === reason;
      });
    };
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
    await eventually('only the other blade is routed to', async () => (await world.routed()).join() === two.address, {
      timeoutMs: promised(withdrawnWithinMs),
    });
    expect(['first', 'second']).toContain(await podOf('www.video.example'));
    await one.startNginx();
    await settled();
    expect((await one.status()).nginx?.hosts).toBe(2);
  });

  it('hold the VIP on the last blade, however unfit', async () => {
    await one.nginx.kill();
    await eventually('only the other blade is routed to', async () => (await world.routed()).join() === two.address, {
      timeoutMs: promised(withdrawnWithinMs),
    });
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
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
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
      return vips.length === 2 && served && notices[0]?.reason === 'PoolEditWaits';
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
    await writeFile(join(one.runDir, 'accept-edge-paris'), vip);
    await eventually('one blade lets it go', async () => (await world.routed()).join() === two.address);
    await writeFile(join(two.runDir, 'accept-edge-paris'), vip);
    await eventually('the other as well', async () => (await world.routed()).length === 0);
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
    await eventually('only the other blade is routed to', async () => (await world.routed()).join() === two.address, {
      timeoutMs: 3000,
    });
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
});
