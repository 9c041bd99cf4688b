import type { EdgeReason } from '../reasons.ts';

/** What the owner of an object can do about a refusal; absent where the message says all there is. */
export const fixes: { readonly [R in EdgeReason]?: string } = {
  HostInvalid: 'write the host in lower case, as a DNS name or *. and a DNS name',
  PathInvalid: 'let the path start with / and have no //, . or .. segments',
  PathTypeUnknown: 'use Exact, Prefix or ImplementationSpecific',
  PathConflict: 'choose another host or path, or delete the older Ingress',
  DefaultBackendConflict: 'give this Ingress rules of its own, or delete the older one',
  AnnotationIgnored:
    'remove it when the application does not need it; docs/reference/annotations.md lists what is supported',
  AnnotationUnknown: 'correct the name, or remove it',
  AnnotationInvalid: 'correct the value',
  AccessAnnotationUnsupported:
    'limit access in the application and remove the annotation, or let the operator set ignoreAccessAnnotations in the pool',
  AccessAnnotationInvalid: 'correct the list',
  AccessAnnotationIgnored: 'limit access in the application and remove the annotation',
  BodyBoundedByPool: 'ask the operator to raise maxBodyMiB of the pool',
  CanaryUnsupported: 'delete the canary Ingress',
  BackendInvalid: 'name a Service of the same namespace, and its port',
  ResourceBackend: 'use backend.service',
  ExternalNameService: 'use a Service with a selector or with EndpointSlices',
  ServiceMissing: 'create the Service, or correct its name',
  ServicePortMissing: 'add the port to the Service, or correct it here',
  TlsHostInvalid: 'write the host in lower case, as a DNS name or *. and a DNS name',
  TlsHostWithoutRule: 'add a rule for the host, or remove it from spec.tls',
  TlsConflict: 'leave the certificate of this host to the older Ingress',
  TlsForeign: 'name a certificate in the Ingress that owns the host, or set hostOwnerOwnsCertificate of the EdgePool',
  TlsOfHostOwner: 'leave the certificate of this host to the namespace that owns it',
  SecretMissing:
    'create the Secret in this namespace with kubectl create secret tls, or correct its name; one of another type must be deleted and created anew, since a type cannot be changed',
  SecretTypeWrong: 'create it with kubectl create secret tls',
  CertificateUnreadable: 'create the Secret anew with kubectl create secret tls',
  CertificateKeyUnreadable: 'use a PEM key without a passphrase',
  CertificateKeyMismatch: 'put the certificate of this key first in tls.crt',
  CertificateKeyWeak: 'use RSA of 2048 to 4096 bits, or ECDSA with P-256 or P-384, in the whole chain',
  CertificateSignatureWeak: 'have the certificate issued with SHA-256, by an authority that does the same',
  CertificateRefused: 'have the certificate issued anew, with an ordinary key and signature',
  CertificateKept: 'mend or create the Secret, or name another one',
  CertificateExpired: 'renew the certificate',
  CertificateNotYetValid: 'check the time of the machine that issued it',
  CertificateHostMismatch: 'use a certificate that has the host among its names',
  EndpointAddressInvalid: 'list IP addresses',
  EndpointAddressForbidden: 'list addresses of pods',
  EndpointIsOwn: 'list addresses of pods, not of the edge',
  EndpointOfPlatform:
    'list addresses of pods; for pods of the host network set spec.endpoints.hostNetwork of the EdgePool',
  EndpointOutsidePods: 'list addresses of pods, or set spec.endpoints.allow of the EdgePool to anywhere',
};
