import type { Problem, Refusal } from '../../model/problem.ts';

/**
 * Every named refusal and state of the edge: log field, metric label, status condition and test assertion at once. The
 * text says what the reason means and what the edge does about it.
 */
export const edgeReasons = {
  // Ingress objects.
  Malformed: 'The object does not have the shape of its kind; nothing of it serves.',
  HostInvalid:
    'A rule names a host that is no lower-case DNS name (or one-label wildcard) of at most 253 characters; the rule does not serve.',
  PathInvalid:
    'A path is not absolute and normal, longer than 4096 bytes, or has control characters; it does not serve.',
  PathTypeUnknown: 'pathType is none of Exact, Prefix, ImplementationSpecific; the path does not serve.',
  PathConflict:
    'An older Ingress (or an earlier rule of this one) owns the same host and path; this one does not serve.',
  DefaultBackendConflict: 'An older Ingress owns the default backend of this host; this one does not serve.',
  // Annotations of ingress-nginx.
  AnnotationIgnored: 'The annotation of ingress-nginx is not supported; the route is served without it.',
  AnnotationUnknown:
    'An annotation begins like those of ingress-nginx, which is not known to have it; the route is served without it.',
  AnnotationInvalid: 'The value of the annotation cannot be taken; the route is served without it.',
  AccessAnnotationUnsupported:
    'An annotation limits access in a way that is not supported; the routes of the Ingress answer 503.',
  AccessAnnotationInvalid:
    'A list of addresses that limits access cannot be read; the routes of the Ingress answer 503.',
  AccessAnnotationIgnored:
    'An annotation limits access and cannot be obeyed; the route is served without it, because the pool says ignoreAccessAnnotations.',
  AccessPathRefused:
    'An Ingress limits access to a path that cannot be served as it is written, such as a regular expression; what the path stands for answers 503, so that no broader route serves it without the limit.',
  AccessSiblingRefused:
    'Another Ingress of the namespace limits access to paths that would fall to this route, or to the whole host, and cannot be served as it is written; this route answers 503.',
  BodyBoundedByPool:
    "An annotation asks for longer bodies than the pool's maxBodyMiB, or for no bound; the bound of the pool holds.",
  CanaryUnsupported:
    'The Ingress is the canary of another one, which is not supported; none of its routes serve, the other Ingress keeps all requests.',
  // Budgets. An older object keeps its place.
  ObjectBudget:
    'The object asks for more than the pool gives one object (spec.limits.object); what is beyond that does not serve.',
  NamespaceBudget:
    'The objects of the namespace ask for more than the pool gives one namespace (spec.limits.namespace), or than an agent keeps of one; what is beyond that does not serve.',
  HostFull:
    'The entry of a host has no room: a namespace has its share of it, or namespaces that do not own the host fill theirs; the youngest routes do not serve.',
  TableFull: "The table fills nginx's memory; what is youngest does not serve.",
  // Backends.
  BackendInvalid:
    'A backend names no Service, or names it with something that is no DNS label; its path does not serve.',
  ResourceBackend: 'The backend is a resource other than a Service; its path does not serve.',
  ExternalNameService: 'The Service is of type ExternalName, which could lead anywhere; its path does not serve.',
  ServiceMissing: 'The Service does not exist (yet); its path answers 503.',
  ServicePortMissing: 'The Service has no such TCP port; its path answers 503.',
  ServiceWithoutEndpoints: 'The Service has had no endpoint for half a minute or longer; its path answers 503.',
  // TLS.
  TlsHostInvalid: 'spec.tls names a host that is no DNS name; it gets no certificate from here.',
  TlsHostWithoutRule:
    'spec.tls names a host that no serving rule of this Ingress has; it gets no certificate from here.',
  TlsConflict: 'An older Ingress owns the certificate of this host; this one is not used.',
  TlsForeign:
    'A host has its certificate from an Ingress of another namespace than that of the Ingress that owns it (the oldest with a route on it).',
  TlsOfHostOwner:
    'An Ingress of another namespace owns the host, and the pool lets only that namespace give it a certificate; this one is not used.',
  SecretMissing:
    'There is no Secret of this name and of type kubernetes.io/tls (yet); the host is served with the default certificate.',
  SecretTypeWrong: 'The Secret is not of type kubernetes.io/tls; the host is served with the default certificate.',
  CertificateUnreadable: 'tls.crt is not base64 of PEM certificates; the host is served with the default certificate.',
  CertificateKeyUnreadable:
    'tls.key is not base64 of an unencrypted PEM key; the host is served with the default certificate.',
  CertificateKeyMismatch:
    'tls.key is not the key of the first certificate in tls.crt; the host is served with the default certificate.',
  CertificateKeyWeak:
    'A key of the chain is one that OpenSSL refuses at a handshake (RSA below 2048 bits, an unusual type or curve), or that costs too much there (RSA above 4096 bits); the default certificate is served.',
  CertificateSignatureWeak:
    'A certificate of the chain is signed with MD5 or SHA-1, which OpenSSL refuses at a handshake; the default certificate is served.',
  CertificateRefused:
    'nginx refused the pair when it took it or at a handshake; the host is served with the default certificate.',
  CertificateKept:
    'The Secret is gone or cannot be used: its last good pair is served, until no Ingress that got it names the Secret.',
  CertificateExpired: 'The certificate has ended; it is served all the same.',
  CertificateNotYetValid: 'The certificate begins later; it is served all the same.',
  CertificateHostMismatch: 'The certificate is not for the host that it is served for; it is served all the same.',
  // Endpoints.
  EndpointAddressInvalid: 'An endpoint is not an IP address, or its slice holds names; it is left out.',
  EndpointAddressForbidden:
    'An endpoint is a loopback, link-local, multicast, unspecified, reserved or embedded IPv4 address; it is left out.',
  EndpointIsOwn: 'An endpoint is a VIP or a blade of this pool, which would proxy to itself; it is left out.',
  EndpointOfPlatform:
    'An endpoint is a server, a router or a VIP of the platform (a pod of the host network has the address of its server); it is left out.',
  EndpointOutsidePods: 'An endpoint lies outside the pod prefixes of the sites of the cluster; it is left out.',
  // Conditions and Events when all is well, and the state of the pool as a whole.
  Accepted: 'Everything it asks for is served.',
  TableServed: 'nginx of at least one blade serves the table.',
  SpecsDiffer:
    'The blades of the pool obey different versions of the platform spec, as while an edit is on its way; the message has the digest of each.',
  NoBladeFit: 'No blade of the pool is known to be fit.',
  VipsAnnounced: 'Every VIP of the pool is announced by at least one blade.',
  VipNotAnnounced: 'A VIP is announced by no blade that answers.',
  // Writing status and events.
  NotPublishing: 'This blade writes no status: its source is not live, or its nginx does not serve the newest table.',
  // Source.
  ServingSnapshot: 'The cluster was not readable since this agent started; the last good snapshot from disk is served.',
  PoolEditWaits:
    'The pool has the VIP no longer; because every blade reads the edit at once, they announce it for ten minutes more.',
  SpecDiffers:
    'The EdgePool object of the cluster says something else than the platform folder of the leading blade, which is in force.',
  PlatformInvalid: 'The platform folder does not load; the last good platform stays in force.',
  // The table.
  TableRefused:
    'nginx refused the newest table or endpoints and serves the ones before; tried again, and the blade stays fit.',
  // Fitness of a VIP on this blade.
  NotSynced: 'Neither the cluster nor a snapshot was read yet.',
  NginxUnreachable: 'nginx does not answer on its control socket.',
  WorkerSilent:
    'A worker process of nginx has said nothing for five seconds: it hangs or is stopped, and so do the connections that it has or gets. Restart nginx.',
  TableNotAcknowledged: 'nginx has not acknowledged the current table in time, or lost it in a restart.',
  ProbeFailed: 'nginx does not answer the fitness path on the VIP.',
  TlsProbeFailed: 'nginx answers the fitness path on the VIP over plain HTTP, but not over TLS.',
  Draining: 'A Drain of this blade, its cluster or its site is active.',
  Stopping: 'The agent was asked to stop and to withdraw.',
  LastAnnouncer: 'Unfit, but not enough other blades are known to be fit and to announce the VIP: it stays announced.',
  PeerNotBelieved:
    'What answers at the address of another blade of the pool does not show the certificate of that blade: it counts as one that announces nothing, and an unfit blade keeps its VIPs.',
  VipAddressMissing: 'The VIP could not be added to the loopback interface.',
  VipAddressLeft:
    'An address among those for VIPs is on the loopback interface and is no VIP of this blade, and no agent added it or it cannot be removed: programs of this server do not reach those who have it now.',
  // Policy health.
  BackendsServing: 'Enough backends of the policy have a ready endpoint.',
  BelowThreshold: 'Fewer backends of the policy than minReadyRatio have a ready endpoint.',
  BackendsUnreachable:
    'Enough backends of the policy have a ready endpoint, but to too many of them no connection was made although nginx tried; the agent goes on trying.',
  HostNotServed: 'No Ingress here serves any host of the policy, or the host that is named.',
  HostNotReady: 'Fewer backends of a host of the policy than minReadyRatio have a ready endpoint, or none has.',
  ClusterDraining: 'A Drain of the cluster or of all its sites is active.',
  Unknown: 'Nothing is known yet; healthy, because health fails open.',
} as const;

export type EdgeReason = keyof typeof edgeReasons;

/** Something wrong in an object of a tenant. */
export type EdgeProblem = Problem<EdgeReason>;

/** Why something that an object asks for is not served. */
export type EdgeRefusal = Refusal<EdgeReason>;
