import { compareText } from '../../../../src/model/values.ts';
import { ApiError, invalidInput } from '../reasons.ts';
import { applyBatch } from '../zone/batch.ts';
import { canonicalName, compareNames } from '../zone/names.ts';
import { compareRecords, type RecordSet, recordTypes } from '../zone/record.ts';
import { type ChangeInfo, type HostedZone, nameServers } from '../zone/zones.ts';
import { Fields } from './fields.ts';
import { type ApiRequest, bodyOf, maxItems, type Operation, page, pathParameter } from './operation.ts';
import { readChangeBatch, renderRecordSet } from './records-xml.ts';
import type { Element, XmlNode } from './xml.ts';

function renderZone(zone: HostedZone): XmlNode {
  return [
    'HostedZone',
    [
      ['Id', `/hostedzone/${zone.id}`],
      ['Name', zone.name],
      ['CallerReference', zone.callerReference],
      [
        'Config',
        [
          ['Comment', zone.comment],
          ['PrivateZone', false],
        ],
      ],
      ['ResourceRecordSetCount', zone.table.all().length],
    ],
  ];
}

function renderChange(change: ChangeInfo): XmlNode {
  return [
    'ChangeInfo',
    [
      ['Id', `/change/${change.id}`],
      ['Status', change.status],
      ['SubmittedAt', new Date(change.submittedAt).toISOString()],
      ['Comment', change.comment],
    ],
  ];
}

const delegationSet: XmlNode = [
  'DelegationSet',
  [['NameServers', nameServers.map((name): XmlNode => ['NameServer', name.slice(0, -1)])]],
];

const createHostedZone: Operation = {
  action: 'CreateHostedZone',
  method: 'POST',
  path: 'hostedzone',
  query: [],
  run({ zones }, request) {
    const root = bodyOf(request);
    if (root.name !== 'CreateHostedZoneRequest') throw invalidInput(`unexpected root element ${root.name}`);
    const fields = new Fields(root, ['Name', 'CallerReference', 'HostedZoneConfig'], ['VPC', 'DelegationSetId']);
    const text = fields.requiredText('Name');
    const name = canonicalName(text);
    if (name === undefined || name.includes('\\'))
      throw new ApiError('InvalidDomainName', `The domain name is invalid: ${text}`);
    const config = fields.element('HostedZoneConfig');
    const settings = config === undefined ? undefined : new Fields(config, ['Comment', 'PrivateZone']);
    if (settings?.boolean('PrivateZone') === true) throw invalidInput('HostedZoneConfig.PrivateZone is not emulated');
    const { zone, change } = zones.create(name, fields.requiredText('CallerReference'), settings?.text('Comment'));
    return {
      status: 201,
      root: 'CreateHostedZoneResponse',
      location: `/2013-04-01/hostedzone/${zone.id}`,
      children: [renderZone(zone), renderChange(change), delegationSet],
    };
  },
};

const listHostedZones: Operation = {
  action: 'ListHostedZones',
  method: 'GET',
  path: 'hostedzone',
  query: ['marker', 'maxitems'],
  run({ zones }, request) {
    const { items, tail } = page(zones.list(), request);
    return {
      status: 200,
      root: 'ListHostedZonesResponse',
      children: [['HostedZones', items.map(renderZone)], ...tail],
    };
  },
};

const listHostedZonesByName: Operation = {
  action: 'ListHostedZonesByName',
  method: 'GET',
  path: 'hostedzonesbyname',
  query: ['dnsname', 'hostedzoneid', 'maxitems'],
  run({ zones }, request) {
    const dnsName = request.query.get('dnsname') ?? undefined;
    const zoneId = request.query.get('hostedzoneid') ?? undefined;
    if (zoneId !== undefined && dnsName === undefined) throw invalidInput('hostedzoneid needs dnsname beside it');
    const start = dnsName === undefined ? undefined : canonicalName(dnsName);
    if (dnsName !== undefined && start === undefined) throw invalidInput(`dnsname is not a domain name: ${dnsName}`);
    const most = maxItems(request, 100);
    const from = zones
      .list()
      .toSorted((a, b) => compareNames(a.name, b.name) || compareText(a.id, b.id))
      .filter((zone) => {
        const order = start === undefined ? 1 : compareNames(zone.name, start);
        return order > 0 || (order === 0 && (zoneId === undefined || zone.id >= zoneId));
      });
    const next = from[most];
    return {
      status: 200,
      root: 'ListHostedZonesByNameResponse',
      children: [
        ['HostedZones', from.slice(0, most).map(renderZone)],
        ['DNSName', dnsName],
        ['HostedZoneId', zoneId],
        ['IsTruncated', next !== undefined],
        ['NextDNSName', next?.name],
        ['NextHostedZoneId', next?.id],
        ['MaxItems', most],
      ],
    };
  },
};

const getHostedZone: Operation = {
  action: 'GetHostedZone',
  method: 'GET',
  path: 'hostedzone/:id',
  query: [],
  run({ zones }, request) {
    const zone = zones.require(pathParameter(request, 'id'));
    return { status: 200, root: 'GetHostedZoneResponse', children: [renderZone(zone), delegationSet] };
  },
};

function commentOf(root: Element): string | undefined {
  const batch = root.children.find((child) => child.name === 'ChangeBatch');
  return batch?.children.find((child) => child.name === 'Comment')?.text;
}

const changeResourceRecordSets: Operation = {
  action: 'ChangeResourceRecordSets',
  method: 'POST',
  path: 'hostedzone/:id/rrset',
  query: [],
  run({ zones, healthChecks, cidrCollections, log }, request) {
    const zone = zones.require(pathParameter(request, 'id'));
    zones.requireIdle(zone.id);
    const root = bodyOf(request);
    const changes = readChangeBatch(root);
    const result = applyBatch(zone.table, changes, {
      zone: zone.name,
      zoneId: zone.id,
      healthCheckExists: (id) => healthChecks.exists(id),
      cidrLocationExists: (id, location) => cidrCollections.hasLocation(id, location),
      recordQuota: zones.recordQuota,
      danglingAliases: zones.danglingAliases,
    });
    if (!result.ok) throw new ApiError('InvalidChangeBatch', result.messages);
    const change = zones.commit(zone.id, result.table, commentOf(root));
    log.info({ zone: zone.name, change: change.id, changes: changes.length }, 'change accepted');
    return { status: 200, root: 'ChangeResourceRecordSetsResponse', children: [renderChange(change)] };
  },
};

const listResourceRecordSets: Operation = {
  action: 'ListResourceRecordSets',
  method: 'GET',
  path: 'hostedzone/:id/rrset',
  query: ['name', 'type', 'identifier', 'maxitems'],
  run({ zones, valueOrder }, request) {
    const zone = zones.require(pathParameter(request, 'id'));
    const most = maxItems(request, 300);
    const from = recordsFrom(zone, request);
    const next = from[most];
    return {
      status: 200,
      root: 'ListResourceRecordSetsResponse',
      children: [
        ['ResourceRecordSets', from.slice(0, most).map((record) => renderRecordSet(record, valueOrder))],
        ['IsTruncated', next !== undefined],
        ['MaxItems', most],
        ['NextRecordName', next?.name],
        ['NextRecordType', next?.type],
        ['NextRecordIdentifier', next?.setIdentifier],
      ],
    };
  },
};

/** The records at or after the cursor: name, then type, then identifier; each needs the one before it. */
function recordsFrom(zone: HostedZone, request: ApiRequest): readonly RecordSet[] {
  const nameText = request.query.get('name');
  const typeText = request.query.get('type');
  const identifier = request.query.get('identifier');
  if (typeText !== null && nameText === null) throw invalidInput('type needs name beside it');
  if (identifier !== null && typeText === null) throw invalidInput('identifier needs name and type beside it');
  if (nameText === null) return zone.table.all();
  const name = canonicalName(nameText);
  if (name === undefined) throw invalidInput(`name is not a domain name: ${nameText}`);
  if (typeText === null) return zone.table.all().filter((record) => compareNames(record.name, name) >= 0);
  const type = recordTypes.find((known) => known === typeText);
  if (type === undefined) throw invalidInput(`type is unknown or not emulated: ${typeText}`);
  const cursor = { name, type, setIdentifier: identifier ?? undefined };
  return zone.table.all().filter((record) => compareRecords(record, cursor) >= 0);
}

const getChange: Operation = {
  action: 'GetChange',
  method: 'GET',
  path: 'change/:id',
  query: [],
  run({ zones }, request) {
    const change = zones.requireChange(pathParameter(request, 'id'));
    return { status: 200, root: 'GetChangeResponse', children: [renderChange(change)] };
  },
};

export const zoneOperations: readonly Operation[] = [
  createHostedZone,
  listHostedZones,
  listHostedZonesByName,
  getHostedZone,
  changeResourceRecordSets,
  listResourceRecordSets,
  getChange,
];
