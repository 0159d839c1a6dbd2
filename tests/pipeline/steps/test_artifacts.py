from __future__ import annotations

from typing import TYPE_CHECKING

from cibus.pipeline.steps import registry
from cibus.pipeline.steps.artifacts import STEP_CLASSES

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps


def test_archive_artifacts(steps: Steps) -> None:
    steps.write("dist/a.jar", "dist/sub/b.jar", "dist/c.map", "readme.txt")
    steps("archiveArtifacts", "readme.txt")
    steps("archiveArtifacts", artifacts="dist/**/*.jar, dist/*.map", excludes="**/c.map", fingerprint=True)
    assert steps.log == ["Archiving artifacts", "Archiving artifacts", "Recording fingerprints"]
    build = steps.ctx.build
    assert sorted(build.artifacts) == ["dist/a.jar", "dist/sub/b.jar", "readme.txt"]
    assert (build.artifacts_dir / "dist/sub/b.jar").read_text() == "x"
    assert "dist/a.jar" in build.fingerprints


def test_nothing_to_archive(steps: Steps) -> None:
    steps.write("a")
    steps("archiveArtifacts", artifacts="missing/*", allowEmptyArchive=True)
    assert steps.log == [
        "Archiving artifacts",
        "‘missing/*’ doesn’t match anything, but ‘*’ does. Perhaps that’s what you mean?",
        'No artifacts found that match the file pattern "missing/*". Configuration error?',
    ]
    failed = steps.fails("archiveArtifacts", "b")
    assert failed.message == 'No artifacts found that match the file pattern "b". Configuration error?'
    assert steps.log == ["Archiving artifacts", "‘b’ doesn’t match anything"]
    steps.ctx.build.set_result("FAILURE")
    steps("archiveArtifacts", "b")
    assert steps.log == ["Archiving artifacts"]


def test_only_if_successful(steps: Steps) -> None:
    steps.write("a", "b")
    steps.ctx.build.set_result("UNSTABLE")
    steps("archiveArtifacts", artifacts="a", onlyIfSuccessful=True)
    steps.ctx.build.set_result("FAILURE")
    steps("archiveArtifacts", artifacts="b", onlyIfSuccessful=True)
    assert steps.ctx.build.artifacts == ["a"]
    assert steps.log == ["Archiving artifacts", "Skipped archiving because build is not successful"]


def test_variables_in_masks(steps: Steps) -> None:
    steps.write("out/a")
    steps.ctx.scope = steps.ctx.scope.with_env({"OUT": "out"})
    steps("archiveArtifacts", "${OUT}/*")
    assert steps.ctx.build.artifacts == ["out/a"]


def test_archive_and_fingerprint(steps: Steps) -> None:
    steps.write("a")
    steps("archive", "a")
    steps("fingerprint", "a")
    assert steps.log == [
        "The archive step is deprecated, please use archiveArtifacts instead.",
        "Recording fingerprints",
    ]
    assert steps.ctx.build.fingerprints == {"a": "9dd4e461268c8034f5c8564e155c67a6"}


def test_copy_artifacts(steps: Steps) -> None:
    folder = steps.root.parent / "other" / "3"
    (folder / "artifacts/d").mkdir(parents=True)
    (folder / "artifacts/d/a.txt").write_text("a")
    steps.run.builds["other"] = folder
    steps("copyArtifacts", projectName="other", target="in", flatten=True)
    assert steps.files() == ["in/a.txt"]
    assert steps.log == ['Copied 1 artifact from "other" build number 3']
    assert steps.fails("copyArtifacts", projectName="other", filter="*.zip").is_abort_exception
    steps("copyArtifacts", projectName="unknown")
    assert steps.run.recorded[0][0] == "copyArtifacts"


def test_publish_html(steps: Steps) -> None:
    steps.write("site/index.html", "site/css/a.css")
    steps("publishHTML", target={"reportDir": "site", "reportFiles": "index.html", "reportName": "My Report"})
    place = steps.ctx.build.reports_dir / "html" / "My_20Report"
    assert steps.log == [
        "[htmlpublisher] Archiving HTML reports...",
        f"[htmlpublisher] Archiving at PROJECT level {steps.root}/site to {place}",
    ]
    assert (place / "css/a.css").is_file()
    steps("publishHTML", target={"reportDir": "none", "reportName": "x"})
    assert steps.log[-1] == f"ERROR: Specified HTML directory '{steps.root}/none' does not exist."
    assert steps.ctx.build.result == "FAILURE"


def test_classes_name_steps(steps: Steps) -> None:
    assert [name for name in STEP_CLASSES.values() if name not in registry._STEPS] == []
