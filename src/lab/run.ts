import { waitForShutdown } from '../runtime/shutdown.ts';
import { lifelineClosed } from './box.ts';
import { controlSocket } from './control/client.ts';
import { serveControl } from './control/server.ts';
import { FaultBoard } from './faults/board.ts';
import { Lab, type LabOptions } from './lab.ts';
import { labStatus } from './observe/status.ts';

/**
 * Inside the box: runs a lab with its control socket until it is told to end, by a signal, by `lab down` or by the end
 * of its lifeline. The box ends with it.
 */
export async function runLab(options: LabOptions): Promise<void> {
  const lab = new Lab(options);
  const board = new FaultBoard(lab);
  const { promise: down, resolve: goDown } = Promise.withResolvers<'down'>();
  const control = await serveControl(controlSocket(options.stateFolder), {
    status: (wanted) => labStatus(lab, board.active, wanted),
    fault: (name, target) => board.begin(name, target),
    heal: (name) => board.heal(name),
    down: () => goDown('down'),
  });
  const ended = Promise.race([down, lifelineClosed(), waitForShutdown()]);
  try {
    await Promise.race([lab.start(), ended]);
    await ended;
  } finally {
    await Promise.all([control.stop(), lab.stop()]);
  }
}
