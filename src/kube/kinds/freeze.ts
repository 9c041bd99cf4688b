import { ownKind } from '../objects/own.ts';

export const freeze = ownKind('Freeze', 'freezes');
