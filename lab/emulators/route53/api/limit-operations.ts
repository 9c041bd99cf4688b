import { invalidInput } from '../reasons.ts';
import { type ApiResponse, type Operation, pathParameter } from './operation.ts';

/** What the account and its zones may hold, and hold. */
const getAccountLimit: Operation = {
  action: 'GetAccountLimit',
  method: 'GET',
  path: 'accountlimit/:type',
  query: [],
  run({ healthChecks, zones }, request) {
    const type = pathParameter(request, 'type');
    switch (type) {
      case 'MAX_HEALTH_CHECKS_BY_OWNER':
        return limit('GetAccountLimitResponse', type, healthChecks.quota, healthChecks.list().length);
      case 'MAX_HOSTED_ZONES_BY_OWNER':
        return limit('GetAccountLimitResponse', type, zones.zoneQuota, zones.list().length);
      default:
        throw invalidInput(`the limit ${type} is unknown or not emulated`);
    }
  },
};

const getHostedZoneLimit: Operation = {
  action: 'GetHostedZoneLimit',
  method: 'GET',
  path: 'hostedzonelimit/:id/:type',
  query: [],
  run({ zones }, request) {
    const type = pathParameter(request, 'type');
    const zone = zones.require(pathParameter(request, 'id'));
    if (type !== 'MAX_RRSETS_BY_ZONE') throw invalidInput(`the limit ${type} is unknown or not emulated`);
    return limit('GetHostedZoneLimitResponse', type, zones.recordQuota, zone.table.all().length);
  },
};

function limit(root: string, type: string, value: number, count: number): ApiResponse {
  return {
    status: 200,
    root,
    children: [
      [
        'Limit',
        [
          ['Type', type],
          ['Value', value],
        ],
      ],
      ['Count', count],
    ],
  };
}

export const limitOperations: readonly Operation[] = [getAccountLimit, getHostedZoneLimit];
