/** Every named refusal and state of the data plane: in answers of the control channel, in logs and in tests. */
export const dataPlaneReasons = {
  // Answers to requests on the public listeners; field `reason` of the access log.
  HostUnknown: 'No host of the table takes the request; 404.',
  PathUnknown: 'The host has no such path and no default backend; 404.',
  NoEndpoints: 'The backend is unknown or has no endpoint; 503.',
  AccessAnnotationUnsupported:
    'The agent refuses the route: an annotation limits access in a way that is not supported; 503.',
  AccessAnnotationInvalid: 'The agent refuses the route: a list of addresses that limits access cannot be read; 503.',
  AccessPathRefused:
    'The agent refuses the path: an Ingress limits access to it and cannot be served as it is written; 503.',
  AccessSiblingRefused:
    'The agent refuses the route: another Ingress limits access to paths that would fall to it, and cannot be served as it is written; 503.',
  ClientDenied: 'The address of the client is in the deny list of the route; 403.',
  ClientNotAllowed: 'The address of the client is not in the allow list of the route; 403.',
  ClientUnreadable:
    'A trusted proxy names the client in a form that is no address, and the route has an allow list; 403.',
  ClientOverLimit:
    'The client has as many requests, or requests with a long body, in flight as clients of the pool says; 429.',
  HttpsRequired: 'The route redirects plain HTTP to HTTPS; the status is that of the pool.',
  HostPortInvalid: 'The name of the host is followed by a colon and something that is no port; 400.',
  HostMissing: 'The route redirects to HTTPS and the request names no host; 400.',
  Redirected: 'An annotation of the route redirects the request.',
  BodyTooLarge: 'The body is longer than the route takes; 413.',
  NoTable: 'nginx never got a table since it started; 503, and health checks fail.',
  ResponseNotHttp:
    'The pod answered without a status line, as HTTP/0.9 did; 502 over HTTP/2, the end of the connection over HTTP/1.',
  ResponseInterim:
    'The pod sent an interim response (103 Early Hints, 102, or 100 unasked), which nginx before 1.29 takes for the final one; 502.',
  ResponseUpgradeUnasked: 'The pod switched protocols although the client asked for no WebSocket over HTTP/1.1; 502.',
  ResponseLengthInvalid: 'The pod sent several different Content-Length fields, or one that is no number; 502.',
  ResponseCodingUnsupported:
    'The pod sent a Transfer-Encoding other than chunked, of which nothing says that the client can decode it; 502.',
  ResponseHeadInvalid:
    'The head of the answer of the pod has a line that is no field, ends too early, is longer than 64 KiB, or names more than 32 fields in Connection; 502.',
  SharedMemoryTorn:
    'A worker died while it held a zone of shared memory: nginx is ended by its own worker to start anew; 503 until then.',
  PolicyInvalid: 'The health path names something that cannot be a policy; 404.',
  MethodNotAllowed: 'The edge answers only GET and HEAD itself; 405.',
  Unknown: 'Nobody reported the health of this policy: healthy, because health fails open.',
  // Entries and elements that the control channel leaves out; everything else of the change is taken.
  HostInvalid: 'The name is no lower-case DNS name or one-label wildcard; the host stays as it was.',
  PathInvalid: 'The path is not absolute, too long, or has control characters; the path is left out.',
  SettingsInvalid:
    'The settings of a route hold something that this nginx does not know or cannot take; it answers 503, because the setting may limit access.',
  BackendKeyInvalid: 'The key is not of letters, digits, dots, dashes and slashes; the entry or path is left out.',
  EndpointAddressInvalid: 'Not an IP address; the endpoint is left out.',
  EndpointAddressForbidden:
    'Loopback, link-local, multicast, unspecified, reserved or embedded IPv4; the endpoint is left out.',
  EndpointPortInvalid: 'Not a whole number from 1 to 65535; the endpoint is left out.',
  CertificateIdInvalid: 'The id is not of letters, digits and :+/=_.-; the certificate is left out.',
  CertificateUnreadable: 'OpenSSL cannot read the chain; the certificate is left out.',
  CertificateKeyUnreadable: 'OpenSSL cannot read the key; the certificate is left out.',
  CertificateKeyMismatch: 'The key is not that of the first certificate; the certificate is left out.',
  CertificateRefused:
    'OpenSSL refuses to present the pair (weak key or signature in the chain); it is left out, or passed over at a handshake.',
  // Refusals of a whole control request; the table in force stays as it is.
  RequestMalformed: 'Not JSON, or not the shape of the protocol; 400.',
  NoSuchCall: 'The control channel has no such method and path; 404.',
  GenerationMismatch: 'nginx holds another table than the change starts from; 409, the driver pushes everything.',
  TransactionGone: 'Another transaction began since, or nginx started again; 409.',
  SharedMemoryFull: 'The named zone has no room for the change; 507.',
  Busy: 'Another worker is writing for more than two seconds; 503.',
  InternalError: 'A fault in the Lua code; 500, and the error log says which.',
  // States of the data of countries.
  CountryDataMissing:
    'The rendered folder has no countries.bin: requests count as of an unknown country. Render again.',
  CountryDataDamaged: 'countries.bin is not whole: requests count as of an unknown country. Render again.',
  // States of the driver.
  ControlUnreachable: 'nginx does not answer on its control socket; tried again until it does.',
  Stopped: 'The driver was stopped before nginx acknowledged.',
} as const;

export type DataPlaneReason = keyof typeof dataPlaneReasons;
