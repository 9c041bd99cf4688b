import { expect, it } from 'vitest';
import { fromOutside } from './from-outside.ts';
import type { AgentPart } from './snapshot.ts';

const target = { server: 'w1', plane: 'network', cluster: 'paris', address: '10.1.0.11', port: 9463 } as const;
const silent: AgentPart = { target, problem: 'cannot be reached' };
const answers = { target, ageMs: 1, network: {} } as AgentPart;

it('says where to ask when no agent answers, and nothing as soon as one does', () => {
  expect(fromOutside({ agents: [silent, silent] }, 'tideline drains FOLDER')).toEqual([
    expect.stringMatching(/--metrics-from; .* tideline lab exec -- tideline drains FOLDER$/),
  ]);
  expect(fromOutside({ agents: [silent, answers] }, 'tideline drains FOLDER')).toEqual([]);
  expect(fromOutside({ agents: [] }, 'tideline drains FOLDER')).toEqual([]);
});
