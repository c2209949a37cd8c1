#!/bin/bash
# Whether the server in this container is ready; plain HTTP, by bash alone.
set -euo pipefail
exec 3<> "/dev/tcp/127.0.0.1/${SEALANE_SERVER_PORT:-8080}"
printf 'GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r answer <&3
[[ $answer == "HTTP/1.1 200"* ]]
