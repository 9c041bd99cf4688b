import { continents } from '../../../../src/model/geo/countries.ts';
import { invalidInput } from '../reasons.ts';
import { isKnownCountry, isKnownSubdivision } from '../zone/batch.ts';
import { canonicalName } from '../zone/names.ts';
import {
  type AliasTarget,
  type Change,
  type GeoLocation,
  type RecordSet,
  type Routing,
  recordTypes,
} from '../zone/record.ts';
import { Fields } from './fields.ts';
import type { Element, XmlNode } from './xml.ts';

/** Reads the changes of a ChangeResourceRecordSetsRequest and checks their syntax; the zone's rules are in zone/batch.ts. */
export function readChangeBatch(root: Element): readonly Change[] {
  if (root.name !== 'ChangeResourceRecordSetsRequest') throw invalidInput(`unexpected root element ${root.name}`);
  const request = new Fields(root, ['ChangeBatch']);
  const batch = new Fields(request.required('ChangeBatch'), ['Comment', 'Changes']);
  if ((batch.text('Comment')?.length ?? 0) > 256)
    throw invalidInput('ChangeBatch.Comment is longer than 256 characters');
  const changes = batch.list('Changes', 'Change') ?? [];
  if (changes.length === 0) throw invalidInput('ChangeBatch.Changes must have at least one Change');
  return changes.map((element) => {
    const change = new Fields(element, ['Action', 'ResourceRecordSet']);
    const action = change.oneOf('Action', ['CREATE', 'DELETE', 'UPSERT'] as const);
    if (action === undefined) throw invalidInput('Change.Action is required');
    return { action, record: readRecordSet(change.required('ResourceRecordSet')) };
  });
}

const notEmulated = ['TrafficPolicyInstanceId', 'GeoProximityLocation'];

function readRecordSet(element: Element): RecordSet {
  const known = [
    'Name',
    'Type',
    'SetIdentifier',
    'Weight',
    'GeoLocation',
    'Failover',
    'Region',
    'MultiValueAnswer',
    'CidrRoutingConfig',
    'TTL',
  ];
  const fields = new Fields(element, [...known, 'ResourceRecords', 'AliasTarget', 'HealthCheckId'], notEmulated);
  const nameText = fields.requiredText('Name');
  const name = canonicalName(nameText);
  if (name === undefined) throw invalidInput(`ResourceRecordSet.Name is not a domain name: ${nameText}`);
  const type = fields.oneOf('Type', recordTypes);
  if (type === undefined) throw invalidInput('ResourceRecordSet.Type is required');
  const setIdentifier = fields.text('SetIdentifier');
  if (setIdentifier !== undefined && (setIdentifier === '' || setIdentifier.length > 128))
    throw invalidInput('ResourceRecordSet.SetIdentifier must have 1 to 128 characters');
  const routing = readRouting(fields);
  if ((setIdentifier !== undefined) !== (routing.kind !== 'simple'))
    throw invalidInput(
      `${name} ${type}: a SetIdentifier and exactly one of Weight, GeoLocation, Failover, Region, MultiValueAnswer and CidrRoutingConfig belong together`,
    );
  const alias = readAlias(fields.element('AliasTarget'));
  const values = fields.list('ResourceRecords', 'ResourceRecord')?.map((record) => {
    return new Fields(record, ['Value']).requiredText('Value');
  });
  const ttl = fields.integer('TTL', 0, 2_147_483_647);
  if (alias !== undefined && (ttl !== undefined || values !== undefined))
    throw invalidInput(`${name} ${type}: an alias has neither TTL nor ResourceRecords`);
  if (alias === undefined && (ttl === undefined || values === undefined || values.length === 0))
    throw invalidInput(`${name} ${type}: a record that is no alias needs TTL and at least one ResourceRecord`);
  const healthCheckId = fields.text('HealthCheckId');
  return { name, type, setIdentifier, routing, ttl, values: values ?? [], alias, healthCheckId };
}

function readRouting(fields: Fields): Routing {
  const weight = fields.integer('Weight', 0, 255);
  const role = fields.oneOf('Failover', ['PRIMARY', 'SECONDARY'] as const);
  const geo = fields.element('GeoLocation');
  const region = fields.text('Region');
  const found: Routing[] = [];
  if (region !== undefined && !/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/.test(region))
    throw invalidInput(`ResourceRecordSet.Region is unknown to Route 53: ${region}`);
  if (region !== undefined) found.push({ kind: 'latency', region });
  if (fields.boolean('MultiValueAnswer') === true) found.push({ kind: 'multivalue' });
  if (weight !== undefined) found.push({ kind: 'weighted', weight });
  if (role !== undefined) found.push({ kind: 'failover', role });
  if (geo !== undefined) found.push({ kind: 'geolocation', location: readGeoLocation(geo) });
  const cidr = fields.element('CidrRoutingConfig');
  if (cidr !== undefined) found.push(readCidrRouting(cidr));
  if (found.length > 1)
    throw invalidInput(`a record has one routing policy, not ${found.map((routing) => routing.kind).join(' and ')}`);
  return found[0] ?? { kind: 'simple' };
}

function readCidrRouting(element: Element): Routing {
  const fields = new Fields(element, ['CollectionId', 'LocationName']);
  return {
    kind: 'cidr',
    collectionId: fields.requiredText('CollectionId'),
    location: fields.requiredText('LocationName'),
  };
}

function readGeoLocation(element: Element): GeoLocation {
  const fields = new Fields(element, ['ContinentCode', 'CountryCode', 'SubdivisionCode']);
  const continent = fields.oneOf('ContinentCode', continents);
  const country = fields.text('CountryCode');
  const subdivision = fields.text('SubdivisionCode');
  if (continent !== undefined && country === undefined && subdivision === undefined) return { continent };
  if (country === undefined || continent !== undefined)
    throw invalidInput('GeoLocation needs ContinentCode or CountryCode, and not both');
  if (!isKnownCountry(country)) throw invalidInput(`GeoLocation.CountryCode is unknown to Route 53: ${country}`);
  if (subdivision === undefined) return { country };
  if (!isKnownSubdivision(country, subdivision))
    throw invalidInput(`GeoLocation.SubdivisionCode is unknown to Route 53: ${country} ${subdivision}`);
  return { country, subdivision };
}

function readAlias(element: Element | undefined): AliasTarget | undefined {
  if (element === undefined) return undefined;
  const fields = new Fields(element, ['HostedZoneId', 'DNSName', 'EvaluateTargetHealth']);
  const name = canonicalName(fields.requiredText('DNSName'));
  const evaluateTargetHealth = fields.boolean('EvaluateTargetHealth');
  if (name === undefined)
    throw invalidInput(`AliasTarget.DNSName is not a domain name: ${fields.text('DNSName') ?? ''}`);
  if (evaluateTargetHealth === undefined) throw invalidInput('AliasTarget.EvaluateTargetHealth is required');
  return { hostedZoneId: fields.requiredText('HostedZoneId'), name, evaluateTargetHealth };
}

/** The order in which the values of a record are shown: Route 53 promises none. */
export type ValueOrder = (values: readonly string[]) => readonly string[];

/** A record as ListResourceRecordSets shows it. */
export function renderRecordSet(record: RecordSet, inOrder: ValueOrder): XmlNode {
  const { routing, alias } = record;
  return [
    'ResourceRecordSet',
    [
      ['Name', record.name],
      ['Type', record.type],
      ['SetIdentifier', record.setIdentifier],
      ['Weight', routing.kind === 'weighted' ? routing.weight : undefined],
      ['GeoLocation', routing.kind === 'geolocation' ? renderLocation(routing.location) : undefined],
      ['Region', routing.kind === 'latency' ? routing.region : undefined],
      ['Failover', routing.kind === 'failover' ? routing.role : undefined],
      ['MultiValueAnswer', routing.kind === 'multivalue' ? true : undefined],
      [
        'CidrRoutingConfig',
        routing.kind === 'cidr'
          ? [
              ['CollectionId', routing.collectionId],
              ['LocationName', routing.location],
            ]
          : undefined,
      ],
      ['TTL', record.ttl],
      [
        'ResourceRecords',
        alias === undefined
          ? inOrder(record.values).map((value): XmlNode => ['ResourceRecord', [['Value', value]]])
          : undefined,
      ],
      [
        'AliasTarget',
        alias === undefined
          ? undefined
          : [
              ['HostedZoneId', alias.hostedZoneId],
              ['DNSName', alias.name],
              ['EvaluateTargetHealth', alias.evaluateTargetHealth],
            ],
      ],
      ['HealthCheckId', record.healthCheckId],
    ],
  ];
}

function renderLocation(location: GeoLocation): readonly XmlNode[] {
  if ('continent' in location) return [['ContinentCode', location.continent]];
  return [
    ['CountryCode', location.country],
    ['SubdivisionCode', location.subdivision],
  ];
}
