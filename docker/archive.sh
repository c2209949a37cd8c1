#!/bin/sh
# Writes the archive of the classes of a server's start, from which the JVM takes them as they are
# in memory: archive.sh FILE, run when the image is built.
set -eu
log=$(mktemp)
java -XX:ArchiveClassesAtExit="$1" -XX:-UsePerfData -jar /opt/sealane/sealane-server.jar \
  --port 0 --management.port 0 --management.token none > "$log" 2>&1 &
server=$!
for _ in $(seq 300); do
  ! grep -q 'listening on' "$log" || break
  sleep 0.2
done
kill "$server"
wait "$server" || true
test -s "$1" || { cat "$log"; exit 1; }
rm "$log"
