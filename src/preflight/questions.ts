import { ApiError, type KubeClient, type KubeRequest } from '../kube/api/client.ts';
import { groupPath } from '../kube/api/resources.ts';
import { rightText } from '../kube/rights.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Answer } from './finding.ts';
import type { Identity, IdentityAnswer } from './judge/credentials.ts';
import type { Granted, Rule, SingleRight } from './judge/rights.ts';

/** A collection that is read, or one object of it. */
export interface Resource {
  readonly apiGroup: string;
  readonly version: string;
  readonly resource: string;
  readonly name?: string;
}

/** The limit for a single request. */
const requestMs = 4000;
/** The limit for the pages of a list. It is larger than any real cluster needs for its nodes. */
const maxPages = 20;

/**
 * The requests of the preflight to the API. It reads (GET), and asks what it and the agents may do (reviews, which the API
 * wants as POST and which store nothing); it can send no other request.
 */
export class Questions {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async identity(): Promise<IdentityAnswer> {
    try {
      const { status } = await this.#review<{ status?: { userInfo?: { username?: string; groups?: string[] } } }>(
        'authentication.k8s.io/v1/selfsubjectreviews',
        'SelfSubjectReview',
      );
      const { username = '', groups = [] } = status?.userInfo ?? {};
      return { got: { username, groups } };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.reason === 'NoCredentials') return { unusable: error.message };
      if (error.status === 401) return { refused: error.message };
      return answerOf(error, 'create selfsubjectreviews.authentication.k8s.io');
    }
  }

  /** The rights that we have, as far as the server's authorisers list them. */
  async granted(systemNamespace: string): Promise<Answer<Granted>> {
    // The first namespace has no bindings, so its rules are those of the whole cluster.
    const namespaces = ['tideline-check-nowhere', systemNamespace];
    try {
      const [everywhere, inSystem] = await Promise.all(namespaces.map((namespace) => this.#rules(namespace)));
      const incomplete = everywhere?.incomplete === true || inSystem?.incomplete === true;
      return {
        got: { everywhere: everywhere?.resourceRules ?? [], inSystem: inSystem?.resourceRules ?? [], incomplete },
      };
    } catch (error) {
      return answerOf(error, 'create selfsubjectrulesreviews.authorization.k8s.io');
    }
  }

  async #rules(namespace: string): Promise<ListedRules> {
    const path = 'authorization.k8s.io/v1/selfsubjectrulesreviews';
    const { status } = await this.#review<{ status?: ListedRules }>(path, 'SelfSubjectRulesReview', { namespace });
    return status ?? {};
  }

  /** Whether the server grants us a right that no listed rule grants; undefined when it does not answer. */
  async allowed(single: SingleRight): Promise<boolean | undefined> {
    const answer = await this.#access('SelfSubjectAccessReview', single, {});
    return 'got' in answer ? answer.got : undefined;
  }

  /** Whether the server grants a right to somebody else. */
  allowedTo({ username, groups }: Identity, single: SingleRight): Promise<Answer<boolean>> {
    return this.#access('SubjectAccessReview', single, { user: username, groups });
  }

  async #access(
    kind: 'SelfSubjectAccessReview' | 'SubjectAccessReview',
    { verb, right }: SingleRight,
    who: object,
  ): Promise<Answer<boolean>> {
    const [resource, subresource] = right.resource.split('/');
    const resourceAttributes = {
      verb,
      group: right.apiGroup,
      resource,
      // A right to objects of certain names is asked for the first of them.
      ...withoutUndefined({ subresource, namespace: right.namespace, name: right.names?.[0] }),
    };
    const plural = `${kind.toLowerCase()}s`;
    try {
      const { status } = await this.#review<{ status?: { allowed?: boolean } }>(
        `authorization.k8s.io/v1/${plural}`,
        kind,
        { resourceAttributes, ...who },
      );
      return { got: status?.allowed === true };
    } catch (error) {
      return answerOf(error, `create ${plural}.authorization.k8s.io`);
    }
  }

  async get<T>(resource: Resource): Promise<Answer<T>> {
    try {
      return { got: await this.#read<T>({ path: pathOf(resource) }) };
    } catch (error) {
      return answerOf(error, textOf('get', resource));
    }
  }

  /** Every object of a collection, in pages. */
  async list<T>(resource: Resource): Promise<Answer<readonly T[]>> {
    const items: T[] = [];
    let page: string | undefined;
    try {
      for (let pages = 0; pages < maxPages && page !== ''; pages += 1) {
        const query = { limit: 500, ...withoutUndefined({ continue: page }) };
        const answer = await this.#read<ListAnswer<T>>({ path: pathOf(resource), query });
        items.push(...(answer.items ?? []));
        page = answer.metadata?.continue ?? '';
      }
      return { got: items };
    } catch (error) {
      return answerOf(error, textOf('list', resource));
    }
  }

  /** The first object of a collection, if there is one, and how many there are. */
  async first<T>(resource: Resource): Promise<Answer<{ readonly item: T | undefined; readonly count: number }>> {
    try {
      const { items = [], metadata } = await this.#read<ListAnswer<T>>({ path: pathOf(resource), query: { limit: 1 } });
      return { got: { item: items[0], count: items.length + (metadata?.remainingItemCount ?? 0) } };
    } catch (error) {
      return answerOf(error, textOf('list', resource));
    }
  }

  async getPath<T>(path: string): Promise<Answer<T>> {
    try {
      return { got: await this.#read<T>({ path }) };
    } catch (error) {
      return answerOf(error, `get ${path}`);
    }
  }

  #read<T>(request: KubeRequest): Promise<T> {
    return this.#client.request<T>({ ...request, timeoutMs: requestMs, signal: this.#signal });
  }

  #review<T>(path: string, kind: string, spec: object = {}): Promise<T> {
    const [group = '', version = ''] = path.split('/');
    return this.#client.request<T>({
      method: 'POST',
      path: `/apis/${path}`,
      body: { apiVersion: `${group}/${version}`, kind, ...(kind === 'SelfSubjectReview' ? {} : { spec }) },
      timeoutMs: requestMs,
      signal: this.#signal,
    });
  }
}

interface ListedRules {
  readonly resourceRules?: readonly Rule[];
  readonly incomplete?: boolean;
}

interface ListAnswer<T> {
  readonly items?: readonly T[];
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number };
}

function answerOf(error: unknown, right: string): Exclude<Answer<never>, { readonly got: never }> {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 404) return { missing: true };
  if (error.status === 403) return { forbidden: right };
  return { failed: error.message };
}

function pathOf({ apiGroup, version, resource, name }: Resource): string {
  const root = groupPath(apiGroup === '' ? version : `${apiGroup}/${version}`);
  return `${root}/${resource}${name === undefined ? '' : `/${name}`}`;
}

function textOf(verb: string, resource: Resource): string {
  return `${rightText(verb, resource)}${resource.name === undefined ? '' : ` ${resource.name}`}`;
}
