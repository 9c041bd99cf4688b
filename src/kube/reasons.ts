/**
 * Every named state and refusal of this room. The stale reasons of `source.ts` are among them; the others are about one file,
 * one object or one write.
 */
export const kubeReasons = {
  SourceMissing: 'The manifest folder does not exist (any more).',
  SourceEmpty: 'The folder or the cluster is there but holds no object of a kind we read.',
  SourceUnreadable:
    'A file cannot be read or parsed, or is still being written, or the kube-apiserver sends answers that cannot be read; the last good content stays in force.',
  SourceImplausible:
    'Most objects of a kind are missing, in one step or since the last-good state; they stay in force until they are back, are few, or a person accepts the loss. Everything else goes on.',
  SourceOfOtherCluster:
    'The kube-apiserver is that of another cluster than the objects in force (the uid of its namespace kube-system differs); nothing of it is taken until a person accepts it.',
  SourceUnreachable: 'The kube-apiserver cannot be reached, or has said nothing for too long.',
  SourceUnauthorized:
    'The kube-apiserver does not accept our credentials, or the kubeconfig, token or exec plugin gives none.',
  SourceUntrusted: 'The certificate of the kube-apiserver is not signed by the authority that the kubeconfig names.',
  SourceForbidden: 'The kube-apiserver knows us but a right is missing; the message names it.',
  SourceThrottled: 'The kube-apiserver is overloaded and refuses our requests (429).',
  SourceKindMissing: 'A CustomResourceDefinition that we read is not installed in the cluster.',
  SnapshotMissing: 'There is no last-good state on disk (a first start); the agent waits for the cluster.',
  SnapshotUnreadable: 'The last-good state on disk cannot be read; the agent waits for the cluster.',
  CredentialEndsSoon:
    'Our client certificate or token for the kube-apiserver ends within 30, 7 or 1 days; without a new one the source becomes stale.',
  NotReadable: 'The operating system refuses to read the file or folder.',
  BadYaml: 'The file is neither YAML nor JSON.',
  NotAnObject: 'A document is not a Kubernetes object: it has no apiVersion and kind.',
  NotAFile:
    'What has the name of a manifest is a FIFO, a device or a socket; it is not read, and what it held stays in force.',
  FileTooLarge:
    'The file has more bytes, documents, values, levels or aliases than manifests have; reading it could use up the memory of the agent, or hold up its lease.',
  FolderTooLarge: 'The folder has more files, folders, levels or bytes than manifests have; all of it stays as it was.',
  FileEmpty: 'A file that held objects is empty now: delete the file to delete its objects.',
  StillChanging: 'The file is being written without a pause, or the folder changes whenever it is listed.',
  MissingName: 'The object has no usable metadata.name; it is dropped.',
  WrongType: 'A field of the object has the wrong type; the last good version of the object stays in force.',
  NamespaceFull:
    'The namespace has more objects of the kind than are kept of one namespace (48 MiB in memory); this one is not in force, or its version before stays. Delete objects of the namespace: a minute later all are read again.',
  BadEvent: 'A watch sent something that is not an event; all objects of that kind are listed again.',
  DuplicateObject: 'The object is in two places; the first by file name counts.',
  OwnedByOther:
    'Another field manager owns a field that we would write: it keeps the field, and we try again after minutes.',
  StatusTakenOver:
    'The status had been left over by another field manager, such as the controller of the class that the object had before; it is ours now, because the IngressClass names our controller.',
  StatusContested:
    'Another field manager wrote the status again each of the three times that we took it over, although the IngressClass names our controller: it keeps the field, and we try again after minutes. Let one of the two go: stop that controller from writing, or give the object its class.',
  StatusUndone: 'Somebody removed or replaced a status that we wrote; it is written again, ever more slowly.',
  WriteFailing:
    'Writes to the objects of one namespace fail or are not answered, as with an admission webhook that cannot be called; that namespace waits up to a minute at a time, the others go on.',
  WriteForbidden: 'The kube-apiserver does not let us write a status or an Event; we try again after a minute.',
  WriteRefused: 'The kube-apiserver says that a status or an Event of ours is not valid; we try again after minutes.',
  LeaseNotWritable: 'The Lease cannot be read or written; the leader stops leading before the Lease expires.',
} as const;

export type KubeReason = keyof typeof kubeReasons;
