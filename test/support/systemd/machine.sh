#!/bin/sh
# Runs a throw-away server: this machine's own files under a writable layer in memory, with a systemd of its own as process 1.
# It must be called in new mount, process, UTS and IPC namespaces; the network is the caller's. $1 is the repository, mounted
# read-only on /opt/tideline; $2 a folder that machine and test share, mounted on /mnt; $3 its control group, below the root.
set -eu
mount -n --make-rprivate /
mkdir -p /run/machine
mount -n -t tmpfs tmpfs /run/machine
cd /run/machine
mkdir up work root cgroup

# Process 1 and all its services are in a control group of their own, which the machine sees as the root.
mount -n -t cgroup2 cgroup2 cgroup
mkdir -p "cgroup/$3"
echo 0 >"cgroup/$3/cgroup.procs"

mount -n -t overlay overlay -o "lowerdir=/,upperdir=$PWD/up,workdir=$PWD/work" root
root=$PWD/root
mount -n -t proc proc "$root/proc"
mount -n -t sysfs -o ro sysfs "$root/sys"
for place in run tmp dev; do mount -n -t tmpfs -o mode=0755 tmpfs "$root/$place"; done
chmod 1777 "$root/tmp"
mkdir -p "$root/opt/tideline" "$root/dev/pts" "$root/dev/shm"
mount -n --bind "$1" "$root/opt/tideline"
mount -n -o remount,bind,ro "$root/opt/tideline"
mount -n --bind "$2" "$root/mnt"
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 0666 "$root/dev/${node%:*}" c 1 "${node#*:}"; done
mknod -m 0666 "$root/dev/tty" c 5 0
mknod -m 0666 "$root/dev/ptmx" c 5 2
ln -s /proc/self/fd "$root/dev/fd"
mount -n -t tmpfs tmpfs "$root/sys/fs/cgroup"

# Of this machine's own units only the journal starts; sysctl and modules would reach beyond the namespaces.
units=$root/etc/systemd/system
rm -rf "$units" "$root"/etc/tideline "$root"/var/lib/tideline "$root"/var/cache/tideline
mkdir -p "$units"
for wanted in "$root"/lib/systemd/system/*.target.wants/*; do
  case ${wanted##*/} in systemd-journal*.*) ;; *) ln -sf /dev/null "$units/${wanted##*/}" ;; esac
done
printf '[Unit]\nDescription=The machine is up\nRequires=basic.target\nAfter=basic.target\n' >"$units/machine.target"
ln -sf /dev/null "$units/systemd-remount-fs.service"
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nReadKMsg=no\n' >"$root/etc/systemd/journald.conf.d/machine.conf"

# The control group namespace is made here, once this process is in its group.
# shellcheck disable=SC2016 # for the shell inside
exec unshare --cgroup sh -c '
  cd "$1"
  mount -n -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || { umount -n sys/fs/cgroup; mount -n -t cgroup2 cgroup2 sys/fs/cgroup; }
  mkdir -p .outer
  pivot_root . .outer
  umount -n -l /.outer
  # systemd expects that the maker of its container shares the mounts; by them credentials reach a service.
  mount -n --make-rshared /
  exec env -i container=tideline PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=machine.target --show-status=no
' machine "$root"
