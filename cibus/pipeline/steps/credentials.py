"""withCredentials and sshagent (credentials-binding 1.24, ssh-agent)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cibus.errors import HostError
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown

NEEDS_NODE = ("file", "zip", "sshUserPrivateKey", "certificate", "dockerCert")


@step("withCredentials", plugin="credentials-binding", block="yes", waits=True)
def with_credentials(ctx: StepContext, bindings: list[Any]) -> Any:
    """Credentials as variables for the body; their values are masked in the log."""
    pairs = [_pair(each) for each in bindings]
    return bound_body(ctx, pairs, lambda scope: ctx.run_body(scope))


def _pair(binding: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(binding, dict):
        kind = getattr(binding, "symbol", None) or str(binding.get("$class", ""))
        return kind.rsplit(".", 1)[-1], binding
    raise Thrown("java.lang.IllegalArgumentException", f"not a binding: {binding}")


def bound_body(ctx: StepContext, pairs: list[tuple[str, Mapping[str, Any]]], work: Any) -> Any:
    """Runs ``work(scope)`` with bindings in the scope, and removes what they left."""
    made: list[Path] = []

    def folder() -> Path:
        place = Path(f"{ctx.workspace}@tmp") / "secretFiles" / os.urandom(8).hex()
        place.mkdir(parents=True, mode=0o700)
        made.append(place)
        return place

    bound = ctx.run.credentials.bind(pairs, folder)
    try:
        if bound.names:
            ctx.log("Masking supported pattern matches of " + " or ".join(f"${name}" for name in bound.names))
        scope = ctx.scope.with_env({name: ctx.place.shown(value) for name, value in bound.variables.items()})
        scope = scope.inside(secrets=(*scope.secrets, *(ctx.place.shown(secret) for secret in bound.secrets)), sensitive=(*scope.sensitive, *bound.names))
        ctx.run.hide(bound.secrets)
        return work(scope)
    finally:
        bound.remove()
        from cibus.pipeline.steps.basic import remove_tree

        for place in made:
            remove_tree(place)
        if made:
            with contextlib.suppress(HostError):  # a host that is gone says so where it is next needed
                ctx.place.settle()


@step("sshagent", plugin="ssh-agent", block="yes", node=True)
def sshagent(ctx: StepContext, credentials: list[str], ignoreMissing: bool = False) -> Any:
    """Runs an ssh-agent with the keys for the body."""
    ctx.log("[ssh-agent] Using credentials " + ", ".join(credentials))
    keys = []
    for id in credentials:
        try:
            keys.append(ctx.run.credentials.find(id, "sshUserPrivateKey"))
        except Thrown:
            if not ignoreMissing:
                raise ctx.fail(f"[ssh-agent] Could not find specified credentials: {id}") from None
            ctx.log("[ssh-agent] Unable to find some credentials; ignored")
    started = ctx.place.ask(["ssh-agent", "-s"], ctx.environ())
    if started.returncode != 0:
        raise ctx.fail("[ssh-agent] Could not start ssh-agent: " + started.stderr.strip())
    env = dict(part.split("=", 1) for part in started.stdout.replace("\n", " ").split(";") if "=" in part for part in [part.strip()])
    overlay: dict[str, str] = {name: env[name] for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID") if name in env}
    ctx.log("$ ssh-agent\nSSH_AUTH_SOCK=" + overlay.get("SSH_AUTH_SOCK", "") + "\nSSH_AGENT_PID=" + overlay.get("SSH_AGENT_PID", ""))
    try:
        for key in keys:
            _add_key(ctx, key.id, overlay)
        ctx.log("[ssh-agent] Started.")
        return ctx.run_body(ctx.scope.with_env(overlay))
    finally:
        ctx.place.ask(["ssh-agent", "-k"], {**ctx.environ(), **overlay})
        ctx.log("$ ssh-agent -k\nunset SSH_AUTH_SOCK;\nunset SSH_AGENT_PID;\necho Agent pid " + overlay.get("SSH_AGENT_PID", "") + " killed;\n[ssh-agent] Stopped.")


def _add_key(ctx: StepContext, id: str, overlay: Mapping[str, str]) -> None:
    credential = ctx.run.credentials.find(id, "sshUserPrivateKey")
    secret = ctx.run.credentials.value(credential, "private_key")
    phrase = ctx.run.credentials.value(credential, "passphrase", "")
    place = Path(f"{ctx.workspace}@tmp") / f"private_key_{os.urandom(6).hex()}.key"
    place.parent.mkdir(parents=True, exist_ok=True)
    ask = place.with_suffix(".ask")
    try:
        place.touch(mode=0o600)
        place.write_text(secret, encoding="utf-8")
        ask.touch(mode=0o700)
        ask.write_text('#!/bin/sh\nprintf "%s\\n" "$CIBUS_PHRASE"\n', encoding="utf-8")
        env = {**ctx.environ(), **overlay, "CIBUS_PHRASE": phrase, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        ctx.log(f"Running ssh-add (command line suppressed)\nIdentity added: {place} ({credential.username})")
        done = ctx.place.ask(["ssh-add", str(place)], env)
        if done.returncode != 0:
            raise ctx.fail(f"[ssh-agent] Could not add the key of {id}: {done.stderr.strip()}")
    finally:
        place.unlink(missing_ok=True)
        ask.unlink(missing_ok=True)
        ctx.place.settle()
