#!/bin/sh
# Starts Caddy for the sites that were named (docs/https.md); with none, or with what is no name, it says so and ends.
set -eu

for site in "$COUNTERSIGN_ODOO_SITE" "$COUNTERSIGN_GRAFANA_SITE"; do
  case $site in
  *[!A-Za-z0-9.-]*) echo "\"$site\": a site is a name alone, such as odoo.example.org" >&2 && exit 2 ;;
  esac
done
export SITES="${COUNTERSIGN_ODOO_SITE:+$COUNTERSIGN_ODOO_SITE }$COUNTERSIGN_GRAFANA_SITE"
[ -n "$SITES" ] || { echo 'no site is named: set COUNTERSIGN_ODOO_SITE or COUNTERSIGN_GRAFANA_SITE, or leave the profile https out' >&2 && exit 2; }
# A name that nobody can have a certificate for.
export ODOO_SITE="${COUNTERSIGN_ODOO_SITE:-odoo.invalid}" GRAFANA_SITE="${COUNTERSIGN_GRAFANA_SITE:-grafana.invalid}"
case $COUNTERSIGN_CERTIFICATES in
'') export CERTIFICATES_BY=acme ;;
internal) export CERTIFICATES_BY=internal ;;
https://*) export CERTIFICATES_BY="acme $COUNTERSIGN_CERTIFICATES" ;;
*) echo "COUNTERSIGN_CERTIFICATES is \"$COUNTERSIGN_CERTIFICATES\": expected nothing, internal, or the https address of an ACME directory" >&2 && exit 2 ;;
esac
exec caddy run --config /etc/caddy/Caddyfile --adapter caddyfile
