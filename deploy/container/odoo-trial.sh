#!/bin/bash
# Starts Odoo on a database that the backup service has restored for a trial (docs/backup.md), and says whether it answers.
# Neutralised first: no mail, no planned jobs. The database is thrown away afterwards; nobody else is on the network.
# /trial is shared with the backup service alone: its database's socket, what it asks (`go`), what is answered (`said`).
set -uo pipefail
umask 077

place=/trial
export ODOO_RC=/tmp/odoo.conf
cat >"$ODOO_RC" <<CONF
[options]
db_host = $place
db_user = odoo
db_name = trial
list_db = False
data_dir = /tmp/data
http_interface = 127.0.0.1
workers = 0
max_cron_threads = 0
db_maxconn = 4
CONF

# One line: what became of the trial.
try() {
  rm -rf /tmp/data /tmp/cookies /tmp/page
  if ! timeout -k 5 180 odoo neutralize -c "$ODOO_RC" -d trial >/tmp/log 2>&1; then
    echo "it could not be neutralised: $(tail -n 1 /tmp/log)"
    return
  fi
  timeout -k 5 300 odoo -c "$ODOO_RC" --logfile /tmp/log >/dev/null 2>&1 &
  local server=$! status=000 tries
  for ((tries = 0; tries < 120; tries++)); do
    kill -0 "$server" 2>/dev/null || break
    status=$(curl -sL -m 60 -b /tmp/cookies -c /tmp/cookies -o /tmp/page -w '%{http_code}' http://127.0.0.1:8069/web/login)
    [ "$status" = 000 ] || break
    sleep 1
  done
  kill -9 "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  if [ "$status" = 200 ] && grep -q oe_login_form /tmp/page; then
    echo 'ok'
  elif [ "$status" = 000 ]; then
    echo "it did not come up: $(tail -n 1 /tmp/log)"
  else
    echo "its page to log in answers $status: $(grep -E 'Error' /tmp/log | tail -n 1)"
  fi
}

while :; do
  touch "$place/here"
  if token=$(cat "$place/go" 2>/dev/null); then
    printf '%s %s\n' "$token" "$(try)" >"$place/said.tmp" && mv "$place/said.tmp" "$place/said"
    rm -f "$place/go"
  fi
  sleep 1
done
