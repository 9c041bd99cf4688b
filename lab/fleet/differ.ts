import { readFileSync } from 'node:fs';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { asInTheLab } from './differences.ts';

/** A program for the pillar of the lab: reads a document on its standard input, and prints it as a server of the lab can have it. */
const document = JSON.parse(readFileSync(0, 'utf8')) as ServerDocument;
process.stdout.write(JSON.stringify(asInTheLab(document)));
