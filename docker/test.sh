#!/usr/bin/env bash
# Lints the Dockerfiles, builds the images where no image registry is reachable, and tries them.
# Needs root and Debian 12; KEEP=1 leaves the images in out/docker/storage.
set -euo pipefail
cd "$(dirname "$0")/.."
BIN=.venv/bin
JAR=python/sealane/jvm/sealane.jar
OUT=$PWD/out/docker
export BUILDAH_ISOLATION=chroot

fail() {
  echo "docker-test: $*" >&2
  exit 1
}

say() {
  echo "docker-test: $* (after ${SECONDS} s)"
}

store() {
  nice -n 10 buildah --root "$OUT/storage" --runroot "$OUT/run" "$@"
}

source docker/host.sh
source docker/smoke.sh

install_tools() {
  [[ -n $(host_archives) ]] || apt-get update -qq
  command -v buildah debootstrap promtool > /dev/null && return
  apt-get update -qq
  RUNLEVEL=1 apt-get install -yqq --no-install-recommends buildah debootstrap prometheus \
    > "$OUT/apt.log"
}

# What the FROM lines name: a small Debian 12, up to date, that names none of this host's archives.
make_base() {
  local mirror made
  mirror=$(host_archives | awk '$1 !~ /security/ { print $1; exit }')
  nice -n 10 debootstrap --variant=minbase bookworm "$OUT/base" "$mirror" \
    > "$OUT/debootstrap.log" 2>&1 || fail "debootstrap: $(tail -3 "$OUT/debootstrap.log")"
  truncate -s 0 "$OUT"/base/etc/{apt/sources.list,resolv.conf,hostname}
  made=$(store from scratch)
  store add -q "$made" "$OUT/base" / > /dev/null
  store run --volume "$OUT/host/apt:/etc/apt" "$made" -- sh -ec '
    apt-get update -qq
    apt-get upgrade -qq
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /usr/share/doc/* /usr/share/man/*
  ' > "$OUT/base.log" 2>&1 || fail "$(tail -30 "$OUT/base.log")"
  store config --cmd bash "$made"
  store commit -q --rm "$made" debian:12 > /dev/null
  rm -rf --one-file-system "$OUT/base"
}

# build NAME CONTEXT
build() {
  store build -q --pull-never --format docker --volume "$OUT/host/apt:/etc/apt" \
    --volume "$OUT/host/pip:/etc/xdg/pip:ro" -f "docker/$1.Dockerfile" -t "sealane-$1" "$2" \
    > "$OUT/$1.log" 2>&1 || fail "$(tail -30 "$OUT/$1.log")"
}

size() {
  store images --format '{{.Size}}' "sealane-$1"
}

# A killed run may have left something mounted in the base.
clean() {
  umount -q "$OUT"/base/{proc,sys} "$OUT/tmp" 2> /dev/null || true
  rm -rf --one-file-system "$OUT"
}

clean
mkdir -p "$OUT"
[[ -n ${KEEP:-} ]] || trap clean EXIT
"$BIN/hadolint" docker/*.Dockerfile
install_tools
promtool check config --syntax-only docker/prometheus/prometheus.yml > /dev/null
promtool check rules docker/prometheus/alerts.yml > /dev/null
host_apt "$OUT/host/apt"
host_pip "$OUT/host/pip"
make_base
say "base image made"
for name in ${ONLY:-spark dev server}; do
  build "$name" .
  say "$name image built, $(size "$name")"
  smoke_traces "$name"
  "smoke_$name"
  say "$name image tried"
done
