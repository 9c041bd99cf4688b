import { askBird } from '../daemons/bird.ts';
import type { Router } from '../world/routers.ts';
import type { ViewPort } from './port.ts';

export interface Session {
  readonly neighbor: string;
  readonly established: boolean;
}

export interface RouterView {
  readonly name: string;
  /** False when its BIRD does not answer. */
  readonly answers: boolean;
  readonly sessions: readonly Session[];
}

/** Asks the BIRD of every router for its sessions. */
export function routerViews(lab: Pick<ViewPort, 'routers' | 'birdSocket'>): Promise<readonly RouterView[]> {
  return Promise.all(lab.routers.map((router) => routerView(lab, router)));
}

async function routerView(lab: Pick<ViewPort, 'birdSocket'>, router: Router): Promise<RouterView> {
  try {
    const lines = await askBird(lab.birdSocket(router.name), 'show protocols');
    const sessions = router.neighbors.map(({ protocol, name }) => ({
      neighbor: name,
      established: lines.some((line) => line.startsWith(`${protocol} `) && line.includes('Established')),
    }));
    return { name: router.name, answers: true, sessions };
  } catch {
    const sessions = router.neighbors.map(({ name }) => ({ neighbor: name, established: false }));
    return { name: router.name, answers: false, sessions };
  }
}
