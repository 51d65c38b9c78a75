# Run once, when PostgreSQL's folder is made. Odoo's own role makes databases and is no superuser; the superuser has no
# password, so it is reached inside this container alone.
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v password="$(cat /run/secrets/odoo-db-password)" <<'SQL'
CREATE ROLE odoo LOGIN CREATEDB PASSWORD :'password';
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
