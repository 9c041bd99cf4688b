import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import { videoIngress } from '../../support/clusters/objects.ts';
import { eventually, type Objects, tideline, World } from './world.ts';

// `tideline check --hosts` beside real blades, asked over the network as a person does. The tests build on each other.
let world: World;
const host = 'www.video.example';

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'video' },
  spec: { ports: [{ port: 80 }] },
};
const slice = (...addresses: readonly string[]): Objects[number] => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'video', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ port: 3000 }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
});
const withTls = videoIngress('web', host, { tls: [{ hosts: [host], secretName: 'cert' }] });

function secret(commonName: string): Objects[number] {
  const { certificate, key } = selfSigned(commonName, Date.now());
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'cert', namespace: 'video' },
    data: { 'tls.crt': encode(certificate), 'tls.key': encode(key) },
  };
}

const check = () => tideline('check', '--hosts', `${world.platform}/platform.yaml`);
/** Waits until the command says this of the cluster. */
const lacking = (says: RegExp) =>
  eventually(`the command says ${says}`, async () => {
    const { code, out } = await check();
    return code === 1 && says.test(out);
  });
const fine = () => eventually('nothing is lacking', async () => (await check()).out.startsWith('ok'));

beforeAll(async () => {
  world = await World.create({ 'web.yaml': [service, videoIngress('web', host)], 'slices.yaml': [slice('10.10.1.5')] });
  await world.pod('first', 5);
  await fine();
});
afterAll(() => world?.destroy());

test('a host without its Ingress is named, with cluster and what to do', async () => {
  await world.write('web.yaml', [service, videoIngress('web', 'elsewhere.example')]);
  await lacking(
    /^! cluster paris lacks www\.video\.example of TrafficPolicy\/video: no Ingress has it \(HostNotServed\); make/,
  );
  await world.write('web.yaml', [service, videoIngress('web', host)]);
  await fine();
});

test('a host whose Service has no Ready endpoint is named', async () => {
  await world.write('slices.yaml', [slice()]);
  await lacking(/no endpoint of Service video\/web is ready \(HostNotReady\); bring its pods up/);
  await world.write('slices.yaml', [slice('10.10.1.5')]);
  await fine();
});

test('a host with the certificate of another is named', async () => {
  await world.write('web.yaml', [service, withTls, secret('other.example')]);
  await lacking(/its certificate is not for www\.video\.example \(CertificateHostMismatch\); put a certificate/);
  await world.write('web.yaml', [service, withTls, secret(host)]);
  await fine();
});

test('of blades that do not answer it is not known, which is not taken for fine', async () => {
  await Promise.all(world.blades.map(({ agent }) => agent.stop()));
  const { code, out } = await check();
  // nginx serves on: the address itself shows that the host answers.
  expect([code, out]).toEqual([0, expect.not.stringContaining('lacks')]);
  await Promise.all(world.blades.map(({ nginx }) => nginx.stop()));
  expect((await check()).out).toMatch(
    /whether cluster paris has www\.video\.example is not known: no answer at 192\.0\.2\.10:80: .* \(HostsUnknown\)/,
  );
});
