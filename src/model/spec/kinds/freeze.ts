import { z } from 'zod';
import { text } from '../fields.ts';

const time = z.iso.datetime({ offset: true }).max(64);

export const FreezeSpec = z
  .strictObject({
    reason: text(1024).describe('For people: why.'),
    by: text(256).describe('For people: who asked for it.'),
    since: time.describe('RFC 3339 time; when it was asked for. It is in force from when it is read.'),
    until: time
      .optional()
      .describe('RFC 3339 time; the freeze ends by itself then. Absent: it lasts until it is removed.'),
  })
  .describe('Stops everything that writes by itself, until it is removed.');
