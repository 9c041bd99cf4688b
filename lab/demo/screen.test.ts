import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { faultKeys } from './keys.ts';
import { type DemoView, renderScreen } from './screen.ts';

const view: DemoView = {
  elapsedMs: 83_000,
  caveat: 'health checks 10x faster',
  steps: [
    { name: 'pods-routable', state: 'done' },
    { name: 'blade-killed', state: 'running' },
    { name: 'cluster-lost', state: 'waiting' },
    { name: 'scale-up', state: 'failed' },
  ],
  narration: 'The first blade of paris loses its power. Its link goes down and the router uses the other blade.',
  notice: '[2] kill a blade: blade-killed newyork-blade-1',
  faults: [{ name: 'blade-killed', target: 'paris-blade-1', forMs: 42_000 }],
  sites: [
    {
      name: 'paris',
      servers: [
        { name: 'paris-blade-1', state: 'down' },
        { name: 'paris-blade-2', state: 'up' },
      ],
      sessionsUp: 3,
      sessions: 4,
      routes: 9,
    },
  ],
  countries: [
    {
      code: 'FR',
      answers: { 'Route 53': 'paris', PowerDNS: 'paris' },
      servedBy: ['paris'],
      requestsPerSecond: 5,
      failed: 0,
    },
    {
      code: 'JP',
      answers: { 'Route 53': 'cloud', PowerDNS: 'cloud' },
      servedBy: ['cloud-asia'],
      requestsPerSecond: 4.9,
      failed: 2,
    },
  ],
  totals: { requestsPerSecond: 9.9, requests: 412, failed: 2, retried: 1 },
  nginxReloads: 0,
  keys: [{ key: 'q', label: 'quit' }],
};

it('shows the world, the users and the step', () => {
  expect(
    `${stripVTControlCharacters(renderScreen(view, { columns: 100, rows: 50, colour: true }).join('\n'))}\n`,
  ).toMatchInlineSnapshot(`
    "TIDELINE the platform in a box 1:23   health checks 10x faster
     The first blade of paris loses its power. Its link goes down and the router uses the other blade.
     [2] kill a blade: blade-killed newyork-blade-1
     [q] quit
     ✓▶·✗  2 of 4: blade-killed  failed: scale-up
     all   10 req/s, 412 requests, 2 failed, 1 retried, nginx reloads 0
     blade-killed paris-blade-1 for 0:42

     paris  BGP 3/4    9 routes  blade-1 down  blade-2

     users of  FR 5.0/s   JP 4.9/s
     DNS       paris      cloud
     served by paris      cloud-asia
     failed               2          
    "
  `);
});

it.each([20, 40, 80])('is never wider than %i characters', (columns) => {
  for (const line of renderScreen(view, { columns, rows: 50, colour: true }))
    expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
});

it('has its whole story and every key on a terminal of 80 x 24, with the largest world of the lab and a dead site', () => {
  const names = ['FR', 'GB', 'ZA', 'SN', 'EG', 'US', 'CA', 'BR', 'JP', 'IN', 'AU'];
  const [country] = view.countries;
  const [site] = view.sites;
  if (country === undefined || site === undefined) throw new Error('the view has no country or no site');
  const dead = { ...site, sessionsUp: 0, servers: site.servers.map(({ name }) => ({ name, state: 'down' as const })) };
  const large: DemoView = {
    ...view,
    narration: `${view.narration} ${view.narration}`,
    sites: [dead, ...['newyork', 'cloud-europe', 'cloud-america', 'cloud-asia'].map((name) => ({ ...site, name }))],
    countries: names.map((code) => ({ ...country, code, failed: 1, servedBy: code === 'FR' ? [] : country.servedBy })),
    keys: [...faultKeys, { key: 'q', label: 'quit' }],
  };
  const lines = renderScreen(large, { columns: 80, rows: 24, colour: false });
  expect(lines.length).toBeLessThanOrEqual(24);
  const text = lines.join('\n');
  for (const { key, label } of large.keys) expect(text).toContain(`[${key}] ${label}`);
  for (const code of names) expect(text).toContain(`${code} 5.0/s`);
  expect(text).toContain('paris          DEAD: no server, BGP 0/4');
  expect(text).toContain('412 requests, 2 failed');
  expect(text).toMatch(/served by +nobody/);
});

it('has no escape sequence where colour is not wanted', () => {
  const plain = renderScreen(view, { columns: 80, rows: 24, colour: false }).join('');
  expect(stripVTControlCharacters(plain)).toBe(plain);
});

it('shows names of others as text, whatever terminals make of them', () => {
  const hostile = '\u001b[2J\u009b1A\r\nok \u202eevil\u2028';
  const [site] = view.sites;
  const servers = [{ name: hostile, state: 'up' as const }];
  const country = {
    code: hostile,
    answers: { [hostile]: hostile },
    servedBy: [hostile],
    requestsPerSecond: 0,
    failed: 0,
  };
  const frame = renderScreen(
    {
      ...view,
      caveat: hostile,
      steps: [{ name: hostile, state: 'running' }],
      narration: hostile,
      notice: hostile,
      sites: [{ name: hostile, servers, sessionsUp: site?.sessionsUp ?? 0, sessions: 4 }],
      countries: [country],
      keys: [{ key: hostile, label: hostile }],
    },
    { columns: 400, rows: 50, colour: true },
  ).join('');
  // oxlint-disable-next-line no-control-regex -- the styles that the screen sets itself
  expect(frame.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Bidi_Control}]/u);
});
