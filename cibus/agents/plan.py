"""What a rebuild is going to do, in lines that are shown before it does. Reads from the controller only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cibus.agents.registration import drift
from cibus.agents.spec import AgentSpec
from cibus.agents.verify import Context
from cibus.agents.work import Options
from cibus.jenkins import nodes

HOW = {"websocket": "calls the controller by WebSocket", "tcp": "calls the controller by TCP", "ssh": "is started by the controller over SSH"}


def lines(specs: Sequence[AgentSpec], contexts: Mapping[str, Context], options: Options, commit: str) -> Iterator[tuple[str, str]]:
    """The plan, line by line with a style."""
    for spec in specs:
        context = contexts[spec.name]
        assert context.client is not None
        assert context.served is not None
        yield "bold", f"{spec.name} on {spec.host.shown}, {spec.os}, agent of {context.client.settings.url} (Jenkins {context.served.version})"
        steps = _steps(spec, context, options, commit)
        yield from (("", f"  {number:2}. {step}") for number, step in enumerate(steps, 1))


def _steps(spec: AgentSpec, context: Context, options: Options, commit: str) -> Iterator[str]:
    assert context.client is not None
    assert context.served is not None
    found = nodes.computer(context.client, spec.name)
    if found is not None:
        yield f"take it offline: {options.reason}"
        running = f"{len(found.running)} running now; " if found.running else ""
        yield f"wait for its builds ({running}{f'at most {options.drain:.0f} s' if options.drain else 'not at all: they die'})"
    yield f"look at the machine: reachable, {spec.os}, at least {context.rebuild.disk} GiB free, root by sudo"
    if found is None:
        yield "create the node, offline"
    else:
        differences = drift(context.client, spec)
        yield f"update the node: {'; '.join(differences)}" if differences else "leave the node as it is"
    if options.bare:
        yield "remove what a former agent left (bare.yml)"
    java = context.served.java.chosen(spec.java)
    yield f"run agent.yml ({commit[:12]}{'+changes' if commit.endswith('+changes') else ''}): Java {java}, agent.jar {context.served.remoting or context.served.jar[:12]}, labels {' '.join(spec.labels) or '(none)'}; it {HOW[spec.launcher]}"
    yield "wait until it is connected"
    proved = [each.label for each in context.proofs(spec)]
    plain = [label for label in spec.labels if label not in proved]
    deeds = [*(["kill its process"] if spec.inbound else []), *(["reboot"] if options.reboot else []), *(["run a build"] if options.build else [])]
    yield f"verify: {', '.join(proved) or 'no label'} by command{f' ({chr(44).join(plain)} promise nothing)' if plain else ''}; {', '.join(deeds)}"
    if options.prove:
        yield "run agent.yml again: it must change nothing"
    yield "bring it online, write the receipt"
