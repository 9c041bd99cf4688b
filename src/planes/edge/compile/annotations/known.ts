/** Annotations of ingress-nginx begin with this; the table names them without it. */
export const annotationPrefix = 'nginx.ingress.kubernetes.io/';

/**
 * What becomes of an annotation.
 *
 * - `implemented`: it does what it does in ingress-nginx; `note` says where not.
 * - `ignored`: the route is served without it, and the object says so.
 * - `limitsAccess`: who may use the route depends on it, and the edge cannot tell: the route answers 503, unless the pool
 *   says `ignoreAccessAnnotations`.
 * - `canary`: the Ingress is the canary of another one, and none of its routes serve.
 */
export type Fate = 'implemented' | 'ignored' | 'limitsAccess' | 'canary';

export interface KnownAnnotation {
  readonly fate: Fate;
  /** Values that ask for nothing else than what the edge does anyhow, in lower case; they are no finding. */
  readonly harmless?: readonly string[];
  /** In ingress-nginx it holds for all that is on the hosts of its Ingress, also for paths of others. */
  readonly wholeHosts?: true;
  /** One sentence for the reference. */
  readonly note?: string;
}

const ignored: KnownAnnotation = { fate: 'ignored' };
const offByDefault: KnownAnnotation = { fate: 'ignored', harmless: ['false', 'off'] };
const onByDefault: KnownAnnotation = { fate: 'ignored', harmless: ['true', 'on'] };
const limitsAccess: KnownAnnotation = { fate: 'limitsAccess' };
const filter: KnownAnnotation = {
  fate: 'limitsAccess',
  harmless: ['false', 'off', 'inactive'],
  note: 'A web application firewall decides which requests reach the pods.',
};
const snippet: KnownAnnotation = {
  fate: 'limitsAccess',
  note: 'Nothing of an object enters nginx.conf, and a snippet may hold access rules.',
};
const implemented = (note?: string): KnownAnnotation => ({
  fate: 'implemented',
  ...(note === undefined ? {} : { note }),
});
const companion = (of: string): KnownAnnotation => ({ fate: 'ignored', note: `It goes with ${of}.` });
const removed: KnownAnnotation = { fate: 'ignored', note: 'Later versions of ingress-nginx do not have it either.' };

/**
 * Every annotation that a version of ingress-nginx is known to read: its list with risks
 * (docs/user-guide/nginx-configuration/annotations-risk.md), the older names of some of them, and those it has removed.
 */
export const knownAnnotations: Readonly<Record<string, KnownAnnotation>> = {
  affinity: ignored,
  'affinity-canary-behavior': companion('affinity'),
  'affinity-mode': companion('affinity'),
  'allowlist-source-range': implemented('It limits access: a list that cannot be read makes the route answer 503.'),
  'app-root': implemented('The Location is relative.'),
  'auth-always-set-cookie': companion('auth-url'),
  'auth-cache-duration': companion('auth-url'),
  'auth-cache-key': companion('auth-url'),
  'auth-keepalive': companion('auth-url'),
  'auth-keepalive-requests': companion('auth-url'),
  'auth-keepalive-share-vars': companion('auth-url'),
  'auth-keepalive-timeout': companion('auth-url'),
  'auth-method': companion('auth-url'),
  'auth-proxy-set-headers': companion('auth-url'),
  'auth-realm': companion('auth-type'),
  'auth-request-redirect': companion('auth-url'),
  'auth-response-headers': companion('auth-url'),
  'auth-secret': limitsAccess,
  'auth-secret-type': companion('auth-secret'),
  'auth-signin': limitsAccess,
  'auth-signin-redirect-param': companion('auth-signin'),
  'auth-snippet': snippet,
  'auth-tls-error-page': companion('auth-tls-secret'),
  'auth-tls-match-cn': limitsAccess,
  'auth-tls-pass-certificate-to-upstream': companion('auth-tls-secret'),
  'auth-tls-secret': {
    ...limitsAccess,
    wholeHosts: true,
    note: 'It holds for whole hosts, so other routes of the namespace on them answer 503 too.',
  },
  'auth-tls-verify-client': { ...limitsAccess, harmless: ['off'] },
  'auth-tls-verify-depth': companion('auth-tls-secret'),
  'auth-type': limitsAccess,
  'auth-url': limitsAccess,
  'backend-protocol': { fate: 'ignored', harmless: ['http'], note: 'Pods are spoken to in plain HTTP/1.1.' },
  canary: { fate: 'canary', harmless: ['false'] },
  'canary-by-cookie': companion('canary'),
  'canary-by-header': companion('canary'),
  'canary-by-header-pattern': companion('canary'),
  'canary-by-header-value': companion('canary'),
  'canary-weight': companion('canary'),
  'canary-weight-total': companion('canary'),
  'client-body-buffer-size': ignored,
  'configuration-snippet': snippet,
  'connection-proxy-header': ignored,
  'cors-allow-credentials': companion('enable-cors'),
  'cors-allow-headers': companion('enable-cors'),
  'cors-allow-methods': companion('enable-cors'),
  'cors-allow-origin': companion('enable-cors'),
  'cors-expose-headers': companion('enable-cors'),
  'cors-max-age': companion('enable-cors'),
  'custom-headers': ignored,
  'custom-http-errors': ignored,
  'default-backend': ignored,
  'denylist-source-range': implemented('It limits access: a list that cannot be read makes the route answer 503.'),
  'disable-proxy-intercept-errors': ignored,
  'enable-access-log': onByDefault,
  'enable-cors': offByDefault,
  'enable-global-auth': { fate: 'ignored', harmless: ['true', 'false'], note: 'There is no global authentication.' },
  'enable-modsecurity': filter,
  'enable-opentelemetry': offByDefault,
  'enable-owasp-core-rules': filter,
  'enable-rewrite-log': offByDefault,
  'fastcgi-index': ignored,
  'fastcgi-params-configmap': ignored,
  'force-ssl-redirect': implemented(),
  'from-to-www-redirect': offByDefault,
  hsts: implemented('A ConfigMap key in ingress-nginx; here it overrides the pool.'),
  'hsts-include-subdomains': implemented('A ConfigMap key in ingress-nginx; here it overrides the pool.'),
  'hsts-max-age': implemented('A ConfigMap key in ingress-nginx; here it overrides the pool.'),
  'hsts-preload': implemented('A ConfigMap key in ingress-nginx; here it overrides the pool.'),
  'http2-push-preload': offByDefault,
  'limit-allowlist': companion('limit-rps'),
  'limit-burst-multiplier': companion('limit-rps'),
  'limit-connections': ignored,
  'limit-rate': ignored,
  'limit-rate-after': companion('limit-rate'),
  'limit-rpm': ignored,
  'limit-rps': ignored,
  'limit-whitelist': companion('limit-rps'),
  'load-balance': { fate: 'ignored', harmless: ['round_robin'] },
  'mirror-host': companion('mirror-target'),
  'mirror-request-body': companion('mirror-target'),
  'mirror-target': ignored,
  'modsecurity-snippet': filter,
  'modsecurity-transaction-id': companion('enable-modsecurity'),
  'opentelemetry-operation-name': companion('enable-opentelemetry'),
  'opentelemetry-trust-incoming-span': companion('enable-opentelemetry'),
  'permanent-redirect': implemented('Of the variables of nginx the URL may have $request_uri, $host and $scheme.'),
  'permanent-redirect-code': implemented('One of 301, 302, 303, 307 and 308.'),
  'preserve-trailing-slash': implemented('The redirect to HTTPS keeps the path as it was sent in any case.'),
  'proxy-body-size': implemented("At most the pool's maxBodyMiB, which is also what holds without it."),
  'proxy-buffer-size': ignored,
  'proxy-buffering': {
    ...offByDefault,
    note: 'What a pod sends goes on at once; for an answer with X-Accel-Buffering: yes the edge reads up to 128 KiB ahead.',
  },
  'proxy-buffers-number': ignored,
  'proxy-busy-buffers-size': ignored,
  'proxy-connect-timeout': implemented('From 1 to 75 s; without it 2 s.'),
  'proxy-cookie-domain': { fate: 'ignored', harmless: ['off'] },
  'proxy-cookie-path': { fate: 'ignored', harmless: ['off'] },
  'proxy-http-version': { fate: 'ignored', harmless: ['1.1'] },
  'proxy-max-temp-file-size': ignored,
  'proxy-next-upstream': ignored,
  'proxy-next-upstream-timeout': ignored,
  'proxy-next-upstream-tries': ignored,
  'proxy-read-timeout': implemented(
    'From 1 s to a day; without it 60 s, and an hour for an upgraded connection (WebSocket).',
  ),
  'proxy-redirect-from': { fate: 'ignored', harmless: ['off'] },
  'proxy-redirect-to': companion('proxy-redirect-from'),
  'proxy-request-buffering': onByDefault,
  'proxy-send-timeout': implemented(
    'From 1 s to a day; without it 60 s, and an hour for an upgraded connection (WebSocket).',
  ),
  'proxy-ssl-ciphers': companion('backend-protocol'),
  'proxy-ssl-name': companion('backend-protocol'),
  'proxy-ssl-protocols': companion('backend-protocol'),
  'proxy-ssl-secret': companion('backend-protocol'),
  'proxy-ssl-server-name': companion('backend-protocol'),
  'proxy-ssl-verify': companion('backend-protocol'),
  'proxy-ssl-verify-depth': companion('backend-protocol'),
  'relative-redirects': offByDefault,
  'rewrite-target': ignored,
  satisfy: { fate: 'ignored', harmless: ['all'] },
  'server-alias': {
    fate: 'ignored',
    note: 'An alias of an Ingress that limits access answers 503, so that no wildcard serves it without the limit.',
  },
  'server-snippet': {
    ...snippet,
    wholeHosts: true,
    note: 'A snippet may hold access rules, and this one holds for whole hosts, so other routes of the namespace on them answer 503 too.',
  },
  'service-upstream': { ...offByDefault, note: 'The pods themselves are the endpoints.' },
  'session-cookie-change-on-failure': companion('affinity'),
  'session-cookie-conditional-samesite-none': companion('affinity'),
  'session-cookie-domain': companion('affinity'),
  'session-cookie-expires': companion('affinity'),
  'session-cookie-max-age': companion('affinity'),
  'session-cookie-name': companion('affinity'),
  'session-cookie-partitioned': companion('affinity'),
  'session-cookie-path': companion('affinity'),
  'session-cookie-samesite': companion('affinity'),
  'session-cookie-secure': companion('affinity'),
  'ssl-ciphers': ignored,
  'ssl-passthrough': { ...offByDefault, note: 'TLS ends at the edge.' },
  'ssl-prefer-server-ciphers': ignored,
  'ssl-redirect': implemented(),
  'stream-snippet': snippet,
  'temporal-redirect': implemented('Of the variables of nginx the URL may have $request_uri, $host and $scheme.'),
  'temporal-redirect-code': implemented('One of 301, 302, 303, 307 and 308.'),
  'upstream-hash-by': ignored,
  'upstream-hash-by-subset': companion('upstream-hash-by'),
  'upstream-hash-by-subset-size': companion('upstream-hash-by'),
  'upstream-vhost': ignored,
  'use-port-in-redirects': {
    ...offByDefault,
    note: 'A port of HTTPS other than 443 is in the redirect, unless a trusted proxy brings the request.',
  },
  'use-regex': offByDefault,
  'whitelist-source-range': implemented('The older name of allowlist-source-range, which wins where both are given.'),
  'x-forwarded-prefix': ignored,
  // What ingress-nginx has removed.
  'add-base-url': removed,
  'base-url-scheme': removed,
  'enable-influxdb': removed,
  'enable-opentracing': removed,
  'global-rate-limit': removed,
  'global-rate-limit-ignored-cidrs': removed,
  'global-rate-limit-key': removed,
  'global-rate-limit-window': removed,
  'grpc-backend': removed,
  'influxdb-host': removed,
  'influxdb-measurement': removed,
  'influxdb-port': removed,
  'influxdb-server-name': removed,
  'lua-resty-waf': filter,
  'lua-resty-waf-allow-unknown-content-types': companion('lua-resty-waf'),
  'lua-resty-waf-debug': companion('lua-resty-waf'),
  'lua-resty-waf-extra-rules': companion('lua-resty-waf'),
  'lua-resty-waf-ignore-rulesets': companion('lua-resty-waf'),
  'lua-resty-waf-process-multipart-body': companion('lua-resty-waf'),
  'lua-resty-waf-score-threshold': companion('lua-resty-waf'),
  'opentracing-operation-name': removed,
  'opentracing-trust-incoming-span': removed,
  'secure-backends': removed,
  'secure-verify-ca-secret': removed,
  'session-cookie-hash': removed,
  'upstream-fail-timeout': removed,
  'upstream-max-fails': removed,
};
