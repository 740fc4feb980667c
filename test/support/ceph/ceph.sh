#!/usr/bin/env bash
# ceph.sh start FOLDER CEPH [PORT]   starts a one-node Ceph with an S3 gateway on loopback, all of it under FOLDER,
#                                    from the programs fetch.sh put in CEPH; prints the gateway's endpoint
# ceph.sh stop FOLDER                ends it and removes FOLDER
#
# The store is in memory, the user is ACCESS_KEY with SECRET_KEY, and no root is needed.
set -euo pipefail

# Ends what was started in FOLDER. The data is thrown away, so nothing has to be written back.
stop() {
  local folder=$1 pidfile pid
  for pidfile in "$folder"/*.pid; do
    [ -s "$pidfile" ] || continue
    pid=$(<"$pidfile")
    # The number may be someone else's by now: the command line has to name this folder's configuration.
    if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$folder/ceph.conf"; then
      kill -KILL "$pid" 2>/dev/null || true
      while kill -0 "$pid" 2>/dev/null && ! grep -qs '^State:.Z' "/proc/$pid/status"; do sleep 0.02; done
    fi
  done
  rm -rf "$folder"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    answers "$port" || { echo "$port" && return; }
  done
  return 1
}

# run PROGRAM ARGUMENTS...: one of Ceph's programs, with its own loader and libraries
run() { "$ceph/lib/ld.so" --library-path "$ceph/lib" "$ceph/bin/$1" "${@:2}"; }

# daemon NAME ARGUMENTS...: the same in the background, remembered in NAME.pid
daemon() {
  (exec "$ceph/lib/ld.so" --library-path "$ceph/lib" "$ceph/bin/$1" "${@:2}" -c "$folder/ceph.conf" -f) \
    </dev/null >>"$folder/$1.out" 2>&1 &
  echo $! >"$folder/$1.pid"
}

# One copy of everything, small intervals, and no limit meant for a cluster.
write_configuration() {
  cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $(</proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$(free_port)/0]
ms bind msgr1 = false
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = $folder/keyring
run dir = $folder/run
admin socket = $folder/run/\$name.asok
crash dir = $folder/run
log file = $folder/\$type.log
log to stderr = false
mon cluster log file = $folder/cluster.log
debug default = 0
osd class dir = $ceph/lib/rados-classes
erasure code dir = $ceph/lib/erasure-code
plugin dir = $ceph/lib
osd crush chooseleaf type = 0
osd crush update on start = false
osd class update on start = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 2000
mon warn on pool no redundancy = false
objecter tick interval = 0.5
mon client hunt interval = 0.5
mon tick interval = 1
[mon]
mon data = $folder/mon
mon data avail crit = 1
mon data avail warn = 2
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = $folder/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw]
rgw data = $folder/rgw
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw rados pool pg num min = 4
rgw thread pool size = 64
rgw run sync thread = false
rgw dynamic resharding = false
CONF
}

write_keys() {
  run ceph-authtool -C "$folder/keyring" --gen-key -n mon. --cap mon 'allow *'
  run ceph-authtool "$folder/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
  run ceph-authtool "$folder/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *'
  run ceph-authtool "$folder/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
}

start_monitor() {
  local address
  address=$(sed -n 's/^mon host = //p' "$folder/ceph.conf")
  run monmaptool --create --fsid "$(sed -n 's/^fsid = //p' "$folder/ceph.conf")" --addv a "$address" "$folder/monmap"
  run osdmaptool -c "$folder/ceph.conf" --createsimple 1 --clobber "$folder/osdmap"
  run ceph-mon -i a --mkfs --monmap "$folder/monmap" --osdmap "$folder/osdmap" --keyring "$folder/keyring"
  daemon ceph-mon -i a
}

start_disk() {
  run ceph-osd -i 0 --mkfs --osd-uuid "$(</proc/sys/kernel/random/uuid)"
  daemon ceph-osd -i 0
}

start_gateway() {
  daemon radosgw -n client.rgw
  run radosgw-admin -n client.rgw user create --uid daybook --display-name daybook \
    --access-key "$ACCESS_KEY" --secret "$SECRET_KEY"
  for _ in {1..1200}; do
    ! answers "$port" || return 0
    kill -0 "$(<"$folder/radosgw.pid")" || return 1
    sleep 0.05
  done
  return 1
}

give_up() {
  echo 'Ceph did not start. The last it said:' >&2
  tail -qn 5 "$folder"/*.out "$folder"/*.log >&2 2>/dev/null || true
  stop "$folder"
}

start() {
  folder=$1 ceph=$(readlink -f "$2") port=${3:-$(free_port)}
  mkdir -p "$folder"/{mon,osd,rgw,run}
  folder=$(readlink -f "$folder")
  trap '[ $? = 0 ] || give_up' EXIT
  write_configuration
  export CEPH_CONF=$folder/ceph.conf CEPH_ARGS=
  { write_keys; start_monitor; start_disk; start_gateway; } >>"$folder/setup.out" 2>&1
  echo "http://127.0.0.1:$port"
}

case ${1:-} in
  start) start "${@:2}" ;;
  stop) [ ! -f "$2/ceph.conf" ] || stop "$(readlink -f "$2")" ;;
  *) sed -n '2,8p' "$0" >&2 && exit 2 ;;
esac
