import { ownKind } from '../objects/own.ts';

export const trafficOverlay = ownKind('TrafficOverlay', 'trafficoverlays');
