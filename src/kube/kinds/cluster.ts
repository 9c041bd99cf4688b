import { ownKind } from '../objects/own.ts';

export const cluster = ownKind('Cluster', 'clusters');
