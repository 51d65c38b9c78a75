#!/bin/sh
# Starts Redis: redis.conf with the passwords of its users filled in. `user … >NAME` there means the secret NAME, which is
# the password alone, or JSON with the password as its one value. In a file nobody else can read: an argument would
# show it in the process list.
set -eu
umask 077

while IFS= read -r line || [ -n "$line" ]; do
  case $line in
  'user '*' >'*)
    password=$(cat "/run/secrets/${line##*>}")
    case $password in '{'*) password=${password##*:\"} password=${password%\"*} ;; esac
    [ -n "$password" ] || { echo "the secret ${line##*>} is empty" >&2; exit 1; }
    line="${line%>*}>$password"
    ;;
  esac
  printf '%s\n' "$line"
done </usr/local/etc/redis.conf >/tmp/redis.conf

# Whoever may run programs in this container can give a user another password while Redis runs (`countersign rotate`). What is
# random here nobody outside knows, and it is another one at each start.
keeper=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
[ ${#keeper} -eq 64 ] || { echo 'no random password could be made' >&2; exit 1; }
printf '%s' "$keeper" >/tmp/keeper
printf 'user keeper on -@all +acl|setuser >%s\n' "$keeper" >>/tmp/redis.conf
exec redis-server /tmp/redis.conf
