import { ownKind } from '../objects/own.ts';

export const site = ownKind('Site', 'sites');
