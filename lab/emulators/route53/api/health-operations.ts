import { invalidInput } from '../reasons.ts';
import { readCreateHealthCheck, readUpdateHealthCheck, renderHealthCheck } from './health-xml.ts';
import { bodyOf, type Operation, page, pathParameter } from './operation.ts';
import type { XmlNode } from './xml.ts';

const createHealthCheck: Operation = {
  action: 'CreateHealthCheck',
  method: 'POST',
  path: 'healthcheck',
  query: [],
  run({ healthChecks, healthRules, log }, request) {
    const { callerReference, settings } = readCreateHealthCheck(bodyOf(request), healthRules);
    const check = healthChecks.create(callerReference, settings);
    log.info({ healthCheck: check.id, type: settings.type, address: settings.address }, 'health check created');
    return {
      status: 201,
      root: 'CreateHealthCheckResponse',
      location: `/2013-04-01/healthcheck/${check.id}`,
      children: [renderHealthCheck(check)],
    };
  },
};

const updateHealthCheck: Operation = {
  action: 'UpdateHealthCheck',
  method: 'POST',
  path: 'healthcheck/:id',
  query: [],
  run({ healthChecks, healthRules }, request) {
    const { version, change } = readUpdateHealthCheck(bodyOf(request), healthRules);
    const check = healthChecks.update(pathParameter(request, 'id'), version, change);
    return { status: 200, root: 'UpdateHealthCheckResponse', children: [renderHealthCheck(check)] };
  },
};

const deleteHealthCheck: Operation = {
  action: 'DeleteHealthCheck',
  method: 'DELETE',
  path: 'healthcheck/:id',
  query: [],
  run({ healthChecks, zones, tags, log }, request) {
    const id = pathParameter(request, 'id');
    healthChecks.delete(id);
    tags.delete(`healthcheck/${id}`);
    const users = zones.list().flatMap((zone) => zone.table.all().filter((record) => record.healthCheckId === id));
    if (users.length > 0)
      log.warn({ healthCheck: id, records: users.length }, 'a health check that records use was deleted');
    return { status: 200, root: 'DeleteHealthCheckResponse', children: [] };
  },
};

const getHealthCheck: Operation = {
  action: 'GetHealthCheck',
  method: 'GET',
  path: 'healthcheck/:id',
  query: [],
  run({ healthChecks }, request) {
    const check = healthChecks.require(pathParameter(request, 'id'));
    return { status: 200, root: 'GetHealthCheckResponse', children: [renderHealthCheck(check)] };
  },
};

const listHealthChecks: Operation = {
  action: 'ListHealthChecks',
  method: 'GET',
  path: 'healthcheck',
  query: ['marker', 'maxitems'],
  run({ healthChecks }, request) {
    const { items, tail } = page(healthChecks.list(), request);
    const children: readonly XmlNode[] = [['HealthChecks', items.map(renderHealthCheck)], ...tail];
    return { status: 200, root: 'ListHealthChecksResponse', children };
  },
};

const getHealthCheckStatus: Operation = {
  action: 'GetHealthCheckStatus',
  method: 'GET',
  path: 'healthcheck/:id/status',
  query: [],
  run({ healthChecks, checkers }, request) {
    const check = healthChecks.require(pathParameter(request, 'id'));
    if (check.settings.type === 'CALCULATED') throw invalidInput('a CALCULATED check has no checkers to report');
    const observations = checkers.observations(check.id).flatMap((one): readonly XmlNode[] => {
      // A checker that has not probed yet does not report: a new check has no observations at first.
      if (one.detail === undefined || one.at === undefined) return [];
      const report: readonly XmlNode[] = [
        ['Status', one.detail],
        ['CheckedTime', new Date(one.at).toISOString()],
      ];
      const observation: XmlNode = [
        'HealthCheckObservation',
        [
          ['Region', `emulated-${one.checker}`],
          ['IPAddress', '127.0.0.1'],
          ['StatusReport', report],
        ],
      ];
      return [observation];
    });
    return { status: 200, root: 'GetHealthCheckStatusResponse', children: [['HealthCheckObservations', observations]] };
  },
};

export const healthOperations: readonly Operation[] = [
  createHealthCheck,
  updateHealthCheck,
  deleteHealthCheck,
  getHealthCheck,
  listHealthChecks,
  getHealthCheckStatus,
];
