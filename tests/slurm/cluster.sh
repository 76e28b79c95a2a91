#!/bin/sh
# A SLURM of one node on this machine, reached over loopback only: installed, started,
# stopped and removed again. For root on Debian.
#   cluster.sh start|stop FOLDER      FOLDER holds all its state
set -eu
folder=$2

start() {
  if command -v sinfo >/dev/null; then
    echo "SLURM is installed here already; this would take it away again" >&2
    exit 1
  fi
  trap 'stop' EXIT
  mkdir -p "$folder/state" "$folder/spool"
  chmod 755 "$folder"
  installed > "$folder/before"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    slurm-wlm munge >"$folder/apt.log" 2>&1
  # At the place where clients within jobs look for it as well.
  configure > "$folder/slurm.conf"
  mkdir -p /etc/slurm
  ln -s "$folder/slurm.conf" /etc/slurm/slurm.conf
  mungekey --create --keyfile "$folder/munge.key"
  munged --key-file "$folder/munge.key" --socket "$folder/munge.socket" \
    --pid-file "$folder/munged.pid" --log-file "$folder/munged.log" \
    --seed-file "$folder/munge.seed"
  slurmctld
  slurmd
  for _ in $(seq 30); do
    sinfo -h -t idle | grep -q . && break
    sleep 1
  done
  sinfo -h -t idle | grep .
  trap - EXIT
}

stop() {
  [ ! -f "$folder/slurmctld.pid" ] || scancel --user root || true
  for daemon in slurmd slurmctld munged; do
    [ -f "$folder/$daemon.pid" ] || continue
    pid=$(cat "$folder/$daemon.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 30); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.5
    done
  done
  [ -f "$folder/before" ] || return 0
  rm -f /etc/slurm/slurm.conf
  [ ! -d /etc/slurm ] || rmdir --ignore-fail-on-non-empty /etc/slurm
  # Only what was not there before; sort -u, because comm wants it sorted.
  added=$(installed | comm -13 "$folder/before" -)
  [ -z "$added" ] || DEBIAN_FRONTEND=noninteractive \
    apt-get purge -y -qq $added >>"$folder/apt.log" 2>&1
}

installed() {
  dpkg-query -f '${binary:Package}\n' -W | sort -u
}

# No accounting and no cgroups, which a container may not have.
configure() {
  cat <<CONF
ClusterName=loopback
SlurmctldHost=$(hostname -s)(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1
SlurmdParameters=config_overrides
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=2 RealMemory=6000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP
CONF
}

"$1"
