import { ownKind } from '../objects/own.ts';

export const trafficVerdict = ownKind('TrafficVerdict', 'trafficverdicts');
