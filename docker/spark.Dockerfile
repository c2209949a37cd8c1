# Spark with Sealane: driver, executor, or whatever command it is given. Build it from the
# repository's root after `make wheel`:  docker build -f docker/spark.Dockerfile -t sealane-spark .

FROM debian:12 AS packages
COPY docker/spark-requirements.txt /tmp/
# What a Debian release has under a name only gets fixes; older versions leave its mirrors.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-pip python3-setuptools \
    && python3 -m pip install --no-cache-dir --break-system-packages --no-build-isolation \
        --root-user-action=ignore --require-hashes -r /tmp/spark-requirements.txt
# PySpark is a whole Spark: it moves to where Kubernetes mounts Spark's configuration.
COPY dist/sealane-*.whl /tmp/
WORKDIR /usr/local/lib/python3.11/dist-packages
RUN python3 -m pip install --no-cache-dir --break-system-packages --root-user-action=ignore \
        --no-index --no-deps /tmp/sealane-*.whl \
    && mv pyspark /opt/spark \
    && rm -r /opt/spark/examples /opt/spark/data \
    && find . -type d -name tests -prune -exec rm -r {} + \
    && ln -s /opt/spark pyspark \
    && ln -s "$PWD/sealane/jvm/sealane.jar" /opt/spark/jars/sealane.jar
COPY docker/spark-defaults.conf /opt/spark/conf/

FROM debian:12
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libnss-wrapper openjdk-17-jre-headless procps python3 tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /tmp/* \
    && ln -s "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")" /opt/java \
    && groupadd --system --gid 185 spark \
    && useradd --system --uid 185 --gid spark --home-dir /opt/spark/work-dir spark \
    && install -d -o spark -g root -m 775 /opt/spark/work-dir
COPY --from=packages /usr/local /usr/local
COPY --from=packages /opt/spark /opt/spark
COPY --chmod=755 docker/entrypoint.sh /opt/entrypoint.sh
COPY spark_jobs /opt/sealane/spark_jobs
ENV JAVA_HOME=/opt/java SPARK_HOME=/opt/spark PYSPARK_PYTHON=/usr/bin/python3
WORKDIR /opt/spark/work-dir
USER 185
ENTRYPOINT ["/opt/entrypoint.sh"]
