# Run when PostgreSQL's folder is made, and by hand after secrets/odoo-db-password was changed (docs/https.md). Odoo's own role
# makes databases and is no superuser; the superuser has no password, so it is reached inside this container alone.
psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v password="$(cat /run/secrets/odoo-db-password)" <<'SQL'
SELECT 'CREATE ROLE odoo LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'odoo') \gexec
ALTER ROLE odoo PASSWORD :'password';
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
