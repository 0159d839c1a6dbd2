"""JUnit's XML reports, counted as junit-plugin 1.44 counts them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One test case; ``message`` is the failure's or the reason of a skip."""

    class_name: str
    name: str
    status: str
    seconds: float = 0.0
    message: str = ""
    trace: str = ""
    output: str = ""


@dataclass
class Suite:
    """A suite with its own cases (nested suites are suites of their own)."""

    name: str
    id: str | None = None
    timestamp: str | None = None
    cases: list[Case] = field(default_factory=list)


@dataclass
class Results:
    """The suites of some reports. Suites of the same name and time count once."""

    suites: list[Suite] = field(default_factory=list)

    def add(self, suite: Suite) -> None:
        """Adds a suite, or its cases to the one of the same name; the same one again is dropped."""
        for known in self.suites:
            if known.name == suite.name and known.id == suite.id:
                if known.timestamp is None or known.timestamp != suite.timestamp:
                    known.cases.extend(suite.cases)
                return
        self.suites.append(suite)

    def count(self, status: str) -> int:
        """The number of cases with that status."""
        return sum(case.status == status for suite in self.suites for case in suite.cases)

    @property
    def total(self) -> int:
        """The number of cases."""
        return sum(len(suite.cases) for suite in self.suites)


def read(path: Path, results: Results) -> None:
    """Adds a report; an empty or broken one counts as one failed test. Raises OSError for what is not a report."""
    if path.stat().st_size == 0:
        problem = Case(path.name, "[empty]", "failed", message=f"Test report file {path} was length 0")
        results.add(Suite(path.name, cases=[problem]))
        return
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        if path.suffix != ".xml":
            raise OSError(
                f"Failed to read {path}\nIs this really a JUnit report file? "
                "Your configuration must be matching too many files"
            ) from error
        problem = Case(path.name, "<init>", "failed", message=f"Failed to read test report file {path}\n{error}")
        results.add(Suite(path.name, cases=[problem]))
        return
    _suite(path, root, results)


def _suite(path: Path, element: ET.Element, results: Results) -> None:
    for child in element.findall("testsuite"):
        _suite(path, child, results)
    if element.find("testcase") is None and element.find("error") is None:
        return
    name = element.get("name") or f"({path.name})"
    if element.get("name") and element.get("package"):
        name = f"{element.get('package')}.{name}"
    suite = Suite(name.replace("/", "_"), element.get("id"), element.get("timestamp"))
    error = element.find("error")
    if error is not None:
        suite.cases.append(Case(suite.name, "<init>", "failed", trace=error.text or ""))
    suite.cases.extend(_case(child, suite.name) for child in element.findall("testcase"))
    results.add(suite)


def _case(element: ET.Element, suite: str) -> Case:
    problem = element.find("error")
    if problem is None:
        problem = element.find("failure")
    skipped = element.find("skipped")
    said = skipped if skipped is not None else problem
    status = "skipped" if skipped is not None else "passed" if problem is None else "failed"
    name = element.get("name") or ""
    class_name = element.get("classname")
    if class_name is None:
        class_name, _, rest = name.rpartition(".")
        class_name, name = (class_name, rest) if class_name else (suite, name)
    return Case(
        class_name,
        name,
        status,
        seconds(element.get("time")),
        (said.get("message") or "") if said is not None else "",
        (said.text or "") if said is not None else "",
        "".join(element.findtext(tag) or "" for tag in ("system-out", "system-err")),
    )


def seconds(text: str | None) -> float:
    """A duration; thousands separators are ignored."""
    try:
        return float((text or "0").replace(",", "").removesuffix("s"))
    except ValueError:
        return 0.0
