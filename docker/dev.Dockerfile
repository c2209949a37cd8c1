# Both toolchains, nothing of the project: mount a checkout and run `make setup`, `make test` in it.
#   docker build -f docker/dev.Dockerfile -t sealane-dev docker
#   docker run --rm -it --user "$(id -u):$(id -g)" -v "$PWD:/src" sealane-dev make test

FROM debian:12
# What a Debian release has under a name only gets fixes; older versions leave its mirrors.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl g++ gcc git less libc6-dev make maven openjdk-17-jdk-headless \
        openssh-client openssl procps python3 python3-dev python3-venv unzip \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /tmp/* \
    && ln -s "$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")" /opt/java \
    && useradd --create-home --uid 1000 dev \
    && chmod 1777 /home/dev \
    && install -d -o dev /src \
    && git config --system --add safe.directory /src
# Any number may be the user; Maven, pip and uv keep their files here then, too.
ENV HOME=/home/dev JAVA_HOME=/opt/java MAVEN_OPTS=-Duser.home=/home/dev
WORKDIR /src
USER 1000
CMD ["bash"]
