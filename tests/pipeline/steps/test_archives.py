from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps


def test_zip_and_unzip(steps: Steps) -> None:
    steps.write("d/a.txt", "d/e/b.log")
    steps("zip", zipFile="out.zip", dir="d", archive=True)
    target = steps.root / "out.zip"
    assert steps.log == [
        f"Writing zip file of {steps.root}/d to {target}",
        "Zipped 2 entries.",
        f"Archiving {target}",
    ]
    assert steps.ctx.build.artifacts == ["out.zip"]
    steps("unzip", zipFile="out.zip", dir="copy")
    assert steps.log == [
        f"Extracting from {target}",
        f"Extracting: a.txt -> {steps.root}/copy/a.txt",
        f"Extracting: e/b.log -> {steps.root}/copy/e/b.log",
        "Extracted: 2 files",
    ]
    assert steps("unzip", zipFile="out.zip", glob="*.txt", read=True) == {"a.txt": "x"}
    assert steps.log[1:] == ["Reading: a.txt", "Read: 1 files"]
    assert steps("unzip", zipFile="out.zip", test=True) is True
    assert steps.log == [f"Checking 2 zipped entries in {target}"]


def test_zip_of_the_workspace_leaves_itself_out(steps: Steps) -> None:
    steps.write("a.txt", "b.log")
    steps("zip", zipFile="out.zip", glob="*.txt, *.zip")
    assert steps.log == [
        f"Writing zip file of {steps.root} filtered by [*.txt, *.zip] to {steps.root}/out.zip",
        "Zipped 1 entries.",
    ]


def test_existing_target(steps: Steps) -> None:
    steps.write("a.txt", "out.zip")
    failed = steps.fails("zip", zipFile="out.zip")
    assert (failed.class_name, failed.message) == ("java.io.IOException", f"{steps.root}/out.zip exists.")
    steps("zip", zipFile="out.zip", overwrite=True)
    assert zipfile.ZipFile(steps.root / "out.zip").namelist() == ["a.txt"]
    assert steps.fails("zip", zipFile="x.zip", dir="none").message == f"{steps.root}/none does not exist."


def test_unzip_stays_inside(steps: Steps) -> None:
    with zipfile.ZipFile(steps.root / "evil.zip", "w") as archive:
        archive.writestr("../out", "x")
    failed = steps.fails("unzip", zipFile="evil.zip", dir="d")
    assert failed.class_name == "java.io.FileNotFoundException"
    assert failed.message == f"{steps.root}/d/../out is out of bounds!"


def test_broken_zip(steps: Steps) -> None:
    steps.write("bad.zip", text="no zip")
    assert steps("unzip", zipFile="bad.zip", test=True) is False
    assert steps.log == ["ERROR: Error validating zip file: zip END header not found"]
    assert steps.fails("unzip", zipFile="bad.zip").class_name == "java.util.zip.ZipException"
    assert steps.fails("unzip", zipFile="none.zip").message == f"{steps.root}/none.zip does not exist."


def test_tar_and_untar(steps: Steps) -> None:
    steps.write("d/a.sh")
    (steps.root / "d/a.sh").chmod(0o755)
    steps("tar", file="out.tgz", dir="d", glob="*.sh")
    assert steps.log == [
        f"Compress {steps.root}/d filtered by [*.sh] - [None] to {steps.root}/out.tgz".replace("None", "null"),
        "Compressed 1 entries.",
    ]
    steps("untar", file="out.tgz", dir="copy")
    assert steps.log == [
        f"Extracting from {steps.root}/out.tgz",
        f"Extracting: a.sh -> {steps.root}/copy/a.sh",
        "Extracted: 1 files",
    ]
    assert (steps.root / "copy/a.sh").stat().st_mode & 0o777 == 0o755
    assert steps("untar", file="out.tgz", test=True) is True


def test_untar_stays_inside(steps: Steps) -> None:
    steps.write("f")
    with tarfile.open(steps.root / "evil.tar", "w") as archive:
        archive.add(steps.root / "f", "../out")
    assert steps.fails("untar", file="evil.tar", dir="d").class_name == "java.io.FileNotFoundException"
