import { ownKind } from '../objects/own.ts';

export const drain = ownKind('Drain', 'drains');
