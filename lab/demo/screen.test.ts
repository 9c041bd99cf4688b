import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
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
  expect(`${stripVTControlCharacters(renderScreen(view, 100).join('\n'))}\n`).toMatchInlineSnapshot(`
    "TIDELINE the platform in a box 1:23   health checks 10x faster

     paris  BGP 3/4    9 routes  blade-1 down  blade-2

     users Route 53      PowerDNS      served by                  req/s  failed
     FR    paris         paris         paris                        5.0       0
     JP    cloud         cloud         cloud-asia                   4.9       2
     all   10 req/s, 412 requests, 2 failed, 1 retried, nginx reloads 0

     ✓ pods-routable  ▶ blade-killed  · cluster-lost  ✗ scale-up

     The first blade of paris loses its power. Its link goes down and the router uses the other blade.
     [2] kill a blade: blade-killed newyork-blade-1

     [q] quit
    "
  `);
});

it.each([20, 40, 80])('is never wider than %i characters', (width) => {
  for (const line of renderScreen(view, width))
    expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width);
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
    400,
  ).join('');
  // oxlint-disable-next-line no-control-regex -- the styles that the screen sets itself
  expect(frame.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Bidi_Control}]/u);
});
