import { expect, it } from 'vitest';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { fleetPlatform } from '../../test/support/fleet.ts';
import { Judged, rules } from './rules.ts';

const documents = [{}, { dedicatedEtcd: true, gpus: true }, { ipam: { static: {} } }].flatMap((shape) => [
  ...compileFleet(fleetPlatform(shape), {}).documents.values(),
]);
const having = (unit: string) => documents.filter(({ components }) => components.some(({ units }) => unit in units));

it.each(rules.map((rule) => [rule.id, rule] as const))('%s passes, or is waived and does not', (_, rule) => {
  const judged = having(rule.unit);
  expect(judged.length).toBeGreaterThan(0);
  for (const document of judged) expect(rule.holds(new Judged(document, rule.unit))).toBe(rule.waiver === undefined);
});

/** A document that does everything wrong: open files of a stranger, bad flags, a bad configuration. */
function spoilt(document: ServerDocument): ServerDocument {
  const open = { user: 'stranger', group: 'stranger', mode: '0777' };
  const all = <T extends object>(table: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(table).map(([path, value]) => [path, { ...value, ...open }]));
  const config = {
    authentication: { anonymous: { enabled: true } },
    authorization: { mode: 'AlwaysAllow' },
    readOnlyPort: 10_255,
    streamingConnectionIdleTimeout: '0s',
    makeIPTablesUtilChains: false,
    eventRecordQPS: 0,
    rotateCertificates: false,
    featureGates: { RotateKubeletServerCertificate: false },
    tlsCipherSuites: ['TLS_RSA_WITH_3DES_EDE_CBC_SHA'],
    podPidsLimit: -1,
    seccompDefault: false,
    enableProfiling: true,
    metricsBindAddress: '0.0.0.0',
  };
  const flags = {
    'token-auth-file': '/tokens',
    'authorization-mode': 'AlwaysAllow',
    'enable-admission-plugins': 'AlwaysAdmit',
    'disable-admission-plugins': 'ServiceAccount,NamespaceLifecycle',
    'feature-gates': 'RotateKubeletServerCertificate=false',
    'hostname-override': 'other',
    'auto-tls': 'true',
    'peer-auto-tls': 'true',
    'trusted-ca-file': '/etc/kubernetes/pki/ca.crt',
  };
  const line = Object.entries(flags).map(([name, value]) => `  --${name}=${value}\n`);
  const components = document.components.map((component) => ({
    ...component,
    directories: all(component.directories),
    files: Object.fromEntries(
      Object.keys(component.files).map((path) => [path, { ...open, text: JSON.stringify(config) }]),
    ),
    units: Object.fromEntries(
      Object.entries(component.units).map(([name, unit]) => [name, { ...unit, text: line.join('') }]),
    ),
  }));
  const { keys, certificates, authorities, secrets } = document.pki;
  const pki = {
    keys: all(keys),
    certificates: all(certificates),
    authorities: all(authorities),
    secrets: all(secrets),
  };
  return { ...document, components, pki };
}

it.each(rules.map((rule) => [rule.id, rule] as const))('%s fails on a document that breaks it', (_, rule) => {
  const [document] = having(rule.unit);
  if (document === undefined) throw new Error('unreachable');
  expect(rule.holds(new Judged(spoilt(document), rule.unit))).toBe(false);
});

it('has each rule once', () => {
  const ids = rules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
