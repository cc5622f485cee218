#!/usr/bin/env bash
# A user's own service manager, as after a login: the real one, in a mount and process namespace, below a cgroup made for it.
#
#   manager.sh NAME FOLDER UID    FOLDER/home and FOLDER/run are that user's
set -euo pipefail
name=$1 folder=$2 user=$3
for cgroups in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
  [ -e "$cgroups/cgroup.procs" ] || continue
  mkdir -p "$cgroups/$name/manager"
  chown -R "$user" "$cgroups/$name"
  echo $$ >"$cgroups/$name/manager/cgroup.procs"
done
mount -t tmpfs none /run/systemd 2>/dev/null || { mkdir -p /run/systemd && mount -t tmpfs none /run/systemd; }
mkdir /run/systemd/system
# The session bus asks who it is.
{ cat /etc/passwd && echo "$name:x:$user:$user::$folder/home:/bin/sh"; } >"$folder/passwd"
mount --bind "$folder/passwd" /etc/passwd
# Not as the first process of its namespace, which it would take for a whole machine.
setpriv --reuid "$user" --regid "$user" --clear-groups \
  env -i HOME="$folder/home" XDG_RUNTIME_DIR="$folder/run" PATH="$folder/bin:/usr/bin:/bin" SYSTEMD_LOG_TARGET=console \
  TWOCAN_DHT_ENABLED=false TWOCAN_NETWORK_LAN=false TWOCAN_NETWORK_UDP=127.0.0.1:0 TWOCAN_API_CONTROL=127.0.0.1:0 TWOCAN_API_PAGE=127.0.0.1:0 \
  /lib/systemd/systemd --user &
wait
