import { z } from 'zod';
import { text } from '../fields.ts';

/** A device file, e.g. `/dev/nvme1n1` or a name below `/dev/disk/by-id`. */
const Device = z
  .string()
  .max(255)
  .regex(/^\/dev\/[A-Za-z0-9][-A-Za-z0-9_.:+]*(\/[A-Za-z0-9][-A-Za-z0-9_.:+]*)*$/, 'a path below /dev');

/** The name of a network interface, as Linux takes it. */
const Interface = z
  .string()
  .regex(
    /^[A-Za-z0-9][-A-Za-z0-9_.]{0,14}$/,
    'a name of a network interface: at most 15 letters, digits, dashes, dots',
  );

const reserved = (what: string) =>
  z
    .strictObject({
      cpuMillis: z.int().min(0).max(1_000_000).default(250).describe('Thousandths of a processor core.'),
      memoryMiB: z.int().min(0).max(16_777_216).default(512).describe('MiB of memory.'),
    })
    .prefault({})
    .describe(what);

export const ServerClassSpec = z
  .strictObject({
    disks: z
      .array(
        z.strictObject({
          device: Device.describe('The device; a name below `/dev/disk/by-id` stays the same after a reboot.'),
          use: z.enum(['etcd', 'containers']).describe('`etcd`: its data; `containers`: images and volumes of pods.'),
        }),
      )
      .max(16)
      .prefault([])
      .describe(
        'Disks beside that of the system, each with a filesystem of its own; absent: all is on that of the system.',
      ),
    maxPods: z.int().min(1).max(500).default(110).describe('Pods that a worker of this class takes.'),
    reserved: reserved('What the kubelet leaves to the system and to its own daemons.'),
    network: z
      .strictObject({
        uplinks: z.array(Interface).min(1).max(4).default(['eth0']).describe('The interfaces towards the routers.'),
        mtu: z.int().min(1280).max(9216).default(1500).describe('Bytes of the largest packet; pods get the same.'),
      })
      .prefault({})
      .describe('How servers of the class are connected.'),
    gpus: z
      .strictObject({
        product: text(63).describe('Its name as `nvidia-smi -L` prints it; a label of the Node has it.'),
        count: z.int().min(1).max(64).describe('How many a server has.'),
        driver: text(63).describe('Version of the driver package to hold.'),
      })
      .optional()
      .describe('NVIDIA GPUs of a server of the class.'),
  })
  .describe('What servers of one make have in common. It is read from files only.');
