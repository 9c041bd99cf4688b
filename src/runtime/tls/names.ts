import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** A server as the platform spec knows it. */
export interface ServerName {
  readonly name: string;
  readonly address: string;
}

/** No wildcard stands for a server, and the common name is a text for people. */
const exactly = { subject: 'never', wildcards: false } as const;

/** Whether a certificate is that of a server: one of its subject alternative names is the name, or the address, of the server. */
export function isOfServer(certificate: X509Certificate, { name, address }: ServerName): boolean {
  const isName = certificate.checkHost(name, exactly) !== undefined;
  // An agent may be told to listen on a name, `localhost` say.
  return isName || (isIP(address) !== 0 && certificate.checkIP(address) !== undefined);
}

/** The names of a certificate as a person reads them. */
export function namesOf({ subjectAltName, subject }: X509Certificate): string {
  return subjectAltName ?? `none, only the subject ${subject.replaceAll('\n', ', ')}`;
}
