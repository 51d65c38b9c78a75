#!/bin/bash
# Healthcheck of our own services: asks /livez, and ends a main process that hangs, so that Docker's restart policy
# replaces it (Docker by itself only marks it unhealthy, and no container gets the Docker socket).
#
#   healthcheck.sh         http://127.0.0.1:$COUNTERSIGN_HTTP_PORT/livez
#   healthcheck.sh ssh     the hub's sshd on $COUNTERSIGN_SSH_PORT
#
# Bash and /proc rather than node: this runs every few seconds in every container, and a node process would cost 45 MB
# and 50 ms each time. Needs `init: true`, since nothing inside a container can kill its PID 1.
set -u

# A service that is still starting may serve /livez late; only an older one, or one that has answered before, is taken to hang.
start_limit_s=60
# A container's /tmp begins empty with each start of its main process.
answered=/tmp/answered

livez() {
  local status
  exec 3<>"/dev/tcp/127.0.0.1/${COUNTERSIGN_HTTP_PORT:?}" || return
  printf 'GET /livez HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
  IFS= read -r -t 1.2 status <&3 && [[ $status == HTTP/1.?' 200'* ]]
}

ssh() {
  local banner
  exec 3<>"/dev/tcp/127.0.0.1/${COUNTERSIGN_SSH_PORT:?}" || return
  printf 'SSH-2.0-healthcheck\r\n' >&3
  IFS= read -r -t 1.2 banner <&3 && [[ $banner == SSH-2.0-* ]]
}

# "<pid> <seconds it has run>" of the main process: the oldest child of init (ssh's shared connection may be another; a
# check's own parent is outside the container).
main_process() {
  local stat pid fields uptime oldest='' started=''
  read -r uptime _ </proc/uptime
  for stat in /proc/[0-9]*/stat; do
    pid=${stat#/proc/} pid=${pid%/stat}
    # State, parent, … after the name, which stands in parentheses and may hold anything.
    read -r -a fields < <(sed 's/.*) //' "$stat" 2>/dev/null) || continue
    if [[ ${fields[1]} == 1 && (-z $started || ${fields[19]} -lt $started) ]]; then
      oldest=$pid started=${fields[19]}
    fi
  done
  [[ -n $oldest ]] && echo "$oldest $((${uptime%%.*} - started / 100))"
}

for try in 1 2 3; do
  if ("${1:-livez}") 2>/dev/null; then
    : 2>/dev/null >"$answered"
    exit 0
  fi
  [[ $try == 3 ]] || sleep 0.5
done
echo 'no answer in three tries'
if read -r pid age_s < <(main_process) && { [[ -e $answered ]] || ((age_s > start_limit_s)); }; then
  kill -KILL "$pid" && echo "ended the main process $pid, which hung"
fi
exit 1
