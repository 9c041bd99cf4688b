/** Why a certificate of a server is signed, or is not. */
export const signReasons = {
  CertificateMissing: 'The server has no certificate for this key yet.',
  CertificateUnreadable: 'What is kept as the certificate of the server is not a certificate.',
  KeyChanged: 'The server has another key than the one that was signed: it was set up anew, or the key was replaced.',
  ContentChanged: 'The spec gives the certificate another subject, other names or other uses.',
  AuthorityChanged: 'Another authority signed it than the one that signs now.',
  CertificateEndsSoon: 'Less than a third of its time is left.',
} as const;
export type SignReason = keyof typeof signReasons;

/** Why a certificate cannot be signed. */
export const signRefusals = {
  KeyMissing: 'The server has not handed in the public key yet.',
  KeyUnfit: 'The text is not a public key on P-256 or of RSA with at least 2048 bits.',
  KeyShared:
    'Two places hand in one public key: a server is a copy of another one, and either could speak as the other.',
  AuthorityMissing: 'There is no authority of this name in the folder of the authorities.',
} as const;
export type SignRefusal = keyof typeof signRefusals;

/** What can be wrong with the folder of the authorities. */
export const authorityReasons = {
  AuthorityUnreadable:
    'A key or a certificate of an authority, or the secrets of a cluster cannot be read, or key and certificate do not belong together.',
  AuthorityLocked: 'The passphrase does not open the key of an authority, or the secrets of a cluster.',
  AuthorityEnds: 'An authority ends before what it would sign.',
  AuthorityExists: 'An authority of this name is there already; nothing is written over it.',
  RotationOrder: 'A phase of a change was asked for before the one that it follows.',
  RotationEarly: 'A phase of a change was asked for before every server got the one before it.',
  PassphraseUnfit: 'The file of the passphrase is empty, too short, or may be read by others.',
} as const;
export type AuthorityReason = keyof typeof authorityReasons;

/** What can be wrong with a folder of public keys or certificates. */
export const pemReasons = {
  PemsUnreadable:
    'A file of public keys, certificates or secrets cannot be read, or is not a JSON object from names to texts.',
} as const;
export type PemReason = keyof typeof pemReasons;
