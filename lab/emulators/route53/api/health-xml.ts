import { overlaps, parseAddress, parsePrefix } from '../../../../src/model/address.ts';
import { type HealthCheck, type HealthCheckSettings, probeTypes } from '../health/check.ts';
import { invalidInput } from '../reasons.ts';
import { Fields } from './fields.ts';
import type { Element, XmlNode } from './xml.ts';

const types = [...probeTypes, 'CALCULATED'] as const;
const regions = [
  'us-east-1',
  'us-west-1',
  'us-west-2',
  'eu-west-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
  'sa-east-1',
] as const;

/** The fields that an update may change. */
const changeable = [
  'IPAddress',
  'Port',
  'ResourcePath',
  'FullyQualifiedDomainName',
  'SearchString',
  'FailureThreshold',
  'Inverted',
  'Disabled',
  'HealthThreshold',
  'ChildHealthChecks',
  'EnableSNI',
  'Regions',
];
const notEmulated = ['AlarmIdentifier', 'InsufficientDataHealthStatus', 'RoutingControlArn'];

export interface HealthRules {
  /** Takes private and reserved endpoints, which Route 53 refuses; tests and labs on loopback need them. */
  readonly allowPrivateEndpoints: boolean;
}

/** Reads a CreateHealthCheckRequest. */
export function readCreateHealthCheck(
  root: Element,
  rules: HealthRules,
): { readonly callerReference: string; readonly settings: HealthCheckSettings } {
  if (root.name !== 'CreateHealthCheckRequest') throw invalidInput(`unexpected root element ${root.name}`);
  const request = new Fields(root, ['CallerReference', 'HealthCheckConfig']);
  const callerReference = request.requiredText('CallerReference');
  if (callerReference.length > 64) throw invalidInput('CallerReference is longer than 64 characters');
  const config = request.required('HealthCheckConfig');
  const fields = new Fields(config, ['Type', 'RequestInterval', 'MeasureLatency', ...changeable], notEmulated);
  if (fields.boolean('MeasureLatency') === true) throw invalidInput('HealthCheckConfig.MeasureLatency is not emulated');
  const type = fields.oneOf('Type', types);
  if (type === undefined) throw invalidInput('HealthCheckConfig.Type is required, one of the emulated types');
  const interval = fields.integer('RequestInterval', 10, 30) ?? 30;
  if (interval !== 10 && interval !== 30) throw invalidInput('HealthCheckConfig.RequestInterval must be 10 or 30');
  const tls = type === 'HTTPS' || type === 'HTTPS_STR_MATCH';
  const defaults: HealthCheckSettings = {
    type,
    address: undefined,
    port: type === 'CALCULATED' || type === 'TCP' ? undefined : tls ? 443 : 80,
    path: undefined,
    hostName: undefined,
    searchString: undefined,
    intervalSeconds: interval,
    failureThreshold: 3,
    inverted: false,
    disabled: false,
    enableSni: tls,
    regions: [],
    healthThreshold: undefined,
    children: [],
  };
  return { callerReference, settings: checked(merged(defaults, fields), rules) };
}

/** Reads an UpdateHealthCheckRequest: the version that it expects, and the change that it makes. */
export function readUpdateHealthCheck(
  root: Element,
  rules: HealthRules,
): { readonly version: number | undefined; readonly change: (current: HealthCheck) => HealthCheckSettings } {
  if (root.name !== 'UpdateHealthCheckRequest') throw invalidInput(`unexpected root element ${root.name}`);
  const fields = new Fields(root, ['HealthCheckVersion', ...changeable], [...notEmulated, 'ResetElements']);
  const version = fields.integer('HealthCheckVersion', 1, Number.MAX_SAFE_INTEGER);
  return { version, change: (current) => checked(merged(current.settings, fields), rules) };
}

function merged(base: HealthCheckSettings, fields: Fields): HealthCheckSettings {
  return {
    type: base.type,
    intervalSeconds: base.intervalSeconds,
    address: fields.text('IPAddress') ?? base.address,
    port: fields.integer('Port', 1, 65_535) ?? base.port,
    path: fields.text('ResourcePath') ?? base.path,
    hostName: fields.text('FullyQualifiedDomainName') ?? base.hostName,
    searchString: fields.text('SearchString') ?? base.searchString,
    failureThreshold: fields.integer('FailureThreshold', 1, 10) ?? base.failureThreshold,
    inverted: fields.boolean('Inverted') ?? base.inverted,
    disabled: fields.boolean('Disabled') ?? base.disabled,
    enableSni: fields.boolean('EnableSNI') ?? base.enableSni,
    regions: fields.texts('Regions', 'Region') ?? base.regions,
    healthThreshold: fields.integer('HealthThreshold', 0, 256) ?? base.healthThreshold,
    children: fields.texts('ChildHealthChecks', 'ChildHealthCheck') ?? base.children,
  };
}

function checked(settings: HealthCheckSettings, rules: HealthRules): HealthCheckSettings {
  if (settings.regions.length > 0 && settings.regions.length < 3)
    throw invalidInput('Regions must have at least three regions when it is given');
  for (const region of settings.regions) {
    if (!regions.some((known) => known === region)) throw invalidInput(`Regions: unknown region ${region}`);
  }
  if (settings.type === 'CALCULATED') return checkedCalculated(settings);
  if (settings.children.length > 0 || settings.healthThreshold !== undefined)
    throw invalidInput('ChildHealthChecks and HealthThreshold belong to type CALCULATED');
  checkSearchString(settings);
  checkRequest(settings);
  return { ...settings, address: checkedAddress(settings.address, rules), path: withSlash(settings.path) };
}

function checkSearchString({ type, searchString = '' }: HealthCheckSettings): void {
  const match = type === 'HTTP_STR_MATCH' || type === 'HTTPS_STR_MATCH';
  if (match !== (searchString !== ''))
    throw invalidInput('SearchString is required by the *_STR_MATCH types and belongs to them only');
  if (searchString.length > 255) throw invalidInput('SearchString is longer than 255 characters');
}

function checkRequest({ type, port, path, hostName = '' }: HealthCheckSettings): void {
  if (type === 'TCP' && port === undefined) throw invalidInput('Port is required for type TCP');
  if (type === 'TCP' && path !== undefined) throw invalidInput('a TCP check has no ResourcePath');
  if (path !== undefined && !/^[\x21-\x7e]{0,255}$/.test(path))
    throw invalidInput('ResourcePath must have at most 255 visible ASCII characters');
  if (!/^[a-z0-9._-]{0,255}$/i.test(hostName)) throw invalidInput('FullyQualifiedDomainName is not a domain name');
}

function checkedCalculated(settings: HealthCheckSettings): HealthCheckSettings {
  const { address, path, hostName, searchString, port } = settings;
  if ([address, path, hostName, searchString, port].some((field) => field !== undefined))
    throw invalidInput('a CALCULATED check has no endpoint (IPAddress, Port, ResourcePath, ...)');
  if (settings.children.length > 255) throw invalidInput('ChildHealthChecks has more than 255 entries');
  if (settings.healthThreshold === undefined) throw invalidInput('HealthThreshold is required for type CALCULATED');
  return settings;
}

function withSlash(path: string | undefined): string | undefined {
  return path === undefined || path.startsWith('/') ? path : `/${path}`;
}

/** The ranges that Route 53 calls local, private, non-routable or multicast (RFC 1918, 6598, 5735, 4193, ...). */
const nonPublic = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
].flatMap((text) => parsePrefix(text) ?? []);

function checkedAddress(text: string | undefined, rules: HealthRules): string {
  if (text === undefined) throw invalidInput('IPAddress is required: checks by name alone are not emulated');
  const address = parseAddress(text);
  const prefix = address === undefined ? undefined : parsePrefix(address.text);
  if (address === undefined || prefix === undefined) throw invalidInput(`IPAddress is not an address: ${text}`);
  if (!rules.allowPrivateEndpoints && nonPublic.some((block) => overlaps(block, prefix)))
    throw invalidInput(`IPAddress is in a private, local or multicast range, which cannot be checked: ${text}`);
  return address.text;
}

/** A check as the API shows it. */
export function renderHealthCheck(check: HealthCheck): XmlNode {
  const { settings } = check;
  const calculated = settings.type === 'CALCULATED';
  const list = (item: string, values: readonly string[]) => values.map((value): XmlNode => [item, value]);
  return [
    'HealthCheck',
    [
      ['Id', check.id],
      ['CallerReference', check.callerReference],
      [
        'HealthCheckConfig',
        [
          ['IPAddress', settings.address],
          ['Port', settings.port],
          ['Type', settings.type],
          ['ResourcePath', settings.path],
          ['FullyQualifiedDomainName', settings.hostName],
          ['SearchString', settings.searchString],
          ['RequestInterval', calculated ? undefined : settings.intervalSeconds],
          ['FailureThreshold', calculated ? undefined : settings.failureThreshold],
          ['MeasureLatency', calculated ? undefined : false],
          ['Inverted', settings.inverted],
          ['Disabled', settings.disabled],
          ['HealthThreshold', settings.healthThreshold],
          ['ChildHealthChecks', calculated ? list('ChildHealthCheck', settings.children) : undefined],
          ['EnableSNI', calculated ? undefined : settings.enableSni],
          ['Regions', settings.regions.length > 0 ? list('Region', settings.regions) : undefined],
        ],
      ],
      ['HealthCheckVersion', check.version],
    ],
  ];
}
