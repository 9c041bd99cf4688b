import { ownKind } from '../objects/own.ts';

export const trafficPolicy = ownKind('TrafficPolicy', 'trafficpolicies');
