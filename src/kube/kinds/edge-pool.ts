import { ownKind } from '../objects/own.ts';

export const edgePool = ownKind('EdgePool', 'edgepools');
