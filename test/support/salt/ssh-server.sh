#!/bin/sh
# A server with sshd and Salt and nothing else: the root filesystem of the lab's servers under a writable layer that stays in $1/up. In new mount namespaces
# only. $1 is on a tmpfs, and $1/shared is /mnt of the server, with its host key, who may enter, and the log of systemctl, a stand-in. $2 is that root filesystem,
# $3 the folder of Salt, $4 the stand-in, $5 the address.
#   unshare --mount sh ssh-server.sh FOLDER ROOT SALT SYSTEMCTL ADDRESS
set -eu
folder=$1 lower=$2 salt=$3 systemctl=$4 address=$5
mount -n --make-rprivate /
cd "$folder"
mkdir -p up work root shared/units
mount -n -t overlay overlay -o "lowerdir=$lower,upperdir=$folder/up,workdir=$folder/work" root
for place in proc dev sys; do mount -n --rbind "/$place" "root/$place"; done
mount -n -t tmpfs -o mode=0755 tmpfs root/run
mount -n -t tmpfs tmpfs root/tmp
mkdir -p root/run/systemd/system root/run/sshd root/root/.ssh "root$salt"
mount -n --bind "$salt" "root$salt"
mount -n --bind shared root/mnt
cp "$systemctl" root/usr/bin/systemctl
cp shared/authorized_keys root/root/.ssh/authorized_keys
ln -sf "$salt/bin/salt-call" root/usr/local/bin/salt-call
exec chroot root env -i /usr/sbin/sshd -D -e -o ListenAddress="$address" -o HostKey=/mnt/host -o UsePAM=no -o PidFile=none
