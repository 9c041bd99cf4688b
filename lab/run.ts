import { waitForShutdown } from '../src/runtime/shutdown.ts';
import { lifelineClosed } from './box.ts';
import { controlSocket } from './control/client.ts';
import { serveControl } from './control/server.ts';
import { FaultBoard } from './faults/board.ts';
import { Lab, type LabOptions } from './lab.ts';
import { labStatus } from './observe/status.ts';
import type { Occupant } from './state.ts';

/** The exit code of a command whose play was ended before it was over. */
export const interrupted = 130;

/** Uses a running lab, as the demo does. */
export interface Play {
  readonly occupant: Occupant;
  /** Begins when the lab serves; resolves with the exit code of the command, or with nothing where the lab goes on until it is ended. */
  readonly begin: (lab: Lab, board: FaultBoard) => Promise<number | undefined>;
}

/**
 * Called inside the box: runs a lab with its control socket until `play` is over, or until a signal, `lab down` or the end of its
 * lifeline ends it (exit code 0, of a demo `interrupted`). Resolves with the exit code. The box ends with this process.
 */
export async function runLab(options: LabOptions, { occupant, begin }: Play): Promise<number> {
  const lab = new Lab(options);
  const board = new FaultBoard(lab);
  const { promise: down, resolve: goDown } = Promise.withResolvers<'down'>();
  const control = await serveControl(controlSocket(options.stateFolder), {
    occupant,
    stateFolder: options.stateFolder,
    status: (wanted) => labStatus(lab, board.active, wanted),
    fault: (name, target) => board.begin(name, target),
    heal: (name) => board.heal(name),
    down: () => goDown('down'),
  });
  const ended = Promise.race([down, lifelineClosed(), waitForShutdown()]).then(() =>
    occupant === 'lab' ? 0 : interrupted,
  );
  try {
    const played = lab.start().then(async () => (await begin(lab, board)) ?? ended);
    return await Promise.race([played, ended]);
  } finally {
    await Promise.all([control.stop(), lab.stop()]);
  }
}
