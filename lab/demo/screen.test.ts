import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultKeys } from './keys.ts';
import { type DemoView, renderScreen } from './screen.ts';

const view: DemoView = {
  elapsedMs: 83_000,
  caveat: '10x health checks, 20x alerts, TTL 2 s',
  steps: [
    { name: 'pods-routable', state: 'done' },
    { name: 'blade-killed', state: 'running' },
    { name: 'cluster-lost', state: 'waiting' },
    { name: 'scale-up', state: 'failed' },
  ],
  narration: 'The first blade of paris loses its power. Its link goes down and the router uses the other blade.',
  notice: '[2] kill a blade: blade-killed newyork-blade-1',
  faults: [{ name: 'blade-killed', target: 'paris-blade-1', forMs: 42_000 }],
  alerts: [],
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
  quit: { key: 'q', label: 'quit' },
  keys: [{ key: 's', label: 'skip the scenario' }],
};

/** The largest world of the lab, on the way of losing paris: what a screen must hold when it matters. */
const lost: DemoView = {
  ...view,
  narration:
    'All of paris dies: servers, router, uplinks. The name servers see its health checks fail; the next choice is already in the records, so the cloud serves its countries. Nobody calls an API, and an alert wakes who is on call.',
  steps: Array.from({ length: 14 }, (_, index) => ({
    name: index === 7 ? 'cluster-lost' : `step-${index}`,
    state: index < 7 ? 'done' : index === 7 ? 'running' : 'waiting',
  })),
  faults: [{ name: 'cluster-lost', target: 'paris', forMs: 12_000 }],
  alerts: [
    { name: 'TidelineBladesGone', about: 'paris', forMs: 9000 },
    { name: 'TidelineAgentsGone', about: 'paris', forMs: 8000 },
  ],
  sites: [
    {
      name: 'paris',
      servers: ['blade-1', 'blade-2'].map((name) => ({ name: `paris-${name}`, state: 'down' })),
      sessionsUp: 0,
      sessions: 6,
      routes: 3,
    },
    {
      name: 'newyork',
      servers: ['worker-1', 'worker-2', 'blade-1', 'blade-2', 'master-1'].map((name) => ({
        name: `newyork-${name}`,
        state: 'up',
      })),
      sessionsUp: 6,
      sessions: 6,
      routes: 12,
    },
    ...['cloud-europe', 'cloud-america'].map((name) => ({
      name,
      servers: [{ name, state: 'up' as const }],
      sessionsUp: 1,
      sessions: 1,
    })),
    { name: 'cloud-asia', servers: [{ name: 'cloud-asia', state: 'down' }], sessionsUp: 0, sessions: 1 },
  ],
  countries: ['FR', 'GB', 'ZA', 'SN', 'EG', 'US', 'CA', 'BR', 'JP', 'IN', 'AU'].map((code, index) => {
    const cluster = index < 5 ? 'cloud' : 'newyork';
    return {
      code,
      answers: { 'Route 53': cluster, PowerDNS: cluster },
      servedBy: code === 'FR' ? [] : [index < 5 ? 'europe' : 'newyork'],
      requestsPerSecond: 5,
      failed: index < 2 ? 4 : 0,
    };
  }),
  totals: { requestsPerSecond: 49.2, requests: 4120, failed: 8, retried: 3 },
};

const text = (of: DemoView, columns: number, rows: number): string =>
  `${renderScreen(of, { columns, rows, colour: false }).join('\n')}\n`;

it('tells a lost site on a terminal of 80 x 24', () => {
  expect(text(lost, 80, 24)).toMatchInlineSnapshot(`
    "TIDELINE 1:23  [q] quit  10x health checks, 20x alerts, TTL 2 s
     All of paris dies: servers, router, uplinks. The name servers see its health
       checks fail; the next choice is already in the records, so the cloud serves
       its countries. Nobody calls an API, and an alert wakes who is on call.
     [2] kill a blade: blade-killed newyork-blade-1
     [s] skip the scenario
     ✓✓✓✓✓✓✓▶······  8 of 14: cluster-lost
     all   49 req/s, 4120 requests, 8 failed, 3 retried, nginx reloads 0
     cluster-lost paris for 0:12  ALERT TidelineBladesGone paris for 0:09
     ALERT TidelineAgentsGone paris for 0:08

     paris    DEAD: no server, BGP 0/6
     newyork  BGP 6/6   12 routes  worker-1  worker-2  blade-1  blade-2  master-1
     cloud-europe BGP 1/1  cloud-america BGP 1/1  cloud-asia DEAD, BGP 0/1

     users of  FR 5.0/s   GB 5.0/s   ZA 5.0/s   SN 5.0/s   EG 5.0/s   US 5.0/s
     DNS       cloud      cloud      cloud      cloud      cloud      newyork
     served by nobody     europe     europe     europe     europe     newyork
     failed    4          4                                                      
     users of  CA 5.0/s   BR 5.0/s   JP 5.0/s   IN 5.0/s   AU 5.0/s
     DNS       newyork    newyork    newyork    newyork    newyork
     served by newyork    newyork    newyork    newyork    newyork
    "
  `);
});

it('has air on a terminal of 80 x 40, and more countries beside each other on one of 120', () => {
  expect(
    text(lost, 80, 40)
      .split('\n')
      .filter((line) => line === '').length,
  ).toBeGreaterThan(2);
  expect(text(lost, 120, 40)).toMatchInlineSnapshot(`
    "TIDELINE 1:23  [q] quit  10x health checks, 20x alerts, TTL 2 s
     All of paris dies: servers, router, uplinks. The name servers see its health checks fail; the next choice is already in
       the records, so the cloud serves its countries. Nobody calls an API, and an alert wakes who is on call.
     [2] kill a blade: blade-killed newyork-blade-1
     [s] skip the scenario
     ✓✓✓✓✓✓✓▶······  8 of 14: cluster-lost
     all   49 req/s, 4120 requests, 8 failed, 3 retried, nginx reloads 0
     cluster-lost paris for 0:12  ALERT TidelineBladesGone paris for 0:09  ALERT TidelineAgentsGone paris for 0:08

     paris    DEAD: no server, BGP 0/6
     newyork  BGP 6/6   12 routes  worker-1  worker-2  blade-1  blade-2  master-1
     cloud-europe BGP 1/1  cloud-america BGP 1/1  cloud-asia DEAD, BGP 0/1

     users of  FR 5.0/s   GB 5.0/s   ZA 5.0/s   SN 5.0/s   EG 5.0/s   US 5.0/s   CA 5.0/s   BR 5.0/s   JP 5.0/s
     DNS       cloud      cloud      cloud      cloud      cloud      newyork    newyork    newyork    newyork
     served by nobody     europe     europe     europe     europe     newyork    newyork    newyork    newyork
     failed    4          4                                                                                       
     users of  IN 5.0/s   AU 5.0/s
     DNS       newyork    newyork
     served by newyork    newyork
    "
  `);
});

it('keeps the key that quits and the beginning of the story on the smallest terminal', () => {
  expect([text(lost, 40, 6), text(lost, 24, 3)]).toMatchInlineSnapshot(`
    [
      "TIDELINE 1:23  [q] quit  10x health chec
     All of paris dies: servers, router,
       uplinks. The name servers see its
       health checks fail; the next choice
       is already in the records, so the …
     [s] skip the scenario
    ",
      "TIDELINE 1:23  [q] quit 
     All of paris dies: …
     [s] skip the scenario
    ",
    ]
  `);
});

it('has every key on a terminal of 80 x 24, and every country', () => {
  const over = { ...lost, keys: faultKeys };
  const shown = text(over, 80, 24);
  for (const { key, label } of [over.quit, ...over.keys]) expect(shown).toContain(`[${key}] ${label}`);
  for (const { code } of over.countries) expect(shown).toContain(`${code} 5.0/s`);
  expect(shown).toContain('paris    DEAD: no server, BGP 0/6');
});

describe('whatever it shows', () => {
  const word = fc.string({ maxLength: 30 });
  const state = fc.constantFrom('up' as const, 'down' as const, 'drained' as const);
  const site = fc.record(
    {
      name: word,
      servers: fc.array(fc.record({ name: word, state }), { maxLength: 8 }),
      sessionsUp: fc.nat(9),
      sessions: fc.nat(9),
      routes: fc.nat(99),
    },
    { requiredKeys: ['name', 'servers', 'sessionsUp', 'sessions'] },
  );
  const country = fc.record({
    code: word,
    answers: fc.record({ 'Route 53': word, PowerDNS: word }),
    servedBy: fc.array(word, { maxLength: 3 }),
    requestsPerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
    failed: fc.nat(),
  });
  const views = fc.record({
    narration: fc.string({ maxLength: 600 }),
    notice: fc.string({ maxLength: 200 }),
    caveat: word,
    faults: fc.array(fc.record({ name: word, target: word, forMs: fc.nat() }), { maxLength: 5 }),
    alerts: fc.array(fc.record({ name: word, about: word, forMs: fc.nat() }), { maxLength: 9 }),
    sites: fc.array(site, { maxLength: 8 }),
    countries: fc.array(country, { maxLength: 20 }),
    keys: fc.array(fc.record({ key: word, label: word }), { maxLength: 12 }),
  });

  it('no line is wider than the terminal, and there are no more lines than it has', () => {
    fc.assert(
      fc.property(views, fc.nat(140), fc.nat(60), fc.boolean(), (some, columns, rows, colour) => {
        const lines = renderScreen({ ...view, ...some }, { columns, rows, colour });
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines)
          expect(Array.from(stripVTControlCharacters(line)).length).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('where 80 x 24 fit, the key that quits, a line of the story and all keys are in it', () => {
    fc.assert(
      fc.property(views, (some) => {
        const shown = text({ ...view, ...some, narration: 'It begins here.', keys: faultKeys }, 80, 24);
        for (const { key, label } of [view.quit, ...faultKeys]) expect(shown).toContain(`[${key}] ${label}`);
        expect(shown).toContain('It begins here.');
      }),
    );
  });
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
      faults: [{ name: hostile, target: hostile, forMs: 0 }],
      alerts: [{ name: hostile, about: hostile, forMs: 0 }],
      sites: [{ name: hostile, servers, sessionsUp: site?.sessionsUp ?? 0, sessions: 4 }],
      countries: [country],
      keys: [{ key: hostile, label: hostile }],
    },
    { columns: 400, rows: 50, colour: true },
  ).join('');
  // oxlint-disable-next-line no-control-regex -- the styles that the screen sets itself
  expect(frame.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Bidi_Control}]/u);
});
