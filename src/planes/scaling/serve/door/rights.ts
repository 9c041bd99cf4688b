import { z } from 'zod';
import type { KubeClient } from '../../../../kube/api/client.ts';
import type { Ask } from '../asks.ts';
import type { Caller } from './caller.ts';
import { Remembered } from './remembered.ts';

/** What has to be allowed for an ask, in the words of a SubjectAccessReview; undefined for what everybody may know who is somebody. */
export function neededFor(ask: Ask): object | undefined {
  if (ask.of === 'external') {
    const { namespace, metric } = ask;
    // The reference server lets the metric be the resource, and lists it.
    return { verb: 'list', group: 'external.metrics.k8s.io', version: 'v1beta1', resource: metric, namespace };
  }
  if (ask.of !== 'custom') return undefined;
  const { resource, namespace, name, metric } = ask.object;
  const group = 'custom.metrics.k8s.io';
  // Of a namespace itself, its metrics are asked for.
  if (resource === 'namespaces' && namespace === '')
    return { verb: 'get', group, version: ask.version, resource: 'metrics', namespace: name, name: metric };
  return { verb: 'get', group, version: ask.version, resource, subresource: metric, name, namespace };
}

/** Whoever is of it may do everything; the cluster would say the same. */
const masters = 'system:masters';
const believedMs = 10_000;
const patienceMs = 10_000;
const Review = z.object({ status: z.object({ allowed: z.boolean().default(false), reason: z.string().default('') }) });

export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Asks the cluster what somebody may. */
export class AccessReviews {
  readonly #client: Pick<KubeClient, 'request'>;
  readonly #known: Remembered<Verdict>;

  /** `nowMs` never goes back. */
  constructor(client: Pick<KubeClient, 'request'>, nowMs: () => number) {
    this.#client = client;
    this.#known = new Remembered(believedMs, nowMs);
  }

  /** Rejects with an ApiError where the cluster does not answer: then nothing is allowed. */
  async judge(caller: Caller, ask: Ask): Promise<Verdict> {
    const resourceAttributes = neededFor(ask);
    if (resourceAttributes === undefined || caller.groups.includes(masters)) return { allowed: true, reason: '' };
    const spec = { ...caller, resourceAttributes };
    return this.#known.get(JSON.stringify(spec), () => this.#review(spec));
  }

  async #review(spec: object): Promise<Verdict> {
    const kind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const answer = await this.#client.request({ method: 'POST', path, body: { ...kind, spec }, timeoutMs: patienceMs });
    return Review.parse(answer).status;
  }
}
