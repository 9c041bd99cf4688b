import { expect, test } from 'vitest';
import { loadPlatformOrThrow } from '../../../platform/load.ts';
import { zoneOfMasterFile, zoneOfSoa } from './bind.ts';
import { MasterFileError, parseMasterFile } from './master-file.ts';
import { importZone } from './policies.ts';
import { renderImport } from './text.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
const zone = 'video.example';

function imported(text: string) {
  const records = parseMasterFile(`$TTL 60\n${text}`, zone);
  return importZone(platform, zoneOfMasterFile(records, zone, 'db'), { zone, providers: ['powerdns'] });
}
const report = (text: string): readonly string[] => renderImport(imported(text));

test('a zone of BIND into which external-dns writes, from the file to the report', () => {
  const heritage = '"heritage=external-dns,external-dns/owner=paris,external-dns/resource=ingress/video/api"';
  expect(
    report(`@ IN SOA ns1 admin 1 2h 3600 1w 60
@       NS    ns1
ns1     A     10.0.0.1
www     A     192.0.2.10
        A     203.0.113.10
api     A     192.0.2.10
api     TXT   ${heritage}
a-api   TXT   ${heritage}
*.live  3600 A 203.0.113.10
odd     A     192.0.2.10 again
old     CNAME www
`),
  ).toEqual([
    '*.live.video.example becomes policy live',
    '    note: a failed cluster is answered for up to 3600 s more (ttlSeconds); 60 is usual',
    'a-api.video.example stays: TXT: no record of addresses; it stays as it is',
    '    note: the registry record of external-dns for api.video.example',
    'api.video.example: its TXT stays: no record of addresses',
    '    note: the registry record of external-dns for api.video.example',
    'api.video.example becomes policy api',
    '    note: external-dns (owner paris) writes it for ingress/video/api: first delete its TXT records at a-api.video.example, api.video.example, so that it leaves the host alone, then take the host out of its sources, and only then adopt',
    'ns1.video.example stays: A: NS records lead to it, and a name server keeps its addresses; it stays as it is',
    'odd.video.example is not imported: its A record cannot be read: expected one IPv4 address, not "192.0.2.10 again" (db:11)',
    'old.video.example stays: CNAME: no record of addresses; it stays as it is',
    'video.example stays: NS, SOA: no record of addresses; it stays as it is',
    'www.video.example becomes policy www',
    '    note: today every A answer holds 2 addresses and clients try the next one; a policy answers with one cluster at a time',
    'hosts in policies: 3, policies: 3, not imported: 1, staying: 5',
  ]);
});

test('what serves the zone itself stays as it is, also under another origin; anything else at an address of nobody is refused', () => {
  const lines = report(`@    NS    ns1
@    NS    ns.elsewhere.example.
@    MX    10 mail
_sip._tcp SRV 0 5 5060 voice.inner
ns1  A     10.0.0.1
     AAAA  2001:db8::53
mail A     10.0.0.2
voice.inner A 10.0.0.3
www  A     10.0.0.4
$ORIGIN inner.video.example.
@    NS    ns2
ns2  A     10.0.0.5
`);
  expect(lines.filter((line) => !line.includes('no record of addresses') && !line.startsWith('    '))).toEqual([
    'mail.video.example stays: A: MX records lead to it, and none of its addresses is of a Cluster; it stays as it is',
    'ns1.video.example stays: A, AAAA: NS records lead to it, and a name server keeps its addresses; it stays as it is',
    'ns2.inner.video.example stays: A: NS records lead to it, and a name server keeps its addresses; it stays as it is',
    'voice.inner.video.example stays: A: SRV records lead to it, and none of its addresses is of a Cluster; it stays as it is',
    'www.video.example is not imported: 10.0.0.4 is the entry address of no Cluster (db:10)',
    'hosts in policies: 0, policies: 0, not imported: 1, staying: 7',
  ]);
});

test('a name server stays whoever has its addresses, of the zone and as glue of a delegation', () => {
  const why = 'A: NS records lead to it, and a name server keeps its addresses; it stays as it is';
  const zones = '@ NS ns1\nns1 A 192.0.2.10\nmixed A 10.0.0.1\nmixed A 192.0.2.10\n@ NS mixed\n';
  const lines = report(`${zones}sub NS ns.sub\nns.sub A 192.0.2.10\n`);
  for (const host of ['ns1', 'mixed', 'ns.sub']) expect(lines).toContain(`${host}.video.example stays: ${why}`);
  expect(lines.at(-1)).toMatch(/^hosts in policies: 0, policies: 0, not imported: 0,/);
});

test('a mail server at the address of a Cluster becomes a policy with a note, and one with an address of nobody beside it is refused', () => {
  const records = '@ MX 10 mail\n_sip._tcp SRV 0 5 5060 mail\n';
  expect(report(`${records}mail A 192.0.2.10\nmail A 203.0.113.10\n`)).toEqual(
    expect.arrayContaining([
      'mail.video.example becomes policy mail',
      '    note: MX and SRV records lead to it: after this it is answered by country with addresses of cloud, paris',
    ]),
  );
  expect(report(`${records}mail A 192.0.2.10\nmail A 10.0.0.1\n`)).toEqual(
    expect.arrayContaining([
      'mail.video.example is not imported: 10.0.0.1 is the entry address of no Cluster (db:4, db:5)',
      '    fix: MX and SRV records lead to it: leave it to the tool that writes it now, and give what the Cluster answers a name of its own',
    ]),
  );
});

test('a name with several TTLs has the smallest, and several addresses are clusters of equal weight', () => {
  const text = 'www 300 A 192.0.2.10\nwww 30 A 203.0.113.10\nwww 300 A 198.51.100.10\n';
  expect(report(text)).toContain(
    '    note: its A records have the TTLs 30 and 300 s, of which a set has one (RFC 2181, section 5.2): the smallest is taken, 30 s',
  );
  expect(report(text.replaceAll('300', '30')).join()).not.toContain('TTL');
  const [policy] = imported(text).policies;
  expect(policy?.spec).toMatchObject({
    ttlSeconds: 30,
    dns: { zone, providers: ['powerdns'] },
    default: {
      clusters: [
        { name: 'paris', weight: 100 },
        { name: 'cloud', weight: 100 },
        { name: 'newyork', weight: 100 },
      ],
    },
  });
});

test('a record outside of the zone is refused with its line, and the zone is that of the SOA', () => {
  const outside = parseMasterFile('$TTL 60\nwww.other.example. A 192.0.2.10\n', zone);
  expect(() => zoneOfMasterFile(outside, zone, 'db')).toThrow(MasterFileError);
  expect(() => zoneOfMasterFile(outside, zone, 'db')).toThrow(/www\.other\.example is not in the zone video\.example/);
  expect(zoneOfSoa(parseMasterFile('other.example. SOA a b 1 2 3 4 60\n', zone))).toBe('other.example');
  expect(zoneOfSoa(outside)).toBeUndefined();
});

test('a name or a TTL that no policy may have is refused by itself, with its line and what to do', () => {
  const { policies, findings } = imported(String.raw`good 60 A 192.0.2.10
bad\000x 60 A 192.0.2.10
none 0 A 192.0.2.10
foo 1W2D A 192.0.2.10
${'l'.repeat(60)}.${'m'.repeat(60)} 30 A 192.0.2.10
`);
  expect(policies.map(({ spec }) => spec.hosts)).toEqual([
    ['good.video.example'],
    [`${'l'.repeat(60)}.${'m'.repeat(60)}.video.example`],
  ]);
  const refused = findings.filter(({ outcome }) => outcome === 'refused');
  expect(refused.map(({ host, what, at }) => [host, what, at])).toEqual([
    [
      String.raw`bad\000x.video.example`,
      expect.stringMatching(/^its name is no host name: expected a DNS name in lower case/),
      ['db:3'],
    ],
    ['foo.video.example', 'its time to live is 777600 s: expected 1 to 86400', ['db:5']],
    ['none.video.example', 'its time to live is 0 s: expected 1 to 86400', ['db:4']],
  ]);
  for (const { fix } of refused) expect(fix).toMatch(/^(give|rename) /);
});

test.each([
  ['\\DDD of a letter', 'd\\119w A 192.0.2.10', ['dww.video.example becomes policy dww']],
  [
    'a record that stands twice is one',
    'www A 192.0.2.10\nwww 60 IN A 192.0.2.10',
    ['www.video.example becomes policy www'],
  ],
  [
    'no address at all',
    'www A 192.0.2',
    ['www.video.example is not imported: its A record cannot be read: expected one IPv4 address, not "192.0.2" (db:2)'],
  ],
  [
    'an address of the other family',
    'www AAAA 192.0.2.10',
    [
      'www.video.example is not imported: its AAAA record cannot be read: expected one IPv6 address, not "192.0.2.10" (db:2)',
    ],
  ],
  [
    'a CNAME beside addresses',
    'www A 192.0.2.10\nwww CNAME api',
    [
      'www.video.example is not imported: it has a CNAME beside its addresses, which no name may have (RFC 1034, section 3.6.2) (db:2, db:3)',
      '    fix: delete one of them',
      'www.video.example: its CNAME stays: no record of addresses',
    ],
  ],
  [
    'a host below a delegation',
    'sub NS ns.else.example.\nh.sub A 192.0.2.10',
    [
      'h.sub.video.example is not imported: sub.video.example is delegated to other name servers, so nobody is answered from this zone; write the host there; only a delegation that nobody uses any more may be deleted instead (db:3)',
      'sub.video.example stays: NS: no record of addresses; it stays as it is',
    ],
  ],
] as const)('%s', (_what, text, wanted) => {
  expect(new Set(report(text).slice(0, -1))).toEqual(new Set(wanted));
});

test.each(['d\\256w A 192.0.2.10', 'd\\19w A 192.0.2.10', 't TXT "\\999"'])('no character: %s', (text) => {
  expect(() => report(text)).toThrow(/is no character: expected a backslash and 000 to 255/);
});
