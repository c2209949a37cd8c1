# shellcheck shell=bash
# Sourced by test.sh: what the images must do, and what must not be in them.

# inside NAME OPTIONS COMMAND…: runs a command in a container of its own; OPTIONS are one word.
inside() {
  local made code=0
  made=$(store from --pull-never "sealane-$1")
  # shellcheck disable=SC2086
  store run $2 "$made" -- "${@:3}" < /dev/null || code=$?
  store rm "$made" > /dev/null
  return "$code"
}

free_port() {
  "$BIN/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# expect TEXT FILE: the file must hold it.
expect() {
  grep -qF -- "$1" "$2" || fail "no '$1' in what was printed: $(tail -40 "$2")"
}

smoke_spark() {
  mkdir -p "$OUT/shared"
  cp -r tests/conformance/bundles/good/mlp "$OUT/shared/"
  printf 'a,b,c,d\n0.5,1,-2,3\n1,,0,0\n-0.25,2,4,8\n' > "$OUT/shared/table.csv"
  chmod -R a+rwX "$OUT/shared"
  SPARK="--volume $OUT/shared:/shared --env SPARK_LOCAL_HOSTNAME=127.0.0.1"
  TABLE=(--format csv --bundle /shared/mlp --input /shared/table.csv
    --inputs '{"features": ["a", "b", "c", "d"]}')
  smoke_contents
  smoke_scores jvm
  smoke_scores python
  smoke_parity
  smoke_sql
  smoke_kubernetes
}

smoke_contents() {
  inside spark "$SPARK" sh -ec '
    test "$(id -u)" = 185
    java -version 2>&1 | grep -q "version \"17\."
    python3 -c "
import importlib.util, sys, pyspark, sealane, onnxruntime, pyarrow, numpy
assert sys.version_info[:2] == (3, 11), sys.version
assert pyspark.__version__ == \"4.3.0\", pyspark.__version__
heavy = [name for name in (\"torch\", \"tensorflow\", \"keras\", \"nvidia\") if importlib.util.find_spec(name)]
assert not heavy, heavy
"
    test -e /opt/spark/jars/sealane.jar
    sealane inspect /shared/mlp' > "$OUT/contents.log" 2>&1 || fail "$(tail -20 "$OUT/contents.log")"
}

# smoke_scores ENGINE: two rows are scored, the row with the empty cell is quarantined.
smoke_scores() {
  inside spark "$SPARK" spark-submit --master 'local[1]' /opt/sealane/spark_jobs/batch_score.py \
    "${TABLE[@]}" --engine "$1" --output "/shared/$1" > "$OUT/$1.log" 2> "$OUT/$1.err" ||
    fail "$(tail -40 "$OUT/$1.err" "$OUT/$1.log")"
  expect '"scored": 2' "$OUT/$1.log"
  expect '"INPUT_NULL": 1' "$OUT/$1.log"
}

# As a user whose number has no name, which is what OpenShift gives.
smoke_parity() {
  inside spark "$SPARK --user 4711:0" /opt/entrypoint.sh spark-submit --master 'local[1]' \
    /opt/sealane/spark_jobs/check_parity.py "${TABLE[@]}" > "$OUT/parity.log" 2>&1 ||
    fail "$(tail -40 "$OUT/parity.log")"
}

# With the settings that the image has by itself.
smoke_sql() {
  mkdir -p "$OUT/shared/models"
  cp -r "$OUT/shared/mlp" "$OUT/shared/models/"
  inside spark "$SPARK" spark-sql --master 'local[1]' \
    --conf spark.sql.catalogImplementation=in-memory \
    --conf spark.sql.catalog.sealane.repository=/shared/models \
    -e 'SELECT sealane.mlp(struct(array(0.5f, 1f, -2f, 3f) AS features))' \
    > "$OUT/sql.log" 2> "$OUT/sql.err" || fail "$(tail -40 "$OUT/sql.err")"
  expect '"error":null' "$OUT/sql.log"
}

# A driver and an executor in containers of their own, started with what Kubernetes passes. The
# executor is handed out by no cluster manager: it comes by itself, as one that Kubernetes started.
smoke_kubernetes() {
  local master driver executor
  master=$(free_port)
  driver=$(free_port)
  inside spark "$SPARK --env SPARK_DRIVER_BIND_ADDRESS=127.0.0.1" bash -c '
    timeout 600 spark-class org.apache.spark.deploy.master.Master --host 127.0.0.1 --port "$0" &
    timeout 600 /opt/entrypoint.sh driver --master "spark://127.0.0.1:$0" "$@"
    code=$?
    kill %1
    exit "$code"' "$master" --conf "spark.driver.port=$driver" \
    --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 \
    /opt/sealane/spark_jobs/batch_score.py "${TABLE[@]}" --engine jvm --output /shared/cluster \
    > "$OUT/driver.log" 2> "$OUT/driver.err" &
  local job=$!
  executor="$SPARK --env SPARK_DRIVER_URL=spark://CoarseGrainedScheduler@127.0.0.1:$driver
    --env SPARK_EXECUTOR_ID=1 --env SPARK_EXECUTOR_CORES=1 --env SPARK_EXECUTOR_MEMORY=1g
    --env SPARK_EXECUTOR_POD_IP=127.0.0.1 --env SPARK_EXECUTOR_POD_NAME=smoke-exec-1
    --env SPARK_APPLICATION_ID=smoke --env SPARK_RESOURCE_PROFILE_ID=0 $(module_options)"
  until inside spark "$executor" /opt/entrypoint.sh executor > "$OUT/executor.log" 2>&1; do
    kill -0 "$job" 2> /dev/null || break
    sleep 1
  done
  wait "$job" || fail "$(tail -40 "$OUT/driver.err" "$OUT/executor.log")"
  expect '"scored": 2' "$OUT/driver.log"
  expect 'Running task' "$OUT/executor.log"
}

# What Spark's submission gives a Java 17 as SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …
module_options() {
  local index=0 name
  for name in java.lang java.lang.invoke java.net java.nio java.util java.util.concurrent \
    sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
    echo "--env SPARK_JAVA_OPT_$index=--add-opens=java.base/$name=ALL-UNNAMED"
    index=$((index + 1))
  done
}

# A part of `make test` for each toolchain, in a copy of the checkout, as the image's own user. What
# `make setup` brings from the registries, 9 GB, is the host's: its Maven files and its .venv.
smoke_dev() {
  local packages
  mkdir -p "$OUT/src"
  git ls-files -coz --exclude-standard | xargs -0 cp --parents -t "$OUT/src"
  cp -r --parents "$JAR" "$OUT/src"
  chown -R 1000:1000 "$OUT/src"
  packages=$(echo "$PWD"/.venv/lib/python3.*/site-packages)
  inside dev "--volume $OUT/src:/src --volume $HOME/.m2:/home/dev/.m2:ro
    --volume $packages:/packages:ro" sh -exc '
    test "$(id -u)" = 1000
    java -version 2>&1 | grep "version \"17\."
    python3 -c "import sys; assert sys.version_info[:2] == (3, 11)"
    git --version; gcc --version
    make help | grep "^setup"
    python3 -m venv /tmp/venv && /tmp/venv/bin/python -m pip --version
    mvn -B -ntp -q -o -pl jvm/core -DskipTests package
    PYTHONPATH=/packages:python python3 -m pytest -q tests/python/jvm/test_session.py
  ' > "$OUT/dev.log" 2>&1 || fail "$(tail -40 "$OUT/dev.log")"
}

# The server as it is meant to be run, nothing writable but a /tmp from which nothing is executed,
# and stock clients from outside.
smoke_server() {
  local port management made server code=0
  port=$(free_port)
  management=$(free_port)
  mkdir -p "$OUT/models" "$OUT/tmp"
  mount -t tmpfs -o noexec,mode=1777 tmpfs "$OUT/tmp"
  cp -r tests/conformance/bundles/good/mlp "$OUT/models/"
  echo smoke > "$OUT/token"
  chmod -R a+rX "$OUT/models" "$OUT/token"
  # The JVM takes an archive that does not fit for none, unless it must have it.
  inside server "" java -Xshare:on -XX:SharedArchiveFile=/opt/sealane/classes.jsa \
    -jar /opt/sealane/sealane-server.jar --help > "$OUT/archive.log" 2>&1 ||
    fail "$(tail -n 5 "$OUT/archive.log")"
  made=$(store from --pull-never sealane-server)
  store run --volume "$OUT/models:/models:ro" --volume "$OUT/tmp:/tmp" \
    --volume "$OUT/token:/run/secrets/management-token:ro" --env "SEALANE_SERVER_PORT=$port" \
    --env "SEALANE_SERVER_MANAGEMENT_PORT=$management" \
    --env SEALANE_SERVER_MANAGEMENT_ON_MAIN_PORT=true \
    --env SEALANE_SERVER_MANAGEMENT_TOKEN_FILE=/run/secrets/management-token "$made" -- \
    sh -c 'test "$(id -u)" = 10001 && ! touch /opt/sealane/x /models/x 2> /dev/null &&
      exec "$@"' sh $(entrypoint) > "$OUT/server.out" 2>&1 &
  server=$!
  local until=$((SECONDS + 120))
  until inside server "--env SEALANE_SERVER_PORT=$port" /opt/sealane/ready.sh 2> /dev/null; do
    kill -0 "$server" 2> /dev/null && ((SECONDS < until)) || fail "$(tail -n 40 "$OUT/server.out")"
    sleep 0.5
  done
  smoke_clients "127.0.0.1:$port" "127.0.0.1:$management" || code=$?
  pkill -TERM -f '^java .*sealane/native -jar /opt/sealane/sealane-server.jar' || code=$?
  wait "$server" || [[ $? = 143 ]] || code=$?
  store rm "$made" > /dev/null
  umount "$OUT/tmp"
  [[ $code = 0 ]] || fail "$(cat "$OUT/server.out" "$OUT/clients.log")"
}

# What the image starts, one word each.
entrypoint() {
  store inspect --type image --format '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}' sealane-server
}

# smoke_clients ADDRESS MANAGEMENT
smoke_clients() {
  "$BIN/python" -c '
import json, sys
sys.path.insert(0, "tests")
from e2e.server.conftest import golden
print(json.dumps(golden("mlp")))' > "$OUT/case.json"
  for program in tritonclient/triton_http tritonclient/triton_grpc kserve/kserve_sdk \
    ovmsclient/ovms_http ovmsclient/ovms_grpc; do
    ".venv-clients/${program%/*}/bin/python" "tests/e2e/server/clients/${program#*/}.py" "$1" \
      "$OUT/case.json" > "$OUT/clients.log" 2>&1 || return 1
    expect done "$OUT/clients.log"
  done
  curl -sf -H 'Authorization: Bearer smoke' "http://$2/metrics" > "$OUT/metrics.txt" || return 1
  expect 'sealane_requests_total{model="mlp"' "$OUT/metrics.txt"
}

# smoke_traces NAME: nothing of this host that the build could reach is in the image.
smoke_traces() {
  local made root word
  store inspect --type image "sealane-$1" > "$OUT/image.json"
  ! grep -iE '(proxy|cert|token|password|secret|index_url)[a-z_]*=' "$OUT/image.json" ||
    fail "sealane-$1 tells how it was built"
  made=$(store from --pull-never "sealane-$1")
  root=$(store mount "$made")
  [[ ! -s $root/etc/apt/sources.list ]] || fail "sealane-$1 names archives"
  [[ -z $(find "$root" -xdev -name pip.conf -o -name certificates.crt -o -name '.netrc') ]] ||
    fail "sealane-$1 has a configuration of pip or certificates"
  [[ -z $(ls -A "$root/usr/local/share/ca-certificates" 2> /dev/null) ]] ||
    fail "sealane-$1 trusts certificates of this host"
  for word in $(host_words); do
    ! (cd "$root" && grep -rIlF --exclude-dir=doc -- "$word" etc home opt root run srv tmp var) ||
      fail "sealane-$1 names $word"
  done
  store rm "$made" > /dev/null
}
