#!/bin/bash
# Fuzzes the server's decoders, so many seconds in all: tests/fuzz.sh SECONDS, after a build of the
# test classes with their class path in jvm/server/target/test.classpath. A request that is found to
# be a fault goes to the inputs that each build reads; the rest of the corpus to target/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../jvm/server"

test=io.sealane.server.DecodersFuzzTest
path=${test//.//}
targets=$(grep -A1 '@FuzzTest' "src/test/java/$path.java" | sed -nE 's/.* void (\w+)\(.*/\1/p')
seconds=$(($1 / $(wc -w <<< "$targets")))
faults=
for target in $targets; do
  echo "fuzz: $target for $seconds s"
  corpus=target/fuzz/$target
  inputs=src/test/resources/${path}Inputs/$target
  mkdir -p "$corpus"
  java -Xmx2g -Dsealane.conformance="$PWD/../../tests/conformance" \
    -cp "target/test-classes:target/classes:$(cat target/test.classpath)" \
    com.code_intelligence.jazzer.Jazzer --target_class=$test --target_method="$target" \
    --hooks=true '--instrumentation_includes=io.sealane.**:com.fasterxml.jackson.core.**' \
    -max_total_time=$seconds -timeout=10 -rss_limit_mb=0 -print_final_stats=1 \
    -artifact_prefix="$inputs/" "$corpus" "$inputs" > "$corpus.log" 2>&1 || faults+=" $target"
  grep -E '^stat::(number|average|new)|^== ' "$corpus.log" || true
done
test -z "$faults" || { echo "fuzz: faults in$faults, see jvm/server/target/fuzz"; exit 1; }
