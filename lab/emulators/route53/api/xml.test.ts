import { describe, expect, it } from 'vitest';
import { readChangeBatch } from './records-xml.ts';
import { parseXml, renderDocument } from './xml.ts';

const batch = (record: string, action = 'CREATE') =>
  `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes><Change>
  <Action>${action}</Action><ResourceRecordSet>${record}</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`;
const values =
  '<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>';
const simple = `<Name>a.example</Name><Type>A</Type>${values}`;
const read = (body: string) => readChangeBatch(parseXml(body));

it('reads a change', () => {
  expect(read(batch(simple))).toMatchObject([
    { action: 'CREATE', record: { name: 'a.example.', type: 'A', ttl: 60, values: ['192.0.2.1'] } },
  ]);
});

it('gives text back as it came', () => {
  const text = '"a" <&> \r\n "ü"';
  expect(parseXml(renderDocument('a', [['b', text]])).children[0]?.text).toBe(text);
});

describe('refuses, and names it:', () => {
  it.each([
    ['unknown elements', batch(`${simple}<Colour>red</Colour>`), 'unknown element Colour in ResourceRecordSet'],
    [
      'elements not emulated',
      batch(`${simple}<GeoProximityLocation/>`),
      'ResourceRecordSet.GeoProximityLocation is not emulated',
    ],
    ['an element twice', batch(`${simple}<TTL>1</TTL>`), 'element TTL occurs twice'],
    ['unknown actions', batch(simple, 'REPLACE'), 'Change.Action must be one of'],
    ['unknown types', batch(simple.replace('>A<', '>SPF<')), 'ResourceRecordSet.Type must be one of'],
    ['text where elements belong', batch(`${simple}stray`), 'both text and elements'],
    ['attributes', batch(simple).replace('<Changes>', '<Changes x="1">'), 'unexpected attribute x'],
    ['a foreign namespace', batch(simple).replace('2013-04-01', '2012-12-12'), 'unexpected attribute xmlns'],
    ['an identifier alone', batch(`${simple}<SetIdentifier>x</SetIdentifier>`), 'belong together'],
    ['a weight alone', batch(`${simple}<Weight>1</Weight>`), 'belong together'],
    [
      'two policies',
      batch(`${simple}<SetIdentifier>x</SetIdentifier><Weight>1</Weight><Failover>PRIMARY</Failover>`),
      'one routing policy, not weighted and failover',
    ],
    [
      'a weight of 256',
      batch(`${simple}<SetIdentifier>x</SetIdentifier><Weight>256</Weight>`),
      'from 0 to 255, not 256',
    ],
    [
      'a country that does not exist',
      batch(`${simple}<SetIdentifier>x</SetIdentifier><GeoLocation><CountryCode>QQ</CountryCode></GeoLocation>`),
      'unknown to Route 53: QQ',
    ],
    [
      'a subdivision without its country',
      batch(
        `${simple}<SetIdentifier>x</SetIdentifier><GeoLocation><SubdivisionCode>CA</SubdivisionCode></GeoLocation>`,
      ),
      'GeoLocation needs ContinentCode or CountryCode',
    ],
    [
      'a subdivision of a continent',
      batch(
        `${simple}<SetIdentifier>x</SetIdentifier><GeoLocation><ContinentCode>NA</ContinentCode><SubdivisionCode>CA</SubdivisionCode></GeoLocation>`,
      ),
      'GeoLocation needs ContinentCode or CountryCode, and not both',
    ],
    [
      'a province of Canada',
      batch(
        `${simple}<SetIdentifier>x</SetIdentifier><GeoLocation><CountryCode>CA</CountryCode><SubdivisionCode>ON</SubdivisionCode></GeoLocation>`,
      ),
      'GeoLocation.SubdivisionCode is unknown to Route 53: CA ON',
    ],
    [
      'an alias with TTL',
      batch(
        `<Name>a.example</Name><Type>A</Type><TTL>1</TTL><AliasTarget><HostedZoneId>Z</HostedZoneId><DNSName>b.example</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>`,
      ),
      'an alias has neither TTL nor ResourceRecords',
    ],
    ['no values', batch('<Name>a.example</Name><Type>A</Type><TTL>1</TTL>'), 'at least one ResourceRecord'],
    ['no changes', batch(simple).replace(/<Change>[^]*<\/Change>/, ''), 'at least one Change'],
    ['document types', `<!DOCTYPE a [<!ENTITY b "c">]>${batch(simple)}`, 'document types'],
    ['broken XML', '<a><b></a>', 'not well-formed XML'],
    ['5000 levels', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`, 'Maximum nested tags'],
    ['two roots', '<a/><b/>', 'root'],
  ])('%s', (_, body, message) => {
    expect(() => read(body)).toThrow(message);
  });
});
