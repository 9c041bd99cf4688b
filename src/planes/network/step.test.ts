import { describe, expect, it } from 'vitest';
import type { Route } from '../../bgp/route.ts';
import { type Prefix, parseAddress, parsePrefix } from '../../model/address.ts';
import { nextStep } from './step.ts';

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};
const route = (text: string, kind: Route['class'] = 'pods'): Route => ({
  prefix: prefix(text),
  nextHop: parseAddress('10.1.0.11')!,
  class: kind,
  because: 'test',
});
const step = (now: {
  want?: string[];
  announced?: string[];
  installed?: string[];
  refused?: string[];
  relay?: 'synced' | 'disconnected';
  mayWait?: boolean;
  disproved?: string[];
  taken?: string[];
  /** The block of which the upper half is used elsewhere. */
  holed?: string;
}) => {
  const want = now.want ?? [];
  const result = nextStep({
    routes: want.map((text) => route(text)),
    covers: new Map(want.map((text) => [text, text === now.holed ? pieces.map(prefix) : [prefix(text)]])),
    installed: (now.installed ?? []).map(prefix),
    mayWait: now.mayWait ?? true,
    disproved: new Set(now.disproved),
    taken: new Map((now.taken ?? []).map((text) => [text, { type: 'blackhole', protocol: '80' }])),
    speaker: {
      relay: now.relay ?? 'synced',
      neighbors: [],
      announced: [route('10.1.0.11/32', 'server'), ...(now.announced ?? []).map((text) => route(text))],
      refusals: (now.refused ?? []).map((text) => ({
        prefix: text,
        action: 'announce',
        reason: 'RejectedByExabgp',
        message: '',
      })),
    },
  });
  return {
    desired: result.desired.map(({ prefix: { text } }) => text),
    surplus: result.surplus.map(({ text }) => text),
    ...(result.replaced.length === 0 ? {} : { replaced: result.replaced.map(({ text }) => text) }),
    refusals: result.refusals.map(({ subject, reason }) => `${subject} ${reason}`),
  };
};
const a = '10.10.1.0/26';
const b = '10.10.2.0/26';
const host = '10.10.1.7/32';
const pieces = ['10.10.1.0/28', '10.10.1.16/28'];

describe('nextStep', () => {
  it.each([
    ['claims only what is blackholed', { want: [a, b], installed: [b] }, [b], [], [`${a} BlackholeMissing`]],
    [
      'names the route that has the place of a blackhole',
      { want: [a, b], installed: [b], taken: [a] },
      [b],
      [],
      [`${a} BlackholeTaken`],
    ],
    [
      'keeps what is announced though its blackhole is lost',
      { want: [a], announced: [a] },
      [a],
      [],
      [`${a} BlackholeMissing`],
    ],
    [
      'does not withdraw a block before its host routes are announced',
      { want: [host], announced: [a], installed: [a, host] },
      [a, host],
      [],
      [],
    ],
    ['then withdraws the block', { want: [host], announced: [a, host], installed: [a, host] }, [host], [], []],
    ['then releases the blackhole', { want: [host], announced: [host], installed: [a, host] }, [host], [a], []],
    [
      'does not release a blackhole while the relay is away',
      { want: [], installed: [a], relay: 'disconnected' as const },
      [],
      [],
      [],
    ],
    [
      'does not wait for what is refused',
      { want: [host], announced: [a], installed: [a, host], refused: [host] },
      [host],
      [],
      [],
    ],
    [
      'does not wait for other routes with a block that is of another server',
      { want: [b], announced: [a], installed: [a, b], disproved: [a] },
      [b],
      [],
      [],
    ],
    [
      'waits for the host routes of a block that is of another server',
      { want: [host], announced: [a], installed: [a, host], disproved: [a] },
      [a, host],
      [],
      [],
    ],
    ['does not wait for ever', { want: [host], announced: [a], installed: [a, host], mayWait: false }, [host], [], []],
    ['claims a host route as it does a block', { want: [host] }, [], [], [`${host} BlackholeMissing`]],
    [
      'keeps the blackhole of a host route that is announced still',
      { announced: [host], installed: [host] },
      [],
      [],
      [],
    ],
    ['and releases it afterwards', { installed: [host] }, [], [host], []],
    [
      'leaves what a withdrawal guard keeps, and its blackhole',
      { want: [], announced: [a], installed: [a] },
      [],
      [],
      [],
    ],
  ])('%s', (_, now, desired, surplus, refusals) => {
    expect(step(now)).toEqual({ desired, surplus, refusals });
  });

  it.each([
    ['opens a hole only when the smaller blackholes are there', { installed: [a] }, undefined],
    ['opens a hole at once then', { installed: [a, ...pieces] }, [a]],
  ])('%s', (_, now, replaced) => {
    const holed = { want: [a], announced: [a], holed: a };
    expect(step({ ...holed, ...now })).toMatchObject({
      desired: [a],
      surplus: [],
      refusals: [],
      ...(replaced && { replaced }),
    });
    expect(step({ ...holed, ...now, announced: [] }).desired).toEqual([a]);
    expect('replaced' in step({ ...holed, ...now })).toBe(replaced !== undefined);
  });

  it('takes a blackhole for that of the smallest route that holds it', () => {
    const wide = '10.10.0.0/16';
    expect(step({ want: [a], announced: [wide, a], installed: [a, ...pieces] })).toMatchObject({ replaced: pieces });
  });

  it('closes a hole when the blackhole of the whole block is there, and releases smaller ones after their block', () => {
    expect(step({ want: [a], announced: [a], installed: pieces })).toEqual({
      desired: [a],
      surplus: [],
      refusals: [`${a} BlackholeMissing`],
    });
    expect(step({ want: [a], announced: [a], installed: [a, ...pieces] })).toMatchObject({ replaced: pieces });
    expect(step({ announced: [a], installed: pieces })).toMatchObject({ surplus: [] });
    expect(step({ installed: pieces })).toMatchObject({ surplus: pieces });
  });
});
