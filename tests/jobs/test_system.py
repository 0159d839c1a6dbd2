"""The script for the console, in real Groovy, beside a class that stands for Jenkins."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from cibus.jobs.system import READ_XML
from cibus.pipeline.engine.groovy import find_groovy
from cibus.pipeline.engine.java import find_java

HOME = os.environ.get("HOME", "")  # where Groovy may be already
JENKINS = """
package jenkins.model
class Jenkins {
    static Jenkins getInstance() { new Jenkins() }
    File getRootDir() { new File(System.getProperty('home')) }
}
"""


def test_the_script_reads_the_xml_files_of_jenkins_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", HOME)
    home = tmp_path / "home"
    (home / "jobs.xml").mkdir(parents=True)
    for name in ("config.xml", "scriptApproval.xml", "credentials.xml", "queue.xml", "secret.key"):
        (home / name).write_text(f"<{name}>größer & \"\u2028</{name}>", encoding="utf-8")
    stub = tmp_path / "classes/jenkins/model"
    stub.mkdir(parents=True)
    (stub / "Jenkins.groovy").write_text(JENKINS, encoding="utf-8")
    script = tmp_path / "read.groovy"
    script.write_text(READ_XML, encoding="utf-8")
    classpath = f"{find_groovy()}:{tmp_path / 'classes'}"
    command = [str(find_java().program), "-Dfile.encoding=UTF-8", f"-Dhome={home}", "-cp", classpath, "groovy.ui.GroovyMain", str(script)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout.decode("utf-8"))
    assert set(found) == {"config.xml", "scriptApproval.xml"}
    assert found["config.xml"] == (home / "config.xml").read_text("utf-8")
