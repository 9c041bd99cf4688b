import { installOctodns } from '../support/steering/octodns-sync.ts';

/** What the tests of this folder need from the network, which they do not have themselves: `make fleet` runs it first. */
await installOctodns();
