#!/bin/sh
# Process 1 of new mount, network and process namespaces (unshare --propagation unchanged --mount-proc): makes the mounts
# private, gives it an empty /run, and runs a command. It waits for it, and so reaps every orphan. Called by its whole path.
#   sh box.sh COMMAND...      Exit status: the command's; 125 when the mounts cannot be made.
# With -n mount writes no lock file; without it a lock would stay in the outer /run.
if ! mount -n --make-rprivate / 2>/dev/null; then
  # In a chroot / is no mount point, and ip(8) needs one: the same tree, bound to a place under the /proc that is ours alone.
  { mount -n -t tmpfs tmpfs /proc && mkdir /proc/root && mount -n --rbind / /proc/root; } || exit 125
  # shellcheck disable=SC2016 # for the shell inside
  exec chroot /proc/root sh -c 'mount -n -t proc proc /proc && cd "$1" && shift && exec sh "$@"' sh "$PWD" "$0" "$@"
fi
{ mount -n -t tmpfs tmpfs /run && mkdir -p /run/netns /run/lock && ip link set lo up; } || exit 125
"$@"
exit $?
