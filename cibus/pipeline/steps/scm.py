"""checkout and git (git 4.5.2, workflow-scm-step 2.11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cibus.errors import SourceError
from cibus.git import git as run_git
from cibus.git import try_git
from cibus.pipeline.runtime.places import HERE
from cibus.pipeline.runtime.source import changes_between, disarm, populate, shown_command
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown

NO_SCM = "‘checkout scm’ is only available when using “Multibranch Pipeline” or “Pipeline script from SCM”"
NO_REVISION = "Couldn't find any revision to build. Verify the repository and branch configuration for this job."


@step("checkout", plugin="workflow-scm-step", node=True)
def checkout(ctx: StepContext, scm: Any, poll: bool = True, changelog: bool = True) -> dict[str, str]:
    """Checks out ``scm`` (the repository of the script), or another repository given as a describable."""
    if getattr(scm, "is_own_scm", False):
        return checkout_own(ctx)
    if isinstance(scm, dict):
        return _checkout_described(ctx, scm)
    raise Thrown("java.lang.IllegalArgumentException", f"cannot check out {scm}")


@step("git", plugin="git", node=True)
def git_step(
    ctx: StepContext,
    url: str,
    branch: str = "master",
    credentialsId: str | None = None,
    poll: bool = True,
    changelog: bool = True,
) -> dict[str, str]:
    """Clones a branch of a repository into the current folder."""
    return clone(ctx, url, [f"*/{branch}"], local_branch=branch)


def checkout_own(ctx: StepContext) -> dict[str, str]:
    """Puts the working copy (or the commit, with ``--clean``) into the current folder."""
    run, source = ctx.run, ctx.run.source
    if source.mode == "inline" or source.root is None:
        raise ctx.fail(NO_SCM)
    if source.commit is not None:
        _chatter(ctx, source.url, source.commit, source.branch)
    else:
        ctx.note_difference("there is no commit to check out: the folder's files are copied, GIT_COMMIT and its like are not set")
        run.remark(f"{source.root} has no git commit; its files are copied, and GIT_COMMIT and its like are not set", "note")
    try:
        if ctx.run.in_place and ctx.cwd == source.root:
            ctx.note_difference("the working copy itself is the workspace")
        else:
            populate(source, ctx.cwd, whole=ctx.place is not HERE)
    except SourceError as error:
        raise ctx.fail(str(error)) from error
    if source.dirty:
        ctx.note_difference(f"{len(source.dirty)} uncommitted files are included")
        run.remark(f"the workspace has {len(source.dirty)} uncommitted files on top of {(source.commit or '')[:10]} (--clean leaves them out)", "note")
    return remember(ctx, source.url, source.commit, source.branch, source.root)


def remember(ctx: StepContext, url: str, commit: str | None, branch: str, repository: Path) -> dict[str, str]:
    """Notes a checkout in the build and gives its variables, as GitSCM does."""
    if commit is None:
        return {}
    run = ctx.run
    key = url
    earlier = next((b.record.get("scm", {}).get(key) for b in run.earlier if key in b.record.get("scm", {})), None)
    previous = earlier["commit"] if earlier else None
    success = next((b.record["scm"][key]["commit"] for b in run.earlier if b.result == "SUCCESS" and key in b.record.get("scm", {})), None)
    pins = run.options.pins
    if pins is not None and pins.changes is not None:
        run.build.changes = [dict(each) for each in pins.changes]
    elif key not in run.build.scm:
        run.build.changes.extend(changes_between(repository, previous, commit))
    run.build.scm[key] = {"commit": commit, "branch": branch}
    ctx.log("First time build. Skipping changelog." if previous is None else shown_command(["rev-list", "--no-walk", previous]))
    name = branch if run.source.mode == "multibranch" else f"origin/{branch}"
    variables = {"GIT_BRANCH": name, "GIT_COMMIT": commit, "GIT_URL": url}
    if previous:
        variables["GIT_PREVIOUS_COMMIT"] = previous
    if success:
        variables["GIT_PREVIOUS_SUCCESSFUL_COMMIT"] = success
    return variables


def _chatter(ctx: StepContext, url: str, commit: str, branch: str) -> None:
    ctx.log("The recommended git tool is: NONE\nNo credentials specified\nCloning the remote Git repository\n" + f"Cloning repository {url}\nChecking out Revision {commit} (refs/remotes/origin/{branch})")


def _checkout_described(ctx: StepContext, scm: dict[str, Any]) -> dict[str, str]:
    kind = getattr(scm, "symbol", None) or str(scm.get("$class", ""))
    if not kind.endswith(("GitSCM", "scmGit", "gitSCM")):
        raise ctx.fail(f"checkout of {kind or 'this SCM'} is not supported here; only git is")
    remotes = scm.get("userRemoteConfigs") or []
    if not remotes or "url" not in remotes[0]:
        raise ctx.fail("checkout: userRemoteConfigs names no url")
    branches = [str(each.get("name", "**")) for each in scm.get("branches") or [{"name": "*/master"}]]
    folder = ""
    for extension in scm.get("extensions") or []:
        if str(extension.get("$class", getattr(extension, "symbol", ""))).endswith("elativeTargetDirectory"):
            folder = str(extension.get("relativeTargetDir", ""))
    return clone(ctx, str(remotes[0]["url"]), branches, folder=folder)


def clone(ctx: StepContext, url: str, branches: list[str], *, local_branch: str = "", folder: str = "") -> dict[str, str]:
    """Fetches a repository and checks the first branch out that exists."""
    source = ctx.run.source
    target = ctx.cwd / folder if folder else ctx.cwd
    target.mkdir(parents=True, exist_ok=True)
    same = source.is_git and url in (source.url, f"file://{source.root}")
    origin = str(source.root) if same else url
    try:
        if ctx.place is not HERE:
            disarm(target)
        if ctx.place is not HERE or not (target / ".git").is_dir():
            run_git(target, "-c", "init.defaultBranch=main", "init", "-q")
            run_git(target, "config", "remote.origin.url", url)
            run_git(target, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        ctx.log(f"Cloning the remote Git repository\nCloning repository {url}")
        run_git(target, "fetch", "-q", "--no-write-fetch-head", "--force", "--tags", origin, "+refs/heads/*:refs/remotes/origin/*")
    except SourceError as error:
        raise ctx.fail(f"Error fetching remote repo 'origin': {error}") from error
    for branch in branches:
        found = _pinned(ctx, target, url, branch) or _resolve(target, branch)
        if found is not None:
            commit, name = found
            args = ["checkout", "-q", "-f", "-B", local_branch, commit] if local_branch else ["checkout", "-q", "-f", "--detach", commit]
            run_git(target, "-c", "advice.detachedHead=false", *args)
            ctx.log(f"Checking out Revision {commit} (refs/remotes/origin/{name})")
            return remember(ctx, url, commit, name, target)
    raise ctx.fail(NO_REVISION)


def _pinned(ctx: StepContext, repository: Path, url: str, spec: str) -> tuple[str, str] | None:
    """The commit that a captured build had of this branch, where it can still be fetched."""
    name = _branch_name(spec)
    pins = ctx.run.options.pins
    commit = pins.checkout(url, name) if pins is not None else None
    if commit is None:
        return None
    if try_git(repository, "cat-file", "-e", f"{commit}^{{commit}}") is None and try_git(repository, "fetch", "-q", "origin", commit) is None:
        ctx.note_difference(f"{url} has no commit {commit} any more: {name} is what it is now")
        ctx.remark(f"{url} has no commit {commit[:10]} any more (a force push?); {name} is checked out as it is now")
        return None
    return commit, name


def _branch_name(spec: str) -> str:
    return spec.removeprefix("*/").removeprefix("origin/").removeprefix("refs/heads/").removeprefix("refs/remotes/origin/")


def _resolve(repository: Path, spec: str) -> tuple[str, str] | None:
    """A branch specification (``main``, ``*/main``, ``origin/main``, ``refs/tags/v1``, a commit) as (commit, name)."""
    name = _branch_name(spec)
    for candidate in (f"refs/remotes/origin/{name}", f"refs/tags/{name.removeprefix('refs/tags/')}", name):
        commit = try_git(repository, "rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
        if commit:
            return commit, name
    return None


@step("resolveScm", plugin="pipeline-multibranch-defaults", fidelity="accepted")
def resolve_scm(ctx: StepContext, source: Any, targets: list[str] | None = None, ignoreErrors: bool = False) -> Any:
    """Gives the build's own SCM."""
    return ctx.run.objects.scm()
