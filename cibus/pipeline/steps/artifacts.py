"""archiveArtifacts, fingerprint, copyArtifacts, publishHTML: what a build keeps."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.pipeline.antglob import scan
from cibus.pipeline.antmask import explain
from cibus.pipeline.javatext import expand
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step

if TYPE_CHECKING:
    from cibus.pipeline.runtime.build import Build

STEP_CLASSES: dict[str, str] = {
    "ArtifactArchiver": "archiveArtifacts",
    "CopyArtifact": "copyArtifacts",
    "ExtendedEmailPublisher": "emailext",
    "Fingerprinter": "fingerprint",
    "GitHubCommitStatusSetter": "gitHubCommitStatus",
    "GitHubPRStatusBuilder": "setGitHubPullRequestStatus",
    "HtmlPublisher": "publishHTML",
    "JUnitResultArchiver": "junit",
    "Mailer": "mailer",
    "WsCleanup": "cleanWs",
}
"""Simple class names that ``step([$class: 'X', ...])`` takes, and the step that does the same."""


def keep(build: Build, source: Path, name: str) -> None:
    """Copies a file into the build's artifacts; a symbolic link stays one where it stays inside."""
    target = build.artifacts_dir / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.exists():
        target.unlink()
    shutil.copy2(source, target, follow_symlinks=not _local_link(source))
    build.add_artifact(name)


def _local_link(path: Path) -> bool:
    return path.is_symlink() and not path.readlink().is_absolute() and ".." not in path.readlink().parts


@step("archiveArtifacts", plugin="core", node=True)
def archive_artifacts(
    ctx: StepContext,
    artifacts: str,
    excludes: str | None = None,
    allowEmptyArchive: bool = False,
    onlyIfSuccessful: bool = False,
    fingerprint: bool = False,
    defaultExcludes: bool = True,
    caseSensitive: bool = True,
    followSymlinks: bool = True,
) -> None:
    """Keeps files of the workspace with the build; mirrors ArtifactArchiver of Jenkins 2.277."""
    artifacts = artifacts.strip()
    if not artifacts:
        raise ctx.fail(
            "No artifacts are configured for archiving.\n"
            "You probably forgot to set the file pattern, so please go back to the configuration and specify it.\n"
            "If you really did mean to archive all the files in the workspace, please specify “**”"
        )
    if onlyIfSuccessful and ctx.build.result in ("FAILURE", "NOT_BUILT", "ABORTED"):
        ctx.log("Skipped archiving because build is not successful")
        return
    ctx.log("Archiving artifacts")
    masks = expand(artifacts, ctx.environ())
    root = ctx.cwd
    names = scan(root, masks, excludes and excludes.strip(), defaultExcludes, caseSensitive, followSymlinks)
    if names:
        with ctx.suspended():
            for name in names:
                keep(ctx.build, root / name, name)
        if fingerprint:
            _record(ctx, masks, excludes, defaultExcludes, caseSensitive)
        return
    if ctx.build.result in (None, "SUCCESS", "UNSTABLE"):
        hint = explain(root, masks, caseSensitive) if root.is_dir() else f"‘{masks}’ doesn’t match anything"
        if hint:
            ctx.log(hint)
        problem = f'No artifacts found that match the file pattern "{masks}". Configuration error?'
        if not allowEmptyArchive:
            raise ctx.fail(problem)
        ctx.log(problem)


@step("archive", plugin="workflow-basic-steps", node=True)
def archive(ctx: StepContext, includes: str, excludes: str | None = None) -> None:
    """The deprecated form of archiveArtifacts; mirrors workflow-basic-steps 2.22."""
    ctx.log("The archive step is deprecated, please use archiveArtifacts instead.")
    root = ctx.cwd
    names = scan(root, includes, excludes)
    if not names:
        raise ctx.fail(f'No artifacts found that match the file pattern "{includes}". Configuration error?')
    for name in names:
        keep(ctx.build, root / name, name)


@step("fingerprint", plugin="core", node=True)
def fingerprint(
    ctx: StepContext,
    targets: str,
    excludes: str | None = None,
    defaultExcludes: bool = True,
    caseSensitive: bool = True,
) -> None:
    """Notes the MD5 of files; mirrors Fingerprinter of Jenkins 2.277."""
    _record(ctx, expand(targets, ctx.environ()), excludes, defaultExcludes, caseSensitive)


def _record(ctx: StepContext, masks: str, excludes: str | None, defaults: bool, case_sensitive: bool) -> None:
    from cibus.pipeline.steps.files import digest

    ctx.log("Recording fingerprints")
    for name in scan(ctx.cwd, masks, excludes, defaults, case_sensitive):
        ctx.build.fingerprints[name] = digest(ctx.cwd / name, "md5") or ""


# -- copyArtifacts


@step("copyArtifacts", plugin="copyartifact", node=True, differs="builds of other jobs are those that ran here")
def copy_artifacts(
    ctx: StepContext,
    projectName: str,
    filter: str = "**",
    excludes: str | None = None,
    target: str = "",
    selector: Any = None,
    flatten: bool = False,
    optional: bool = False,
    fingerprintArtifacts: bool = True,
    parameters: str | None = None,
    includeBuildNumberInTargetPath: bool = False,
    doNotFingerprintArtifacts: bool = False,
    resultVariableSuffix: str | None = None,
) -> None:
    """Copies artifacts of another job's local build; recorded where it has none; mirrors copyartifact 1.46."""
    environ = ctx.environ()
    job = expand(projectName, environ)
    masks = expand(filter or "**", environ)
    wanted = _selected_number(selector)
    folder = ctx.run.build_of(job, wanted)
    if folder is None:
        if optional:
            ctx.log(f"Unable to find a build for artifact copy from: {job}")
            return
        ctx.recorded("copyArtifacts", job=job, build=wanted, filter=masks, target=target)
        return
    destination = ctx.path(expand(target, environ)) if target else ctx.cwd
    if includeBuildNumberInTargetPath:
        destination = destination / folder.name
    names = scan(folder / "artifacts", masks, excludes)
    for name in names:
        to = destination / (Path(name).name if flatten else name)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "artifacts" / name, to)
    if not names and not optional:
        raise ctx.fail(f"Failed to copy artifacts from {job} with filter: {masks}")
    noun = "artifact" if len(names) == 1 else "artifacts"
    ctx.log(f'Copied {len(names)} {noun} from "{job}" build number {folder.name}')


def _selected_number(selector: Any) -> int | None:
    """The number that ``specific('12')`` names; None for the last build that fits."""
    given = selector.get("buildNumber") if isinstance(selector, Mapping) else None
    return int(str(given)) if given is not None and str(given).isdigit() else None


# -- publishHTML


@step("publishHTML", plugin="htmlpublisher", node=True)
def publish_html(ctx: StepContext, target: dict[str, Any] | None = None, **rest: Any) -> None:
    """Keeps an HTML report with the build; mirrors htmlpublisher 1.25."""
    given: Mapping[str, Any] = target if target is not None else rest
    targets = given.get("reportTargets") or [given]
    ctx.log("[htmlpublisher] Archiving HTML reports...")
    for entry in targets:
        _publish(ctx, entry)


def _publish(ctx: StepContext, target: Mapping[str, Any]) -> None:
    source = ctx.path(expand(str(target.get("reportDir") or ""), ctx.environ()))
    name = str(target.get("reportName") or "HTML Report")
    keep_all, allow_missing = target.get("keepAll") is True, target.get("allowMissing") is True
    place = ctx.build.reports_dir / "html" / _folder_name(name)
    level = "BUILD" if keep_all else "PROJECT"
    ctx.log(f"[htmlpublisher] Archiving at {level} level {source} to {place}")
    if not source.exists():
        ctx.log(f"ERROR: Specified HTML directory '{source}' does not exist.")
        if not allow_missing:
            ctx.build.set_result("FAILURE")
        return
    if place.exists():
        shutil.rmtree(place)
    names = scan(source, str(target.get("includes") or "**/*"))
    for entry in names:
        (place / entry).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / entry, place / entry)
    if not names and not allow_missing:
        ctx.log(f"ERROR: Directory '{source}' exists but failed copying to '{place}'.")
        if ctx.build.result in ("SUCCESS", "UNSTABLE"):
            ctx.log("ERROR: This is especially strange since your build otherwise succeeded.")
        ctx.build.set_result("FAILURE")


def _folder_name(name: str) -> str:
    """The folder of a report, with what is no letter or digit escaped as the plugin does."""
    return "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):02x}" for c in name)
