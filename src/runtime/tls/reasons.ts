/** What is wrong with the certificates by which agents and people know each other, where a program says it of itself. */
export const tlsReasons = {
  TlsFilesUnusable:
    'The certificate, key or CA file cannot be read, or they do not belong together; what was read last stays in use, and without any nobody is answered.',
  CertificateEndsSoon: 'The certificate by which this agent is known ends within 30, 7 or 1 days, or has ended.',
} as const;
export type TlsReason = keyof typeof tlsReasons;

/** Why an agent was asked in vain, as far as certificates are the cause. */
export const askReasons = {
  TlsRequired: 'The agent answers only who has a certificate, and was asked without one.',
  CertificateRequired: 'The agent was asked over TLS without a certificate.',
  CertificateRefused: 'The agent does not accept the certificate: it has ended, or another CA issued it.',
  ForeignServer: 'The certificate is that of a blade of another EdgePool.',
  ServerNotBelieved:
    'What answers there has no certificate of the server that was meant: the name is another, it has ended, or another CA issued it.',
  TlsNotServed: 'What answers there does not speak TLS.',
} as const;
export type AskReason = keyof typeof askReasons;

/** What a person does about it. */
export const askFixes: Readonly<Record<AskReason, string>> = {
  TlsRequired:
    'name a certificate, its key and the CA by --tls-cert, --tls-key and --tls-ca, or by TIDELINE_TLS_CERT, TIDELINE_TLS_KEY and TIDELINE_TLS_CA',
  CertificateRequired:
    'name a certificate, its key and the CA by --tls-cert, --tls-key and --tls-ca, or by TIDELINE_TLS_CERT, TIDELINE_TLS_KEY and TIDELINE_TLS_CA',
  CertificateRefused: 'take a certificate that has not ended, of the CA in the file of --tls-ca of that agent',
  ForeignServer: 'ask with a certificate of your own instead of that of a blade',
  ServerNotBelieved:
    'give that server a certificate of this CA that names it, or its address, as a subject alternative name; if it has one, find out who answers there',
  TlsNotServed: 'start that agent with its certificate files, or ask with --tls-mode grace until every agent has them',
};
