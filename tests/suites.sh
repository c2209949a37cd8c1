#!/usr/bin/env bash
# The Python suites in two lanes at once, for each of them waits half of its time: the unit tests,
# which print as they go; and the tests end to end with those of Spark 3.5, printed when they end.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
spark35=$2
mkdir -p out
log=out/end-to-end.log

end_to_end() {
  "$python" -m pytest -p no:cacheprovider tests/e2e
  PYTHONPATH=python:tests "$spark35" -m pytest -p no:cacheprovider tests/python/spark
}

(end_to_end) > "$log" 2>&1 &
lane=$!
trap 'kill "$lane" 2> /dev/null || true' EXIT
status=0
"$python" -m pytest tests/python || status=$?
wait "$lane" || status=$?
cat "$log"
exit "$status"
