import { describe, expect, it } from 'vitest';
import { type FleetStepReport, stepLines, summarise, summary } from './report.ts';
import { fleetScenario } from './scenario.ts';

const step = (name: string, changes: Partial<FleetStepReport> = {}): FleetStepReport => ({
  name,
  ok: true,
  seconds: 2.5,
  requests: 50,
  failed: 0,
  retried: 1,
  recoveredAfterMs: null,
  detail: 'all is well',
  ...changes,
});
const scenario = [{ name: 'made' }, { name: 'lost' }];

describe('the report of the fleet', () => {
  it('is good where every step was played and went well', () => {
    const report = summarise(scenario, [step('made'), step('lost')], 2000);
    expect(report.ok).toBe(true);
    expect(summary(report, 'report.json')).toEqual([
      '2 of 2 steps went well in 5 s, 100 requests of which 0 failed, 2000 MiB',
      'report in report.json',
    ]);
  });

  it('is bad where a step failed, and says which ones were not played', () => {
    const report = summarise(scenario, [step('made', { ok: false, detail: 'no node' })], 2000);
    expect(report.ok).toBe(false);
    expect(summary(report, 'report.json')).toContain('FAILED made: no node');
    expect(summary(report, 'report.json')).toContain('not played: lost');
  });

  it('is bad where the scenario was not played to its end', () => {
    expect(summarise(scenario, [step('made')], 2000).ok).toBe(false);
  });
});

describe('a step as text', () => {
  it('has what the client saw, where there was one', () => {
    expect(stepLines(step('lost', { failed: 2, recoveredAfterMs: 400 }))).toEqual([
      'ok lost: 2.5 s, 50 requests, 2 failed, recovered after 400 ms, 1 retried',
      '  all is well',
    ]);
    expect(stepLines(step('made', { requests: 0 }))[0]).toBe('ok made: 2.5 s');
  });

  it('has each line of a detail by itself', () => {
    expect(stepLines(step('made', { ok: false, detail: 'no node\nsince a minute' })).slice(1)).toEqual([
      '  no node',
      '  since a minute',
    ]);
  });
});

describe('the scenario', () => {
  it('has a name of its own for each step, and says in whole sentences what it shows', () => {
    const names = fleetScenario.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, explanation } of fleetScenario) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
      expect(explanation).toMatch(/\.$/);
    }
  });
});
