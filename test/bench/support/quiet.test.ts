import { expect, it } from 'vitest';
import { quietVerdict, type Vector } from './quiet.ts';

const vector = (...found: readonly (readonly [Readonly<Record<string, string>>, number])[]): Vector => ({
  status: 'success',
  data: { result: found.map(([metric, value]) => ({ metric, value: [0, String(value)] as const })) },
});
const asked = vector([{ instance: 'a' }, 899], [{ instance: 'b' }, 900]);
const alert = (alertstate: string) => ({ alertname: 'TidelineAgentDown', cluster: 'paris', alertstate });
const base = { seconds: 900, asked, agents: 2, alerts: vector() };

it('is quiet while alerts are pending only, and not when one fired', () => {
  expect(quietVerdict(base)).toEqual({
    isQuiet: true,
    lines: ['15 minutes, 2 agents, each asked 899 times or more: 0 alerts fired, 0 were pending'],
  });
  expect(quietVerdict({ ...base, alerts: vector([alert('pending'), 4]) })).toMatchObject({
    isQuiet: true,
    lines: ['pending, within its wait: TidelineAgentDown paris, 4 s', expect.stringContaining('1 were pending')],
  });
  expect(quietVerdict({ ...base, alerts: vector([alert('pending'), 4], [alert('firing'), 2]) })).toMatchObject({
    isQuiet: false,
    lines: ['FIRED: TidelineAgentDown paris, 2 s', expect.any(String), expect.any(String)],
  });
});

it('is no proof where Prometheus did not look', () => {
  for (const blind of [vector(), vector([{ instance: 'a' }, 899]), vector([{ instance: 'a' }, 899], [{}, 100])])
    expect(quietVerdict({ ...base, asked: blind })).toMatchObject({
      isQuiet: false,
      lines: [expect.stringContaining('NOT WATCHED'), expect.any(String)],
    });
  expect(() => quietVerdict({ ...base, alerts: { status: 'error', error: 'bad' } })).toThrow('bad');
});
