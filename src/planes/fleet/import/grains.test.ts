import { expect, it } from 'vitest';
import { foundInGrains, grainPlaces } from './grains.ts';

const read = (value: unknown) => foundInGrains(JSON.stringify(value), 'grains.json', grainPlaces);

/** A part of what `salt '*' grains.items --out=json --static` prints of a worker with GPUs, and of two that did not answer. */
const printed = {
  'par-w-1.example.net': {
    id: 'par-w-1.example.net',
    host: 'par-w-1',
    ipv4: ['10.1.0.51', '127.0.0.1', '172.17.0.1'],
    ipv6: ['2001:db8::51', '::1', 'fe80::1'],
    ip_interfaces: {
      lo: ['127.0.0.1', '::1'],
      bond0: ['10.1.0.51', '2001:db8::51', 'fe80::1'],
      docker0: ['172.17.0.1'],
    },
    productname: 'PowerEdge R760xa',
    serialnumber: 'ABC1234',
    roles: ['worker'],
    rack: 'r12',
    gpus: [
      { vendor: 'nvidia', model: 'GH100 [H100 SXM5 80GB]' },
      { vendor: 'unknown', model: 'G200eR2' },
    ],
  },
  'par-w-2': false,
  'par-w-3': 'Minion did not return. [No response]',
};

it("reads Salt's own grains: addresses that others reach, with their interfaces, model, serial number and GPUs", () => {
  const [one, two, three] = read(printed);
  expect(one?.texts).toEqual({
    name: ['par-w-1.example.net'],
    site: [],
    rack: ['r12'],
    class: ['PowerEdge R760xa'],
    addresses: ['10.1.0.51', '172.17.0.1', '2001:db8::51'],
    cluster: [],
    roles: ['worker'],
    status: [],
    serial: ['ABC1234'],
    uplink: ['bond0', 'docker0', 'bond0'],
    gpu: ['GH100 [H100 SXM5 80GB]'],
  });
  expect([two, three].map((machine) => machine?.texts.status)).toEqual([['no answer'], ['no answer']]);
});

it.each([
  ['{\n  "a": {}\n}\n{\n  "b": {}\n}', /no JSON: it has one value for each minion; add --static/],
  ['not json', /grains\.json is no JSON/],
  ['[]', /no object with the grains of each minion/],
])('refuses %j', (text, expected) => {
  expect(() => foundInGrains(text, 'grains.json', grainPlaces)).toThrow(expected);
});

it('takes grains of any shape without a fault', () => {
  const odd = {
    a: { ipv4: 'x', ip_interfaces: [], gpus: {}, roles: { deep: { value: {} } }, __proto__: { rack: 'x' } },
    b: [],
    c: null,
  };
  expect(read(odd)).toHaveLength(3);
});
