#!/bin/bash
# Start of Odoo's container (docs/https.md). What Odoo is told stands here, its passwords come out of files, so that they
# are in no process list. The first start makes the database, which takes a minute or two.
#
#   odoo-start.sh              the container's command
#   odoo-start.sh password     gives Odoo's user `admin` a new password, and shows it
set -euo pipefail
umask 077

database=$COUNTERSIGN_ODOO_DB
# What is not whole yet has another name.
unfinished="$database.new"
files=/var/lib/odoo/filestore
PGPASSWORD=$(</run/secrets/odoo-db-password)
export PGHOST=odoo-db PGUSER=odoo PGPASSWORD ODOO_RC=/tmp/odoo.conf

settings() {
  cat <<CONF
[options]
admin_passwd = $(</run/secrets/odoo-master-password)
list_db = False
db_host = $PGHOST
db_user = $PGUSER
db_password = $PGPASSWORD
db_name = $1
dbfilter = ^${1//./\\.}\$
db_maxconn = 8
data_dir = /var/lib/odoo
http_interface = 0.0.0.0
proxy_mode = True
workers = 2
max_cron_threads = 1
limit_memory_soft = 402653184
limit_memory_hard = 1677721600
limit_time_cpu = 60
limit_time_real = 120
CONF
}

sql() { psql -qAtX -v ON_ERROR_STOP=1 -d postgres "$@"; }
is_there() { [ "$(sql -v name="$1" <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")" = 1 ]; }
python() { odoo shell -c "$ODOO_RC" -d "$1" --no-http --logfile /tmp/shell.log || { cat /tmp/shell.log >&2 && exit 1; }; }

make_database() {
  if [ -e "$files/$database" ]; then
    echo "The database $database is gone, its files are there ($files/$database): restore it from the backup, or move them away for an empty one." >&2
    exit 1
  fi
  echo "making the database $database"
  dropdb --if-exists "$unfinished"
  rm -rf "${files:?}/$unfinished"
  settings "$unfinished" >"$ODOO_RC"
  odoo -c "$ODOO_RC" -i account --without-demo=True --stop-after-init --workers 0
  # Nobody knows the password that `admin` has until `odoo-start.sh password`. Documents are rendered from inside. Nothing calls home.
  python "$unfinished" <<'PYTHON'
import secrets
env.ref('base.user_admin').password = secrets.token_urlsafe(32)
env['ir.config_parameter'].set_param('report.url', 'http://127.0.0.1:8069')
env.ref('mail.ir_cron_module_update_notification').active = False
env.cr.commit()
PYTHON
  sql -v old="$unfinished" -v new="$database" <<<'ALTER DATABASE :"old" RENAME TO :"new"'
}

if [ "${1:-}" = password ]; then
  python "$database" <<'PYTHON'
import secrets
password = secrets.token_urlsafe(18)
env.ref('base.user_admin').password = password
env.cr.commit()
print(env.ref('base.user_admin').login, password)
PYTHON
  exit
fi

is_there "$database" || make_database
# After a start that died here: the database has its name already.
if [ -e "$files/$unfinished" ] && ! [ -e "$files/$database" ]; then mv "$files/$unfinished" "$files/$database"; fi
settings "$database" >"$ODOO_RC"
exec odoo -c "$ODOO_RC"
