import { EdgePoolSpec } from '../../../../model/spec/kinds/edge-pool.ts';
import type { EdgePool } from '../../../../model/spec/kinds.ts';
import { withoutUndefined } from '../../../../model/values.ts';
import type { EdgeProblem } from '../../reasons.ts';
import type { RouteSettings } from '../../table.ts';
import { annotationPrefix } from './known.ts';
import type { IngressAnnotations, RouteWishes } from './read.ts';

/** What of a host bears upon the settings of its routes. */
export interface HostTls {
  /** An Ingress of the route's namespace has the host in `spec.tls`. */
  readonly tls: boolean;
  /** A good certificate is presented for the host: its own, or the pool's. */
  readonly certificate: boolean;
}

function bodyBounded(object: string, maxBodyMiB: number): EdgeProblem {
  return {
    reason: 'BodyBoundedByPool',
    object,
    path: `metadata.annotations[${annotationPrefix}proxy-body-size]`,
    message: `bodies of more than ${maxBodyMiB} MiB are not taken`,
  };
}

/** What of a pool bears upon the settings of routes. */
export type PoolSettings = Pick<EdgePool['spec'], 'https' | 'ignoreAccessAnnotations' | 'maxBodyMiB' | 'ports'>;

/** What holds in a pool that says nothing of it. */
export function defaultPoolSettings(): PoolSettings & Pick<EdgePool['spec'], 'limits'> {
  const fields = { https: true, ignoreAccessAnnotations: true, limits: true, maxBodyMiB: true, ports: true } as const;
  return EdgePoolSpec.pick(fields).parse({});
}

/** The settings of routes under one pool. What is asked again for the same Ingress is the same object. */
export class SettingsOfRoutes {
  readonly #pool: PoolSettings;
  readonly #known = new Map<IngressAnnotations, Map<string, RouteSettings | undefined>>();

  constructor(pool: PoolSettings) {
    this.#pool = pool;
  }

  /** Whether nothing of the Ingress may be served, because it limits access in a way that cannot be obeyed. */
  refuses({ access, roomless }: IngressAnnotations): boolean {
    return roomless !== undefined || (access.length > 0 && !this.#pool.ignoreAccessAnnotations);
  }

  /** Whether what the Ingress limits access by would hold in ingress-nginx for whatever else is on its hosts. */
  closesHosts(annotations: IngressAnnotations): boolean {
    return annotations.wholeHosts && this.refuses(annotations);
  }

  /** Whether access to what the Ingress asks for is limited, in whatever way. */
  limits(annotations: IngressAnnotations): boolean {
    const { allow, deny } = annotations.wishes;
    return allow !== undefined || deny !== undefined || this.refuses(annotations);
  }

  /** All that is wrong with the annotations, under this pool. */
  problems({ object, wishes, findings, access, roomless }: IngressAnnotations): readonly EdgeProblem[] {
    const { ignoreAccessAnnotations } = this.#pool;
    return [
      ...(ignoreAccessAnnotations
        ? access.map((problem): EdgeProblem => ({ ...problem, reason: 'AccessAnnotationIgnored' }))
        : access),
      ...(roomless === undefined ? [] : [roomless]),
      ...findings,
      ...(this.#bodyTooLarge(wishes) ? [bodyBounded(object, this.#pool.maxBodyMiB)] : []),
    ];
  }

  /** nginx bounds bodies by the pool's figure, and no route can have more. */
  #bodyTooLarge({ maxBodyBytes }: RouteWishes): boolean {
    return maxBodyBytes !== undefined && (maxBodyBytes === 0 || maxBodyBytes > this.#pool.maxBodyMiB * 1024 * 1024);
  }

  /** The settings of a route; undefined where it has none. */
  of(annotations: IngressAnnotations, host: HostTls): RouteSettings | undefined {
    const key = `${host.tls} ${host.certificate}`;
    const known = this.#known.get(annotations) ?? new Map<string, RouteSettings | undefined>();
    this.#known.set(annotations, known);
    if (!known.has(key)) known.set(key, this.#make(annotations, host));
    return known.get(key);
  }

  #make(annotations: IngressAnnotations, host: HostTls): RouteSettings | undefined {
    const first = annotations.access[0] ?? annotations.roomless;
    if (first !== undefined && this.refuses(annotations)) return { refused: first.reason };
    const { wishes } = annotations;
    const { allow, deny, redirect, appRoot, maxBodyBytes, connectSeconds, sendSeconds, readSeconds } = wishes;
    const settings: RouteSettings = withoutUndefined({
      allow,
      deny,
      redirect,
      https: this.#redirectsToHttps(wishes, host) ? this.#https() : undefined,
      hsts: host.tls && host.certificate ? this.#hsts(wishes) : undefined,
      appRoot,
      maxBodyBytes: this.#bodyTooLarge(wishes) ? undefined : maxBodyBytes,
      connectSeconds,
      sendSeconds,
      readSeconds,
    });
    return Object.keys(settings).length === 0 ? undefined : settings;
  }

  #redirectsToHttps({ sslRedirect, forceSslRedirect }: RouteWishes, { tls }: HostTls): boolean {
    return forceSslRedirect === true || (tls && (sslRedirect ?? this.#pool.https.redirect));
  }

  #https(): RouteSettings['https'] {
    const port = this.#pool.ports.https;
    return { code: this.#pool.https.redirectCode, ...(port === 443 ? {} : { port }) };
  }

  #hsts(wishes: RouteWishes): string | undefined {
    const { hsts } = this.#pool.https;
    if (!(wishes.hsts ?? hsts.enabled)) return undefined;
    const parts = [`max-age=${wishes.hstsMaxAgeSeconds ?? hsts.maxAgeSeconds}`];
    if (wishes.hstsIncludeSubDomains ?? hsts.includeSubDomains) parts.push('includeSubDomains');
    if (wishes.hstsPreload ?? hsts.preload) parts.push('preload');
    return parts.join('; ');
  }
}
