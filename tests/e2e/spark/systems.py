"""Real systems on loopback, each a process that ends with its test: HDFS, PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STARTED = 120
"""Seconds until a system answers."""


def jars(name: str) -> list[Path]:
    """Jars of the folder's ``pom.xml``, fetched once."""
    pom = HERE / name / "pom.xml"
    folder = ROOT / "out" / "spark-tests" / name
    done = folder / ".done"
    if not done.exists() or done.stat().st_mtime < pom.stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)
        command = ["mvn", "-B", "-ntp", "-q", "-f", str(pom), "dependency:copy-dependencies"]
        options = [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
        subprocess.run([*command, *options], check=True, timeout=600)
        done.touch()
    return sorted(folder.glob("*.jar"))


@dataclass(frozen=True)
class Hdfs:
    """A file system of its own, also reached over HTTP."""

    uri: str
    web: str

    def put(self, local: Path, remote: str) -> str:
        """Copies a file or folder there; gives its URI."""
        files = [each for each in local.rglob("*") if each.is_file()] or [local]
        for each in files:
            path = f"{remote}/{each.relative_to(local)}" if local.is_dir() else remote
            self._put(path, each.read_bytes())
        return f"{self.uri}{remote}"

    def files(self, remote: str) -> list[str]:
        """Names in a folder, in order; none when it does not exist."""
        try:
            with urllib.request.urlopen(f"{self.web}{remote}?op=LISTSTATUS") as answer:
                found = json.load(answer)["FileStatuses"]["FileStatus"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return sorted(each["pathSuffix"] for each in found)

    def get(self, remote: str) -> bytes:
        """A file's content."""
        with urllib.request.urlopen(f"{self.web}{remote}?op=OPEN") as answer:
            return answer.read()

    def _put(self, remote: str, content: bytes) -> None:
        where = f"{self.web}{remote}?op=CREATE&overwrite=true&noredirect=true"
        with urllib.request.urlopen(urllib.request.Request(where, method="PUT")) as answer:
            node = json.load(answer)["Location"]
        with urllib.request.urlopen(urllib.request.Request(node, content, method="PUT")) as done:
            assert done.status == 201


@contextlib.contextmanager
def hdfs(folder: Path) -> Iterator[Hdfs]:
    """A name node and a data node.

    Args:
        folder: For their files.
    """
    libraries = jars("hdfs")[0].parent
    command = ["java", "-Xmx512m", "-cp", f"{libraries}/*", str(HERE / "hdfs/Hdfs.java")]
    with (folder.parent / "hdfs.log").open("w+") as log:
        server = subprocess.Popen(
            [*command, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        with server:
            try:
                uri, web = server.stdout.readline().strip(), server.stdout.readline().strip()
                assert web.startswith("http://"), Path(log.name).read_text()
                yield Hdfs(uri, web)
            finally:
                server.stdin.close()  # it ends then
                server.wait(60)


@dataclass(frozen=True)
class Postgres:
    """A database with one user."""

    port: int
    password: str

    @property
    def url(self) -> str:
        """For JDBC."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"

    def ask(self, sql: str) -> list[str]:
        """Runs SQL; gives the rows, columns separated by a bar."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", "-d", "postgres"]
        done = subprocess.run(
            ["psql", *where, "-v", "ON_ERROR_STOP=1", "-Atq", "-f", "-"],
            input=sql,
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of its own; as an unprivileged user where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="sealane-postgresql-"))
    user = _unprivileged(folder)
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    data = str(folder / "data")
    auth = ["-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-U", "tester"]
    initdb = [_program("initdb"), "-D", data, *auth, "-N", "-E", "UTF8", "--no-locale"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
    port = _free_port()
    options = [*("-c", "listen_addresses=127.0.0.1"), *("-c", "unix_socket_directories=")]
    command = [_program("postgres"), "-D", data, "-p", str(port), *options, "-c", "fsync=off"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stderr=log, stdout=log, cwd=folder, **user)
    try:
        _await(server, port, folder / "log")
        yield Postgres(port, password)
    finally:
        server.terminate()
        server.wait(60)
        shutil.rmtree(folder)


def _unprivileged(folder: Path) -> dict[str, object]:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _program(name: str) -> str:
    """A server program, which Debian keeps out of the path."""
    found = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), shutil.which(name)]
    assert found[0], "install PostgreSQL first, as .ci/run does"
    return str(found[0])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _await(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTED
    while subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
