import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import { type Lie, LyingProxy, throughProxy } from '../../support/source/lying-proxy.ts';
import { prepare } from '../../support/source/prepare.ts';
import { Trial } from '../../support/source/trial.ts';

describe('something between us and the apiserver that tells garbage', () => {
  const plane = withControlPlane();
  let proxy: LyingProxy;
  let trial: Trial;
  beforeAll(async () => {
    await prepare(plane());
    proxy = await LyingProxy.open(plane());
    const kubeconfig = await throughProxy(plane(), proxy);
    trial = await Trial.begin(plane(), { timing: { pageSize: 5 } }, async (cluster) => {
      await writeFile(cluster.kubeconfig, kubeconfig);
      await sleep(1500);
    });
  });
  afterAll(async () => {
    await trial.end();
    await proxy.close();
  });
  const relists = (cause: string): Promise<number> => trial.cluster.metric('tideline_kube_relists_total', { cause });

  describe('once, in the middle of watches', () => {
    const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
    const status = (code: number, reason: string): object => ({ kind: 'Status', status: 'Failure', code, reason });

    it.each<[string, string | Buffer]>([
      ['a line that is not JSON', '{"type":}\n'],
      ['JSON that is no event', '[1,2]\n'],
      ['null', 'null\n'],
      ['an unknown type', event('RENAMED', { metadata: { name: 'a', resourceVersion: '1' } })],
      ['an event without a version', event('MODIFIED', { metadata: { name: 'a' } })],
      ['an event about nothing', event('DELETED', {})],
      ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x0a])],
    ])('%s: everything is listed again', async (_, bytes) => {
      const before = await relists('garbage');
      await trial.endure(async () => proxy.inject(bytes));
      expect(await relists('garbage')).toBeGreaterThanOrEqual(before + 3);
    });

    it('50 MiB without an end of line: it is not gathered, everything is listed again', async () => {
      const before = await relists('garbage');
      await trial.endure(async () => proxy.inject(Buffer.alloc(50 << 20, 'x')), { lateMs: 60_000 });
      expect(await relists('garbage')).toBeGreaterThanOrEqual(before + 3);
    });

    it('half a line, then the connection breaks: what was half said is said again', async () => {
      await trial.endure(async () => {
        proxy.inject('{"type":"DELETED","object":{"kind":"Service","metadata":{"name":"w1');
        proxy.breakWatches();
      });
    });

    it('half a line, then an orderly end', async () => {
      await trial.endure(async () => {
        proxy.inject('{"type":"DELETED","object":{"kind":"Service","metadata":{"name":"w1');
        proxy.endWatches();
      });
    });

    it('an ERROR that the version is gone', async () => {
      const before = await relists('expired');
      await trial.endure(async () => proxy.inject(event('ERROR', status(410, 'Expired'))));
      expect(await relists('expired')).toBeGreaterThanOrEqual(before + 3);
    });

    it.each([500, 504])('an ERROR %i', async (code) => {
      await trial.endure(async () => proxy.inject(event('ERROR', status(code, 'InternalError'))));
    });

    it('a bookmark of 5 MiB: it goes on from there', async () => {
      const before = await relists('expired');
      await trial.endure(async () => {
        await trial.writer.stop();
        await sleep(300);
        const list = JSON.parse(await plane().kubectl(['get', '--raw', '/api/v1/services?limit=1'])) as {
          readonly metadata: { readonly resourceVersion: string };
        };
        const annotations = { a: 'x'.repeat(5 << 20) };
        proxy.inject(event('BOOKMARK', { metadata: { resourceVersion: list.metadata.resourceVersion, annotations } }));
        await sleep(500);
        proxy.breakWatches();
        trial.writer.start();
      });
      expect(await relists('expired')).toBe(before);
    });
  });

  describe('for a while, to every question', () => {
    const always = async (lie: Lie, reason: string): Promise<void> => {
      proxy.lie = lie;
      try {
        proxy.endWatches();
        await trial.judge.stale(reason, 60_000);
        const objects = trial.judge.state?.objects;
        expect(objects).toBeDefined();
        await sleep(700);
        // No part of the garbage came into the state. That there is a doubt may have.
        expect(trial.judge.state?.objects).toBe(objects);
      } finally {
        proxy.lie = undefined;
      }
    };
    const saying =
      (code: number, headers: Readonly<Record<string, string>>, body: string | Buffer): Lie =>
      ({ response }) => {
        response.writeHead(code, headers).end(body);
        return true;
      };
    const json = { 'content-type': 'application/json' };
    const page = '<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n';

    it.each<[string, Lie, 'SourceUnreadable' | 'SourceUnreachable']>([
      ['the page of a captive portal', saying(200, { 'content-type': 'text/html' }, page), 'SourceUnreadable'],
      [
        'gzip that nobody asked for',
        saying(200, { ...json, 'content-encoding': 'gzip' }, gzipSync('{}')),
        'SourceUnreadable',
      ],
      [
        'random bytes as gzip',
        saying(200, { ...json, 'content-encoding': 'gzip' }, Buffer.alloc(4096, 0x8b)),
        'SourceUnreadable',
      ],
      ['an empty mapping', saying(200, json, '{}\n'), 'SourceUnreadable'],
      ['a list without a version', saying(200, json, '{"items":[],"metadata":{}}\n'), 'SourceUnreadable'],
      ['a way to another place', saying(302, { location: 'https://portal.example.com/' }, ''), 'SourceUnreadable'],
      ['bad gateway', saying(502, { 'content-type': 'text/html' }, page), 'SourceUnreachable'],
      ['nothing at all', saying(200, json, ''), 'SourceUnreadable'],
    ])('%s', async (_, lie, reason) => {
      await trial.endure(() => always(lie, reason), { stale: [reason] });
    });

    it('an answer that ends before its announced length', async () => {
      const lie: Lie = ({ response }) => {
        response.writeHead(200, { ...json, 'content-length': '5000' });
        response.write('{"kind":"ServiceList","metadata":{"resourceVersion":"5"},"items":[');
        response.flushHeaders();
        setTimeout(() => response.destroy(), 20);
        return true;
      };
      await trial.endure(() => always(lie, 'SourceUnreachable'), { stale: ['SourceUnreachable'] });
    });

    it('that the cluster is empty: it is held, and doubted', async () => {
      // The version must be none of the real server's: from a small number the server might still know its history, and would
      // send all of it again.
      const empty = '{"kind":"List","metadata":{"resourceVersion":"none"},"items":[]}\n';
      const lie: Lie = (question) => {
        // A cluster that is empty has its identity all the same.
        if (question.url.startsWith('/api/v1/namespaces/kube-system')) return false;
        return question.kind === 'watch' ? gone(question) : saying(200, json, empty)(question);
      };
      const gone = saying(410, json, '{"kind":"Status","code":410,"reason":"Expired","message":"too old"}');
      await trial.endure(() => always(lie, 'SourceImplausible'), { stale: ['SourceImplausible'] });
    });
  });

  it('the history is forgotten between two pages of a list', async () => {
    const { promise: compacted, resolve } = Promise.withResolvers<void>();
    let held = 0;
    await trial.endure(
      async () => {
        proxy.lie = async ({ kind }) => {
          if (kind !== 'page') return false;
          held += 1;
          await compacted;
          return false;
        };
        proxy.inject(
          `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`,
        );
        await expect.poll(() => held, { timeout: 30_000 }).toBe(3);
        await plane().compact();
        resolve();
      },
      { lateMs: 60_000 },
    );
    proxy.lie = undefined;
    const expired = await plane().audit(({ uri, code }) => code === 410 && uri.includes('continue='));
    expect(expired.length).toBeGreaterThanOrEqual(3);
  });
});
