import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../model/address.ts';
import { tlsAnswersAfter, vipsToProbeByTls } from './probing.ts';
import type { TlsAnswer } from './view.ts';

const vips = (count: number) => Array.from({ length: count }, (_, index) => parseAddress(`192.0.2.${index}`)!);

describe('handshakes of a round', () => {
  it('are one for each VIP of a pool of usual size', () => {
    expect(vipsToProbeByTls(vips(8), new Map())).toHaveLength(8);
    expect(vipsToProbeByTls([], new Map())).toEqual([]);
  });

  it('reach each of many VIPs in turn, and one that did not answer in the next round', () => {
    const all = vips(20);
    let known: ReadonlyMap<string, TlsAnswer> = new Map();
    const probed: string[][] = [];
    const broken = all[3]!.text;
    for (let round = 1; round <= 6; round += 1) {
      const due = vipsToProbeByTls(all, known);
      probed.push(due.map(({ text }) => text));
      const fresh = new Map(due.map(({ text }) => [text, { instance: text === broken ? undefined : 'first', round }]));
      known = tlsAnswersAfter(known, fresh, all, 'first');
    }
    expect(probed.map((texts) => [texts.length, texts.includes(broken)])).toEqual(probed.map(() => [8, true]));
    expect(new Set(probed.slice(0, 3).flat()).size).toBe(20);
    expect(known.size).toBe(20);
  });

  it('all come in turn when none of many VIPs answers', () => {
    const all = vips(20);
    let known: ReadonlyMap<string, TlsAnswer> = new Map();
    const probed = new Set<string>();
    for (let round = 1; round <= 4; round += 1) {
      const due = vipsToProbeByTls(all, known);
      for (const { text } of due) probed.add(text);
      known = tlsAnswersAfter(
        known,
        new Map(due.map(({ text }) => [text, { instance: undefined, round }])),
        all,
        'first',
      );
    }
    expect(probed.size).toBe(20);
  });

  it('of an earlier nginx say nothing of this one, nor do those of a VIP that is gone', () => {
    const [one, two] = vips(2);
    const known = new Map([
      [one!.text, { instance: 'first', round: 1 }],
      [two!.text, { instance: 'first', round: 1 }],
    ]);
    expect(tlsAnswersAfter(known, new Map(), [one!], 'first').size).toBe(1);
    expect(tlsAnswersAfter(known, new Map(), [one!, two!], 'second').size).toBe(0);
  });
});
