import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { createAuthority } from '../../lab/control-plane/pki/certificate.ts';
import { startTestControlPlane } from '../support/clusters/control-plane.ts';
import { videoIngress } from '../support/clusters/objects.ts';
import { LivePublisher } from '../support/clusters/publishing.ts';
import { eventuallyWith } from '../support/eventually.ts';
import { promised } from '../support/promised.ts';

/**
 * An admission webhook that is broken for one namespace, on a real API server: what the publisher writes to that namespace fails,
 * hangs or is denied, and the other namespaces must not notice.
 */
const blade = { user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] };
const broken = 'broken';
/** More than fit into the first minute of pauses, if every failure paused everything. */
const objects = 30;

type Behaviour = 'hang' | 'deny';
let plane: ControlPlane;
let live: LivePublisher;
let webhook: Server;
let behaviour: Behaviour = 'deny';
let asked = 0;

/**
 * The patience for what the README of src/kube/status promises to the other namespaces while one fails: failures pause everything for
 * five seconds at most, and a write that hangs holds up the next one for as long.
 */
const soon = eventuallyWith({ timeoutMs: promised(5000), everyMs: 250 });
const behindOneThatHangs = { timeoutMs: promised(5000 + 5000) };
const later = eventuallyWith({ timeoutMs: 150_000, everyMs: 1000 });

interface Ingress {
  readonly metadata: { readonly name: string };
  readonly status: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip: string }[] } };
}
async function served(namespace: string): Promise<readonly string[]> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`;
  const { items } = await plane.read<{ readonly items: readonly Ingress[] }>(path);
  return items.filter(({ status }) => status.loadBalancer?.ingress?.length === 2).map(({ metadata }) => metadata.name);
}

function ingress(namespace: string, name: string, host = `${name}.${namespace}.example`): object {
  const made = videoIngress(name, host);
  return { ...made, metadata: { name, namespace } };
}

/** Puts the webhook before every status of an Ingress, and every Event, of the broken namespace. */
async function breakAdmission(name: string, url: string, authority: string): Promise<void> {
  await plane.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'policy.broken.example',
        clientConfig: { url, caBundle: Buffer.from(authority).toString('base64') },
        rules: [
          {
            apiGroups: ['networking.k8s.io', 'events.k8s.io'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['ingresses/status', 'events'],
          },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': broken } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 30,
      },
    ],
  });
}

/** Proves that the webhook is in use: the API server takes a moment to see a new one. */
async function admissionIsBroken(): Promise<void> {
  await later(async () => {
    const patch = '{"metadata":{"annotations":{"a":"b"}}}';
    const args = ['patch', 'ingress', '-n', broken, 'i0', '--subresource=status', '--type=merge', '-p', patch];
    return plane.kubectl([...args, '--request-timeout=3s', '--dry-run=server']).then(
      () => false,
      () => true,
    );
  });
}

beforeAll(async () => {
  const authority = createAuthority('webhook');
  const { certificate, key } = authority.issue({ commonName: 'webhook', hosts: ['127.0.0.1'] });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked += 1;
    const { request: review } = JSON.parse(await text(request)) as { readonly request: { readonly uid: string } };
    if (behaviour === 'hang') return;
    const status = { code: 429, message: 'come back tomorrow', details: { retryAfterSeconds: 86_400 } };
    response.setHeader('content-type', 'application/json');
    const verdict = { uid: review.uid, allowed: false, status };
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: verdict }));
  };
  webhook = createServer({ cert: certificate, key }, (request, response) => void answer(request, response));
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  const { port } = webhook.address() as AddressInfo;

  plane = await startTestControlPlane();
  for (const name of ['video', broken, 'tideline-system']) await plane.kubectl(['create', 'namespace', name]);
  const rights = await readFile(join(import.meta.dirname, '../../deploy/rbac/edge.yaml'), 'utf8');
  await plane.apply(...parseAllDocuments(rights).map((document) => document.toJS() as object));
  for (const namespace of ['video', broken])
    await plane.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace },
      spec: { ports: [{ port: 80 }] },
    });
  // Every second one is refused, so that it has an Event as well: its host belongs to the one before it.
  const names = Array.from({ length: objects }, (_, index) => `i${index}`);
  await plane.apply(...names.map((name) => ingress(broken, name)));
  await plane.apply(...names.map((name) => ingress(broken, `${name}-refused`, `${name}.${broken}.example`)));
  urls = { refusing: 'https://127.0.0.1:1', answering: `https://127.0.0.1:${port}`, authority: authority.certificate };
});
let urls: { readonly refusing: string; readonly answering: string; readonly authority: string };

afterAll(async () => {
  await live?.stop();
  webhook?.closeAllConnections();
  webhook?.close();
  await plane?.stop();
});

describe('an admission webhook that fails for one namespace', () => {
  it('that cannot be called: the others have their status and their Events within seconds', async () => {
    await breakAdmission('refusing', urls.refusing, urls.authority);
    await admissionIsBroken();
    live = await LivePublisher.start(await plane.kubeconfigFor(blade), 'paris-blade-1');
    await later(async () => (await live.registry.metrics()).includes('{kind="Ingress",result="unavailable"}'));
    for (const name of ['one', 'two', 'three']) {
      await plane.apply(ingress('video', name), ingress('video', `${name}-refused`, `${name}.video.example`));
      await soon(async () => (await served('video')).includes(name));
      await soon(async () => (await eventsOf('video')).includes(`${name}-refused`));
    }
    expect(await served(broken)).toEqual([]);
  });

  it('that denies with 429 and a wait of a day: the others have theirs', async () => {
    await plane.kubectl(['delete', 'validatingwebhookconfiguration', 'refusing']);
    await breakAdmission('answering', urls.answering, urls.authority);
    await later(async () => asked > 0);
    await plane.apply(ingress('video', 'four'), ingress(broken, 'denied'));
    await soon(async () => (await served('video')).includes('four'));
  });

  it('that hangs: the others have theirs', async () => {
    behaviour = 'hang';
    const before = asked;
    await plane.apply(...Array.from({ length: 5 }, (_, index) => ingress(broken, `hanging-${index}`)));
    await later(async () => asked > before);
    for (const name of ['five', 'six']) {
      await plane.apply(ingress('video', name));
      await soon(async () => (await served('video')).includes(name), behindOneThatHangs);
    }
  });

  it('and is repaired: the namespace has its statuses', async () => {
    await plane.kubectl(['delete', 'validatingwebhookconfiguration', 'answering']);
    const wanted = ['hanging-0', 'hanging-1', 'hanging-2', 'hanging-3', 'hanging-4'];
    await later(async () => {
      const now = await served(broken);
      return wanted.every((name) => now.includes(name));
    });
  });
});

async function eventsOf(namespace: string): Promise<readonly string[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const { items } = await plane.read<{ readonly items: readonly { readonly regarding: { readonly name: string } }[] }>(
    path,
  );
  return items.map(({ regarding }) => regarding.name);
}
