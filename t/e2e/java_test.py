#!/usr/bin/env python3
"""OpenAI's client for Java (java/Clients.java), of the version in java/pom.xml."""
import glob
import os
import subprocess
import sys

from checks import REFUSE
from programs import BUILD, CALLS, HERE, run, same

DIR = os.path.join(HERE, "java")
OUT = os.path.join(BUILD, "java")
CLASSES = os.path.join(OUT, "classes")
JARS = os.path.join(OUT, "jars")


def install():
    """The jars once for each pom.xml; the program is compiled anew."""
    done = os.path.join(OUT, "pom.xml")
    pom = os.path.join(DIR, "pom.xml")
    os.makedirs(CLASSES, exist_ok=True)
    if not same(pom, done):
        subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DoutputDirectory=" + JARS],
                       check=True)
        with open(pom, "rb") as a, open(done, "wb") as b:
            b.write(a.read())
    subprocess.run(["javac", "-nowarn", "-Xlint:-deprecation", "-d", CLASSES, "-cp", ":".join(glob.glob(JARS + "/*.jar")),
                    os.path.join(DIR, "Clients.java")], check=True)


if __name__ == "__main__":
    command = ["java", "-cp", CLASSES + ":" + JARS + "/*", "Clients"]
    sys.exit(run("mvn", install, {"client for Java": (CALLS + REFUSE, command)}))
