import type { DemoPort, Faults } from './port.ts';

/** An action that a person starts by a key, while the scenario runs or after it. */
interface Key {
  readonly key: string;
  readonly label: string;
  readonly press: (lab: DemoPort, board: Faults) => Promise<string>;
}

function fault(key: string, label: string, name: string, target: string): Key {
  return {
    key,
    label,
    async press(_lab, board) {
      await board.begin(name, target);
      return `${name} ${target}`;
    },
  };
}

export const faultKeys: readonly Key[] = [
  fault('1', 'drain a blade', 'blade-drained', 'paris-blade-1'),
  fault('2', 'kill a blade', 'blade-killed', 'newyork-blade-1'),
  fault('3', 'cut an uplink', 'uplink-cut', 'paris-tor/transit-europe'),
  fault('4', 'lose paris', 'cluster-lost', 'paris'),
  fault('5', 'lose a cloud region', 'cloud-region-lost', 'cloud-asia'),
  {
    key: '6',
    label: 'lose input',
    async press(lab, board) {
      const mode = lab.clusters.get('paris')?.inputLosses[0]?.mode ?? '';
      const { name, target } = await board.begin('input-lost', `paris/${mode}`);
      return `${name} ${target}`;
    },
  },
  fault('7', 'kill all agents', 'agents-killed', 'all'),
  fault('8', 'kill nginx', 'nginx-killed', 'paris-blade-1'),
  fault('9', 'kill ExaBGP', 'exabgp-killed', 'all'),
  {
    key: 'a',
    label: 'add pods',
    async press(lab) {
      const cluster = lab.clusters.get('paris');
      if (cluster === undefined) return 'there is no paris';
      const pods = await cluster.scaleUp(2);
      return `added ${pods.map(({ name, address }) => `${name} ${address}`).join(', ')}`;
    },
  },
  fault('c', 'a crowd in Asia', 'flash-crowd', 'users-asia'),
  {
    key: 'h',
    label: 'heal all',
    async press(_lab, board) {
      const healed = await board.heal();
      return healed.length === 0 ? 'nothing to heal' : `healed ${healed.map(({ name }) => name).join(', ')}`;
    },
  },
];

export const skipKey = 's';
export const quitKeys: ReadonlySet<string> = new Set(['q', '\u0003', '\u0004']);
