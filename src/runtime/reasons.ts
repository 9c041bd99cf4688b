/** Why the agent's own endpoint refused a visitor: a connection, or the request on it. */
export const reasons = {
  ForeignNetwork:
    'The source is neither this host, nor a server of a site in the platform spec, nor in a network of `--metrics-from`; the connection ends unread.',
  TooManyOfSource: 'The source has as many connections as one source may have; the new one is reset.',
  TooManyConnections: 'Visitors of this kind have as many connections as they may have together; the new one is reset.',
  TooManyRequests:
    'Visitors of this kind have asked as often in the last second as they may; the answer is 429. Where certificates are required, the connection is reset before its handshake.',
  TooMuchUnread:
    'Visitors of this kind leave too many bytes of answers unread; the answer is 503 without the document.',
  SlowVisitor:
    'No whole request arrived in time, or the answer was not taken in time; the connection is reset and its memory freed.',
  HeadTooLarge: 'The request head is larger than any request that the endpoint answers; the answer is 431.',
  BadRequest: 'The text on the connection is no HTTP request; the answer is 400.',
  ForeignHost:
    "The `Host` is a name that is not this server's, as when a web page sends a browser here; the answer is 421.",
  TlsRequired: 'The request came without TLS, and this agent answers only who has a certificate; the answer is 403.',
  CertificateRequired: 'The visitor speaks TLS and has no certificate; the answer is 403.',
  CertificateRefused:
    "The visitor's certificate has ended, is not valid yet, or was not issued by the CA of `--tls-ca`; the answer is 403.",
  ForeignServer:
    'The certificate is that of a blade of another EdgePool, which is neither a peer nor an operator; the answer is 403.',
  TlsNotServed: 'The visitor speaks TLS, and this agent has no certificate files; the answer is 400, without TLS.',
  MethodNotAllowed: 'Only GET and HEAD are answered; the answer is 405.',
} as const;
export type EndpointReason = keyof typeof reasons;
