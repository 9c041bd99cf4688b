#!/bin/sh
# Runs one server: the root filesystem $1 under the writable layer in the folder $2, with a systemd of its own as process 1. $3 is the
# server's name; the others are the folders of its control groups. It must be called in new mount and process namespaces and in
# the server's network namespace. When its caller is killed, the kernel ends everything here.
set -eu
root=$1 disk=$2 name=$3
shift 3
while [ "$1" != -- ]; do
  echo 0 >"$1/cgroup.procs"
  shift
done
shift

mount -n --make-rprivate /
# What systemd-nspawn writes into /run concerns nobody else.
mount -n -t tmpfs tmpfs /run
mkdir -p "$disk/upper" "$disk/work" "$disk/containerd" "$disk/kubelet" /run/server
mount -n -t overlay overlay -o "lowerdir=$root,upperdir=$disk/upper,workdir=$disk/work" /run/server

# containerd and kubelet get folders beside the overlay, because containerd's own overlays cannot lie on one.
exec env SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 systemd-nspawn --directory=/run/server --boot --quiet --register=no --keep-unit \
  --machine="$name" --hostname="$name" --network-namespace-path=/proc/self/ns/net \
  --resolv-conf=off --timezone=off --link-journal=no --console=read-only \
  --capability=all --system-call-filter="add_key keyctl bpf" --bind=/dev/kmsg \
  --bind="$disk/containerd:/var/lib/containerd" --bind="$disk/kubelet:/var/lib/kubelet" "$@"
