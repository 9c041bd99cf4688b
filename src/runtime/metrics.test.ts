import { expect, it } from 'vitest';
import { createRegistry, Gauge, serveAgentEndpoint } from './metrics.ts';

it('serves metrics, status and health, and says what there is otherwise', async () => {
  const registry = createRegistry('test');
  new Gauge({ name: 'tideline_test', help: 'A test.', registers: [registry] }).set(7);
  let broken = false;
  const endpoint = await serveAgentEndpoint({
    host: '127.0.0.1',
    port: 0,
    registry,
    status: () => {
      if (broken) throw new Error('no status');
      return { phase: 'live' };
    },
  });
  try {
    const metrics = await fetch(`${endpoint.url}/metrics`);
    expect(await metrics.text()).toContain('tideline_test{component="test"} 7');
    expect(await (await fetch(`${endpoint.url}/status`)).json()).toEqual({ phase: 'live' });
    expect(await (await fetch(`${endpoint.url}/healthz`)).text()).toBe('ok\n');
    expect((await fetch(`${endpoint.url}/`)).status).toBe(404);
    broken = true;
    const failed = await fetch(`${endpoint.url}/status`);
    expect([failed.status, await failed.text()]).toEqual([500, 'no status\n']);
  } finally {
    await endpoint.stop();
  }
});

it('rejects when the port is taken', async () => {
  const registry = createRegistry('test');
  const first = await serveAgentEndpoint({ host: '127.0.0.1', port: 0, registry, status: () => ({}) });
  try {
    const port = Number(new URL(first.url).port);
    await expect(serveAgentEndpoint({ host: '127.0.0.1', port, registry, status: () => ({}) })).rejects.toThrow(
      'EADDRINUSE',
    );
  } finally {
    await first.stop();
  }
});
