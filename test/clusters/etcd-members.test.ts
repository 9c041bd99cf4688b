import { request } from 'node:https';
import { beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/clusters/control-plane.ts';
import { peerOf, withEtcdMembers } from '../support/etcd-members.ts';
import { NotYet } from '../support/eventually.ts';

/** A real API server before real members of etcd that come, go and are lost, while somebody writes and reads all the time. */
const etcd = withEtcdMembers();
const [zero, one, two, three, control] = [
  'site0-etcd0',
  'site0-etcd1',
  'site0-etcd2',
  'site0-etcd3',
  'site0-control0',
] as const;
const about = (name: string) => ({ name, peer: peerOf(name) });
const path = '/api/v1/namespaces/default/configmaps';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly metadata?: { readonly resourceVersion: string };
    readonly data?: { readonly count: string };
  };
}

async function ask(method: string, at: string, body?: object): Promise<Answer> {
  const { url, tls } = etcd().api(control);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${at}`,
      { method, ...tls, timeout: 10_000, headers: { 'content-type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => {
          const [line = '{}'] = text.split('\n');
          resolve({ status: answer.statusCode ?? 0, body: line.startsWith('{') ? JSON.parse(line) : {} });
        });
      },
    );
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('timeout')));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Writes a number that grows, and reads it back; a number that was acknowledged must be what is read. */
class Steady {
  readonly failed: string[] = [];
  readonly lost: string[] = [];
  requests = 0;
  written = 0;
  #going: Promise<void> | undefined;
  #on = true;

  start(): void {
    this.#going = this.#go();
  }

  async stop(): Promise<void> {
    this.#on = false;
    await this.#going;
  }

  async #go(): Promise<void> {
    while (this.#on) {
      const next = this.written + 1;
      if (await this.#try('PUT', { metadata: { name: 'steady' }, data: { count: String(next) } })) this.written = next;
      const read = await this.#try('GET');
      if (read !== undefined && Number(read.body.data?.count) < this.written) this.lost.push(`${this.written}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #try(method: string, body?: object): Promise<Answer | undefined> {
    this.requests += 1;
    try {
      const answer = await ask(method, `${path}/steady`, body);
      if (answer.status === 200) return answer;
      this.failed.push(`${method} ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`);
    } catch (error) {
      this.failed.push(`${method} ${String(error)}`);
    }
    return undefined;
  }
}

const ready = () =>
  eventually(async () => {
    const { status } = await ask('GET', '/readyz').catch(() => ({ status: 0 }));
    if (status !== 200) throw new NotYet(`/readyz answers ${status}`);
    return true;
  });

async function well(by: string, count: number): Promise<void> {
  await eventually(async () => {
    const { members } = await etcd().call(by, 'members');
    const voters = (members as readonly { healthy: boolean; learner: boolean }[]).filter(
      (one) => one.healthy && !one.learner,
    );
    return voters.length === count;
  });
}

beforeAll(async () => {
  await etcd().install([zero, one, two], [zero, one, two, control]);
  await etcd().start(zero, one, two);
  await well(zero, 3);
  await etcd().start(control);
  await ready();
  expect((await ask('POST', path, { metadata: { name: 'steady' }, data: { count: '0' } })).status).toBe(201);
}, 180_000);

it('loses no write while a member comes, the first one leaves and another has lost its disk, and fails hardly a request', async () => {
  const steady = new Steady();
  steady.start();
  await etcd().install([zero, one, two, three], [three]);
  await etcd().call(one, 'add', about(three));
  await etcd().call(three, 'join');
  await etcd().start(three);
  await etcd().call(one, 'promote', about(three));
  await etcd().call(one, 'remove', about(zero));
  await etcd().kill(zero);
  await well(one, 3);
  await etcd().loseDisk(two);
  await etcd().call(one, 'replace', about(two));
  await etcd().call(two, 'join');
  await etcd().start(two);
  await etcd().call(one, 'promote', about(two));
  await well(one, 3);
  await steady.stop();
  const { requests, failed, lost, written } = steady;
  console.info(`${requests} requests, ${failed.length} failed: ${failed.slice(0, 5).join('; ')}`);
  expect(lost).toEqual([]);
  expect(written).toBeGreaterThan(50);
  expect(failed.length / requests).toBeLessThan(0.1);
}, 180_000);

it('comes back from a snapshot with all disks lost, and tells every watch of before that its history is gone', async () => {
  const { body: kept } = await ask('GET', `${path}/steady`);
  const taken = await etcd().call(one, 'snapshot');
  const later = await ask('PUT', `${path}/steady`, { metadata: { name: 'steady' }, data: { count: '999999' } });
  const seen = Number(later.body.metadata?.resourceVersion);
  await etcd().kill(control);
  for (const name of [one, two, three]) await etcd().loseDisk(name);
  await etcd().install([one, two, three], [one, two, three]);
  for (const name of [one, two, three])
    await etcd().call(name, 'restore', { source: taken['path'], sha256: taken['sha256'] });
  await etcd().start(one, two, three);
  await well(one, 3);
  await etcd().install([one, two, three], [control]);
  await etcd().start(control);
  await ready();
  const { body: found } = await ask('GET', `${path}/steady`);
  expect(found.data).toEqual(kept.data);
  // A list of now is far above every version that anybody has seen.
  const { body: list } = await ask('GET', path);
  expect(Number(list.metadata?.resourceVersion)).toBeGreaterThan(seen + 900_000_000);
  const watch = await ask('GET', `${path}?watch=1&timeoutSeconds=5&resourceVersion=${seen}`);
  expect(JSON.stringify(watch)).toMatch(/410/);
}, 180_000);
