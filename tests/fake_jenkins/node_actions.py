"""Nodes over HTTP."""

from __future__ import annotations

from urllib.parse import quote

from . import pages, scripts
from .auth import ADMINISTER
from .call import Call
from .exported_nodes import COMPUTER, COMPUTER_SET, LABEL_ATOM, label_values, load_statistics
from .item_actions import is_form
from .marshal import streamed
from .names import BadName, check_good_name, encode_segment
from .nodes import Node, agent_config, form_json, secret_of
from .remote_api import answer
from .stapler import Bean, Data
from .wire import Response
from .xmldoc import XmlError, parse

_TYPES = ("hudson.slaves.DumbSlave", "hudson.slaves.DumbSlave$DescriptorImpl")


def serve(call: Call) -> Response:
    rest = call.rest[1:]
    if not rest:
        return pages.page("Nodes [Jenkins]", "<h1>Nodes</h1>") if call.slash else pages.found(f"{call.url}/")
    if rest[0] == "api":
        return answer(call, Bean(COMPUTER_SET, call.state), rest)
    if rest == ["doCreateItem"]:
        return _create(call) if call.is_post else pages.needs_post(call.url)
    name = "" if rest[0] == "(master)" else rest[0]
    node = call.state.nodes.get(name)
    if node is None or (name and node.builtin):
        return call.not_found()
    return _computer(call, node, rest[1:])


def _url(call: Call, node: Node) -> str:
    return f"{call.root_url}computer/{'(master)' if node.builtin else encode_segment(node.name)}/"


def _create(call: Call) -> Response:
    if not call.may(ADMINISTER):
        return call.denied(ADMINISTER)
    name = call.param("name") or ""
    try:
        check_good_name(name)
    except BadName as bad:
        return pages.failure(str(bad))
    if name in call.state.nodes:
        return pages.failure(f"Agent called ‘{name}’ already exists")
    if call.param("json") is None:
        return pages.jetty_error(400, "This page expects a form submission", call.path)
    try:
        form = form_json(call.param("json"))
    except ValueError:
        return pages.oops()
    if call.param("type") not in _TYPES:
        return pages.oops()
    call.state.nodes[name] = Node(name, agent_config(name, form))
    return pages.found(f"{call.root_url}computer/")


def _computer(call: Call, node: Node, rest: list[str]) -> Response:
    if not rest:
        return (
            pages.page(f"{node.display_name} [Jenkins]", "<h1>Agent</h1>")
            if call.slash
            else pages.found(f"{call.url}/")
        )
    action = rest[0]
    if action == "api":
        return answer(call, Bean(COMPUTER, node), rest)
    if action == "config.xml":
        return _config(call, node)
    if action in ("slave-agent.jnlp", "jenkins-agent.jnlp"):
        return _jnlp(call, node)
    if action == "loadStatistics":
        return answer(call, load_statistics(), rest[1:])
    if rest[:2] == ["logText", "progressiveText"]:
        body = node.log.replace("\n", "\r\n")[int(call.param("start") or 0) :].encode()
        headers = {"Content-Type": "text/plain;charset=utf-8", "X-Text-Size": str(len(node.log)), "X-More-Data": "true"}
        return Response(200, headers, body)
    if action == "log":
        return pages.page(f"{node.display_name} log [Jenkins]", f"<pre>{node.log}</pre>")
    if action in _POSTS:
        if not call.is_post:
            return pages.needs_post(call.url)
        if not call.may(ADMINISTER):
            return call.denied(ADMINISTER)
        return _POSTS[action](call, node)
    return call.not_found()


def _config(call: Call, node: Node) -> Response:
    if node.root is None:
        return Response(400)
    if call.method == "GET":
        return pages.xml(streamed(node.root)) if call.may(ADMINISTER) else call.denied(ADMINISTER)
    if not call.is_post:
        return Response(400)
    if not call.may(ADMINISTER):
        return call.denied(ADMINISTER)
    try:
        root = parse(call.request.body, truncate_astral=True).root
    except XmlError:
        return pages.oops()
    if is_form(call) or root.tag != "slave":
        return pages.oops()
    nodes = call.state.nodes
    replaced = Node(root.get("name") or node.name, root, node.online, node.offline_cause, node.monitors, log=node.log, seen=node.seen, job=node.job)
    # another <name> renames the node; it keeps its place
    call.state.nodes = {
        (replaced.name if name == node.name else name): (replaced if name == node.name else each)
        for name, each in nodes.items()
    }
    return pages.ok()


def _toggle(call: Call, node: Node) -> Response:
    node.toggle_offline(call.param("offlineMessage") or "", call.caller.name)
    return pages.found(_url(call, node))


def _change_cause(call: Call, node: Node) -> Response:
    node.set_cause(call.param("offlineMessage") or "", call.caller.name)
    return pages.found(_url(call, node))


def _delete(call: Call, node: Node) -> Response:
    if node.builtin:
        return Response(400)
    del call.state.nodes[node.name]
    return pages.found(f"{call.root_url}computer/")


def _disconnect(call: Call, node: Node) -> Response:
    node.online = False
    return pages.found(_url(call, node))


def _script(call: Call, node: Node) -> Response:
    return pages.plain(scripts.run(call.state, call.param("script") or ""))


_POSTS = {
    "toggleOffline": _toggle,
    "changeOfflineCause": _change_cause,
    "doDelete": _delete,
    "doDisconnect": _disconnect,
    "launchSlaveAgent": lambda call, node: pages.found(f"{_url(call, node)}log"),
    "scriptText": _script,
}


def _jnlp(call: Call, node: Node) -> Response:
    if node.root is None:
        return call.not_found()
    args = [secret_of(node), node.name]
    inbound = node.launcher.endswith("JNLPLauncher")
    web_socket = ["-webSocket"] if node.root.get("launcher/webSocket") == "true" else []
    internal = node.root.get("launcher/workDirSettings/internalDir") if inbound else ""
    args += [*web_socket, "-workDir", node.field("remoteFS") if inbound else "", "-internalDir", internal]
    args += ["-url", call.root_url]
    arguments = "".join(f"<argument>{each}</argument>" for each in args)
    body = (
        f'<jnlp codebase="{call.root_url}computer/{quote(node.name)}/" spec="1.0+"><information><title>Agent for {node.name}</title>'
        '<vendor>Jenkins project</vendor><homepage href="https://jenkins-ci.org/"></homepage></information><security>'
        '<all-permissions></all-permissions></security><resources><j2se version="1.8+"></j2se>'
        f'<jar href="{call.root_url}jnlpJars/remoting.jar"></jar></resources>'
        f'<application-desc main-class="hudson.remoting.jnlp.Main">{arguments}</application-desc></jnlp>'
    )
    return Response(200, {"Content-Type": "application/x-java-jnlp-file"}, body.encode(), compressible=True)


def label(call: Call) -> Response:
    """`/label/EXPRESSION`: atoms, and conjunctions of them."""
    name, rest = call.rest[1], call.rest[2:]
    if "&&" not in name:
        return answer(call, Bean(LABEL_ATOM, name), rest)
    atoms = [part.strip() for part in name.split("&&")]
    nodes = [node for node in call.state.nodes.values() if set(atoms) <= set(node.labels)]
    values = label_values(call.context, name)
    nodes_data = [Data("hudson.slaves.DumbSlave", {"nodeName": node.name}, {"nodeName": 999}) for node in nodes]
    values |= {"nodes": nodes_data, "description": f"group of {','.join(node.name for node in nodes)}"}
    del values["propertiesList"]
    return answer(call, Data("hudson.model.labels.LabelExpression$And", values), rest)
