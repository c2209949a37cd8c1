# shellcheck shell=bash
# Sourced by test.sh: lets apt and pip inside a build reach what the host's apt and pip reach.
# What it writes is mounted while an image is built and is no part of the image.

# The host's Debian 12 archives, as "URI SUITE COMPONENT" lines.
host_archives() {
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' | awk '$1 == "Debian" && $2 ~ /^bookworm/ { print $3, $4, $5 }' | sort -u
}

# The certificates that the host trusts, its own among them.
host_certificates() {
  local file
  for file in "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}" "${SSL_CERT_FILE:-}" \
    /etc/ssl/certs/ca-certificates.crt; do
    if [[ -f $file ]]; then
      echo "$file"
      return
    fi
  done
}

# host_apt FOLDER: what becomes /etc/apt. Third parties' archives stay out of it.
host_apt() {
  mkdir -p "$1"/{apt.conf.d,auth.conf.d,preferences.d,sources.list.d,trusted.gpg.d}
  host_archives | sed 's/^/deb /' > "$1/sources.list"
  [[ -s $1/sources.list ]] || fail "this host's apt knows no Debian 12 archive"
  cp /usr/share/keyrings/debian-archive-*.gpg "$1/trusted.gpg.d/"
  cp /etc/apt/trusted.gpg.d/* "$1/trusted.gpg.d/" 2> /dev/null || true
  cp /etc/apt/auth.conf "$1/" 2> /dev/null || true
  cp /etc/apt/auth.conf.d/* "$1/auth.conf.d/" 2> /dev/null || true
  cp "$(host_certificates)" "$1/certificates.crt"
  {
    apt-config dump | grep -E '^Acquire::(https?|Check|Retries)' | grep -v '::CaInfo' || true
    echo 'Acquire::https::CaInfo "/etc/apt/certificates.crt";'
  } > "$1/apt.conf.d/host"
}

# host_pip FOLDER: what becomes /etc/xdg/pip.
host_pip() {
  mkdir -p "$1"
  cp "$(host_certificates)" "$1/certificates.crt"
  {
    echo '[global]'
    "$BIN/python" -m pip config list | sed -nE "s/^(global|:env:)\.([a-z-]+)='(.*)'\$/\2 = \3/p" |
      grep -E '^(index-url|extra-index-url|trusted-host|proxy|default-timeout|retries) ' || true
    echo 'cert = /etc/xdg/pip/certificates.crt'
  } > "$1/pip.conf"
}

# Names that no image may hold: those of archives, indexes and proxies.
host_words() {
  {
    host_archives
    "$BIN/python" -m pip config list
    env | grep -iE '^(https?|all)_proxy=' || true
  } | grep -oE '[a-z]+://[^/"'"'"' ]+' | sed -E 's#.*://([^@]*@)?##; s/:[0-9]+$//' | sort -u
}
