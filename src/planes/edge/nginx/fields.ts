/**
 * Request fields by which applications learn who asks and for what. Proxies set them, so applications believe them. The
 * edge itself sets `X-Real-IP`, `X-Scheme`, `X-Request-ID` and the usual `X-Forwarded-*` (conf.ts); these are removed from what a
 * client sends. `ssl-client-*` are ingress-nginx's result of a check of client certificates.
 */
export const believedFields = [
  'Forwarded',
  'X-Forwarded',
  'X-Forwarded-Prefix',
  'X-Forwarded-Protocol',
  'X-Forwarded-Scheme',
  'X-Forwarded-Server',
  'X-Forwarded-Ssl',
  'X-Forwarded-Method',
  'X-Forwarded-Uri',
  'X-Forwarded-By',
  'X-Forwarded-Client-Cert',
  'Front-End-Https',
  'X-Url-Scheme',
  'X-Original-Forwarded-For',
  'X-Original-Forwarded-Host',
  'X-Original-Host',
  'X-Original-Method',
  'X-Original-URI',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'X-Auth-Request-Redirect',
  'X-Sent-From',
  'ssl-client-verify',
  'ssl-client-cert',
  'ssl-client-subject-dn',
  'ssl-client-issuer-dn',
  'ssl-client-fingerprint',
  'Proxy',
  // Fields of the connection to the client; nginx removes the others of this kind itself.
  'Proxy-Connection',
  'HTTP2-Settings',
  // nginx does not pass trailers on, in either direction.
  'Trailer',
] as const;

/**
 * Fields in which the proxies of a provider say who the client is. They pass only where the pool's trustedProxies name
 * those proxies by address: a blade that clients reach directly removes them.
 */
export const providerFields = [
  'CF-Connecting-IP',
  'CF-Connecting-IPv6',
  'CF-Visitor',
  'Fastly-Client-IP',
  'Fastly-SSL',
  'X-Appengine-User-IP',
  'X-Azure-ClientIP',
  'X-Azure-SocketIP',
  'X-ARR-SSL',
  'CloudFront-Forwarded-Proto',
  'CloudFront-Viewer-Address',
  'Fly-Client-IP',
  'X-Envoy-External-Address',
] as const;

/**
 * Fields of one connection, which a pod may say to the edge and the edge must not say to a client; nginx removes the others of this
 * kind itself. Over HTTP/2 a client ends the stream of an answer that has one (RFC 9113, 8.2.2). `lua/response.lua` passes Upgrade on
 * where it means something.
 */
export const connectionFields = ['Upgrade', 'Proxy-Connection', 'Trailer', 'TE', 'HTTP2-Settings'] as const;
