import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { withoutUndefined } from '../../../src/model/values.ts';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { faultOf } from '../../../src/planes/edge/step/convergence.ts';
import { converged } from '../../support/edge-view.ts';
import { backend, eventually, host, table, vip, World } from './world.ts';

/** What a blade sees of its own nginx. */

let world: World | undefined;
afterEach(async () => {
  await world?.destroy();
  world = undefined;
});

/** The `instance` that a probe from the blade itself gets; undefined when it gets none. */
async function probe(kind: 'httpProbe' | 'tlsProbe', proxyProtocol = false): Promise<string | undefined> {
  const file = new URL('../../../src/planes/edge/vips/probe.ts', import.meta.url).href;
  const port = kind === 'httpProbe' ? 80 : 443;
  const call = `${kind}({ timeoutMs: 5000, proxyProtocol: ${proxyProtocol} })({ family: 4, text: '${vip}' }, ${port})`;
  const script = `import { ${kind} } from '${file}'; console.log(await ${call});`;
  const said = (await world!.network.exec('edge', process.execPath, '--input-type=module', '-e', script)).trim();
  return said === 'undefined' ? undefined : said;
}

describe('a worker process', () => {
  it('that is stopped is seen, and one that goes on is seen again', async () => {
    world = await World.create();
    const { plane, nginx } = world;
    await plane.apply(table({}));
    const pids = await nginx.workerPids();
    const silent = () => plane.status()?.workers.filter(({ silentMs }) => silentMs > 5000) ?? [];
    await eventually('both workers live', async () => plane.status()?.workers.length === 2 && silent().length === 0);
    const [pid] = pids;
    process.kill(pid!, 'SIGSTOP');
    try {
      await eventually('the stopped one is named', async () => silent().length === 1);
      expect(silent()[0]?.pid).toBe(pid);
      expect(faultOf(converged, plane.status(), 0)).toBe('WorkerSilent');
    } finally {
      process.kill(pid!, 'SIGCONT');
    }
    await eventually('it lives', async () => plane.status()?.workers.length === 2 && silent().length === 0);
  });

  it('that is killed is replaced by one that lives', async () => {
    world = await World.create();
    const { plane, nginx } = world;
    const [pid] = await nginx.workerPids();
    process.kill(pid!, 'SIGKILL');
    const names = () => plane.status()?.workers.map((worker) => worker.pid) ?? [];
    await eventually('another one says that it lives', async () => names().length === 2 && !names().includes(pid!));
  });
});

describe('tries to connect', () => {
  it('are counted by outcome, and of watched backends one by one', async () => {
    world = await World.create();
    const { plane } = world;
    const closed = { address: '10.77.0.1', port: 9 };
    await plane.apply(
      table({
        hosts: [host('www.example', { 'prefix /': 'n/a/80', 'prefix /closed': 'n/b/80', 'prefix /other': 'n/c/80' })],
        backends: [
          backend('n/a/80', await world.pod('a', 1), closed),
          backend('n/b/80', closed),
          backend('n/c/80', closed),
        ],
      }),
    );
    await plane.setHealth({
      policies: [],
      watched: ['n/a/80', 'n/b/80', 'n/never/80'],
      measured: [],
      accessLog: 'sampled',
    });
    const ask = async (path: string) => (await world!.ask({ host: 'www.example', path })).status;
    const tries = () => plane.status()?.backendTries ?? {};
    await eventually('a refused try of a watched backend is counted', async () => {
      expect(await ask('/closed')).toBe(502);
      return (tries()['n/b/80']?.[1] ?? 0) > 0;
    });
    await eventually('the tries of a backend with one pod that answers are counted both ways', async () => {
      expect(await ask('/')).toBe(200);
      const [connected, failed] = tries()['n/a/80'] ?? [0, 0];
      return connected > 0 && failed > 0;
    });
    expect(tries()['n/b/80']?.[0]).toBe(0);
    const { refused = 0 } = plane.status()?.tries ?? {};
    expect(await ask('/other')).toBe(502);
    await eventually(
      'a try of a backend that is not watched is counted among all',
      async () => (plane.status()?.tries['refused'] ?? 0) > refused,
    );
    expect(Object.keys(tries()).toSorted()).toEqual(['n/a/80', 'n/b/80']);
    expect(plane.status()?.tries['connected']).toBeGreaterThan(0);
    await plane.setHealth({ policies: [], watched: ['n/a/80'], measured: [], accessLog: 'sampled' });
    await eventually('what is not watched any more is not said', async () => Object.keys(tries()).join() === 'n/a/80');
  });
});

describe('the probe over TLS', () => {
  it.each<readonly [string, NginxSettings['trustedProxies']]>([
    ['has its answer from an nginx without any table or certificate of a tenant', undefined],
    ['speaks the PROXY protocol', { prefixes: ['198.51.100.0/24'], via: 'proxyProtocol' }],
  ])('%s', async (_, trustedProxies) => {
    world = await World.create(withoutUndefined({ trustedProxies }));
    const { body } = (await world.control('GET', '/v1/status')) as { body: { instance: string } };
    expect(await probe('tlsProbe', trustedProxies !== undefined)).toBe(body.instance);
  });

  it('fails while handshakes fail, and plain HTTP goes on', async () => {
    const fault = `local certificate = require "tideline.certificate"
local present = certificate.present
certificate.present = function()
  local file = io.open(FOLDER .. "/broken")
  if not file then
    return present()
  end
  file:close()
  return ngx.exit(ngx.ERROR)
end`;
    world = await World.create({}, fault);
    const broken = join(world.folder, 'broken');
    const instance = await probe('httpProbe');
    expect(instance).toBeDefined();
    await writeFile(broken, '');
    expect([await probe('httpProbe'), await probe('tlsProbe')]).toEqual([instance, undefined]);
    await rm(broken);
    expect(await probe('tlsProbe')).toBe(instance);
  });
});
