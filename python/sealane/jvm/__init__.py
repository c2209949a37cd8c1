"""The same Session living in a JVM inside this process (JPype), and Python for Java (Py4J)."""

from sealane.jvm.engines import JVM_ENGINES as JVM_ENGINES
from sealane.jvm.process import find_jar as find_jar
from sealane.jvm.process import start as start
from sealane.jvm.session import open_session as open_session
from sealane.jvm.session import prepare as prepare
