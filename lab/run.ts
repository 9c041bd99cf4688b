import { waitForShutdown } from '../src/runtime/shutdown.ts';
import { lifelineClosed } from './box.ts';
import { controlSocket } from './control/client.ts';
import { serveControl } from './control/server.ts';
import { FaultBoard } from './faults/board.ts';
import { Lab, type LabOptions } from './lab.ts';
import { labStatus } from './observe/status.ts';

/** Uses a running lab, as the demo does; resolves with the exit code of the command. */
export type Play = (lab: Lab, board: FaultBoard) => Promise<number>;

/**
 * Called inside the box: runs a lab with its control socket until `play` is over, or until a signal, `lab down` or the end of its
 * lifeline ends it. Without a `play` it runs until then. Resolves with the exit code. The box ends with this process.
 */
export async function runLab(options: LabOptions, play?: Play): Promise<number> {
  const lab = new Lab(options);
  const board = new FaultBoard(lab);
  const { promise: down, resolve: goDown } = Promise.withResolvers<'down'>();
  const control = await serveControl(controlSocket(options.stateFolder), {
    status: (wanted) => labStatus(lab, board.active, wanted),
    fault: (name, target) => board.begin(name, target),
    heal: (name) => board.heal(name),
    down: () => goDown('down'),
  });
  const ended = Promise.race([down, lifelineClosed(), waitForShutdown()]).then(() => 0);
  try {
    const played = lab.start().then(() => play?.(lab, board) ?? ended);
    return await Promise.race([played, ended]);
  } finally {
    await Promise.all([control.stop(), lab.stop()]);
  }
}
