#!/usr/bin/env bash
# Runs what Spark on Kubernetes asks for, `driver ARGUMENT…` or `executor`, and any other command
# as it stands.
set -euo pipefail

# Hadoop wants a name for its user; a cluster may run us under a number that has none.
name_the_user() {
  getent passwd "$(id -u)" > /dev/null && return
  local names
  names=$(mktemp -d)
  echo "spark:x:$(id -u):$(id -g):spark:$PWD:/usr/sbin/nologin" > "$names/passwd"
  echo "spark:x:$(id -g):" > "$names/group"
  export NSS_WRAPPER_PASSWD=$names/passwd NSS_WRAPPER_GROUP=$names/group
  export LD_PRELOAD=libnss_wrapper.so HOME=$PWD
}

# Kubernetes passes each JVM option in a variable of its own: SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …
java_options() {
  local index=0 name
  while name=SPARK_JAVA_OPT_$index && [[ -v $name ]]; do
    options+=("${!name}")
    index=$((index + 1))
  done
}

class_path() {
  local IFS=:
  local parts=("${SPARK_CONF_DIR:-$SPARK_HOME/conf}" ${HADOOP_CONF_DIR:+"$HADOOP_CONF_DIR"}
    ${SPARK_CLASSPATH:+"$SPARK_CLASSPATH"} "$SPARK_HOME/jars/*"
    ${SPARK_EXTRA_CLASSPATH:+"$SPARK_EXTRA_CLASSPATH"}
    ${SPARK_DIST_CLASSPATH:+"$SPARK_DIST_CLASSPATH"})
  echo "${parts[*]}"
}

driver() {
  local bind=${SPARK_DRIVER_BIND_ADDRESS:-}
  exec tini -s -- "$SPARK_HOME/bin/spark-submit" --deploy-mode client \
    ${bind:+--conf "spark.driver.bindAddress=$bind"} "$@"
}

executor() {
  local options=()
  java_options
  exec tini -s -- "$JAVA_HOME/bin/java" "${options[@]}" \
    "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$(class_path)" \
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
    --driver-url "$SPARK_DRIVER_URL" \
    --executor-id "$SPARK_EXECUTOR_ID" \
    --cores "$SPARK_EXECUTOR_CORES" \
    --app-id "$SPARK_APPLICATION_ID" \
    --hostname "$SPARK_EXECUTOR_POD_IP" \
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
    --podName "$SPARK_EXECUTOR_POD_NAME"
}

name_the_user
case ${1:-} in
  driver) driver "${@:2}" ;;
  executor) executor ;;
  *) exec tini -s -- "$@" ;;
esac
