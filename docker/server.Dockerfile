# The inference server: a Java runtime and one jar. Build it from the repository's root after
# `make setup`:  docker build -f docker/server.Dockerfile -t sealane-server .

FROM debian:12 AS natives
# What a Debian release has under a name only gets fixes; older versions leave its mirrors.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends unzip
COPY jvm/server/target/sealane-server.jar /opt/sealane/
# Lies there ready to be loaded, so that nothing is unpacked when the server starts.
RUN case "$(uname -m)" in aarch64) system=linux-aarch64 ;; *) system=linux-x64 ;; esac \
    && unzip -j /opt/sealane/sealane-server.jar "ai/onnxruntime/native/$system/*" -d /opt/sealane/native

FROM debian:12
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /tmp/* \
    && groupadd --system --gid 10001 sealane \
    && useradd --system --uid 10001 --gid sealane --home-dir /nonexistent --no-create-home sealane \
    && install -d -m 755 /models
COPY --from=natives /opt/sealane /opt/sealane
COPY --chmod=755 docker/ready.sh docker/archive.sh /opt/sealane/
ENV SEALANE_SERVER_REPOSITORY=/models SEALANE_SERVER_HOST=0.0.0.0
RUN /opt/sealane/archive.sh /opt/sealane/classes.jsa
EXPOSE 8080
USER 10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/opt/sealane/ready.sh"]
# Half of the memory is for what is not Java's: tensors and the engine.
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=50", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", \
    "-XX:SharedArchiveFile=/opt/sealane/classes.jsa", \
    "-Donnxruntime.native.path=/opt/sealane/native", "-jar", "/opt/sealane/sealane-server.jar"]
