#!/bin/sh
# Runs a command on a copy of this machine: its own files under a writable layer that stays in $1, so that the next call sees what the
# last one did. In new mount namespaces only. $1 holds up/ and work/ on a tmpfs; $1/shared is /mnt of the copy, where systemctl, a
# stand-in, writes what it was told into units.log. $2 is the repository, read-only on /opt/tideline; $3 the folder of Salt.
#   unshare --mount sh scratch.sh FOLDER REPOSITORY SALT COMMAND...
set -eu
folder=$1 repository=$2 salt=$3
shift 3
mount -n --make-rprivate /
cd "$folder"
mkdir -p up work root shared/units
mount -n -t overlay overlay -o "lowerdir=/,upperdir=$folder/up,workdir=$folder/work" root
for place in proc dev sys; do mount -n --rbind "/$place" "root/$place"; done
mount -n -t tmpfs -o mode=0755 tmpfs root/run
mount -n -t tmpfs tmpfs root/tmp
mkdir -p root/run/systemd/system root/opt/tideline "root$salt"
mount -n --bind "$repository" root/opt/tideline
mount -n -o remount,bind,ro root/opt/tideline
mount -n --bind "$salt" "root$salt"
mount -n --bind shared root/mnt
cp "$repository/test/support/salt/systemctl" root/usr/bin/systemctl
exec chroot root env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  PYTHONDONTWRITEBYTECODE=1 "$@"
