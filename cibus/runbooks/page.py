"""A runbook as it is written: front matter, seven sections, and blocks that run."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cibus.errors import UsageError
from cibus.runbooks.expect import ATTRIBUTES, Expect, expected
from cibus.runbooks.files import FRONT

SECTIONS = ("What you see", "Why it matters", "Check", "Fix", "Verify", "If that fails", "Background")
RUNNABLE = ("Check", "Fix", "Verify")
SAFE = ("Check", "Verify")
OWNERS = ("build owner", "controller owner", "agent owner", "job owner", "service owner", "on call")
SEVERITIES = ("error", "warning", "task")
NEEDS = ("controller", "agent", "mac", "controller machine", "repository", "service", "prometheus", "this machine")
KEYS = ("alerts", "owner", "severity", "minutes", "needs", "variables")
PLAIN = r"(?!-)[^\x00-\x1f\x7f]+"  # a value that no command takes for an option
VARIABLE = re.compile(r"[a-z][a-z0-9_]*")
SHELL = ("sh", "bash", "shell", "console", "zsh")


@dataclass(frozen=True)
class Variable:
    """What a page has to be given: asked for where neither given nor default; a secret one is not shown."""

    name: str
    what: str
    default: str = ""
    pattern: str = PLAIN
    secret: bool = False

    @property
    def environment(self) -> str:
        """Its name in a block: ``host`` → ``HOST``."""
        return self.name.upper()


@dataclass(frozen=True)
class Block:
    """A fence that runs, or that a person does by hand.

    Arguments:
        number: from 1, in the page
        line: of its fence, from 1
        sets: the variable that its first line of output becomes, or ""
        dangerous: the word that has to be typed before it runs, or ""
        timeout: seconds
    """

    number: int
    section: str
    line: int
    script: str
    by_hand: bool = False
    expect: Expect = field(default_factory=Expect)
    sets: str = ""
    dangerous: str = ""
    timeout: int = 600

    @property
    def safe(self) -> bool:
        """Whether it changes nothing."""
        return self.section in SAFE and not self.dangerous and not self.by_hand


@dataclass(frozen=True)
class Runbook:
    """A page; ``shown`` are the fences that do not run: line, language, text."""

    name: str
    title: str
    text: str
    alerts: tuple[str, ...]
    owner: str
    severity: str
    minutes: int
    needs: tuple[str, ...]
    variables: Mapping[str, Variable]
    sections: Mapping[str, str]
    blocks: tuple[Block, ...]
    shown: tuple[tuple[int, str, str], ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of the page: which version of it was run."""
        return hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()


class PageError(UsageError):
    """A runbook is not of the form; ``problems`` are all that is wrong, each with its line."""

    def __init__(self, name: str, problems: list[tuple[int, str]]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{name}.md:{first[0]}: {first[1]}{more}; cibus runbook lint {name} shows all")
        self.problems = problems


def parsed(name: str, text: str) -> Runbook:
    """Reads a page.

    Raises:
        PageError: it is not of the form.
    """
    problems: list[tuple[int, str]] = []
    facts, body, before = _front(text, problems)
    tokens = MarkdownIt("commonmark").parse(body)
    variables = _variables(facts.get("variables"), problems)
    sections = _sections(body, tokens, before, problems)
    blocks, shown = _blocks(tokens, before, problems)
    title = next((tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h1"), "")
    if not title:
        problems.append((before + 1, "has no title: the first line is to be # and what a person would say"))
    _check_sets(blocks, variables, problems)
    book = Runbook(
        name, title, text, _strings(facts, "alerts", problems), _one_of(facts, "owner", OWNERS, problems), _one_of(facts, "severity", SEVERITIES, problems),
        _minutes(facts, problems), _strings(facts, "needs", problems, NEEDS), variables, sections, tuple(blocks), tuple(shown),
    )  # fmt: skip
    if problems:
        raise PageError(name, sorted(problems))
    return book


Problems = list[tuple[int, str]]


def _front(text: str, problems: Problems) -> tuple[dict[str, Any], str, int]:
    """The front matter, the text behind it, and how many lines are before that."""
    found = FRONT.match(text)
    if not found:
        problems.append((1, "has no front matter: lines between --- and --- at its beginning"))
        return {}, text, 0
    try:
        facts = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append((1, f"its front matter is no YAML: {' '.join(str(error).split())[:200]}"))
        facts = {}
    if not isinstance(facts, dict):
        problems.append((2, "its front matter is no mapping of keys"))
        facts = {}
    problems.extend((1, f"its front matter has the key {key}, which is none of {', '.join(KEYS)}") for key in facts if key not in KEYS)
    problems.extend((1, f"its front matter lacks {key}") for key in KEYS[:-1] if key not in facts)
    return facts, text[found.end() :], text[: found.end()].count("\n")


def _strings(facts: Mapping[str, Any], key: str, problems: Problems, choices: tuple[str, ...] = ()) -> tuple[str, ...]:
    value = facts.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        problems.append((1, f"{key} in its front matter is no list of texts"))
        return ()
    problems.extend((1, f"{key} in its front matter has {each}, which is none of {', '.join(choices)}") for each in value if choices and each not in choices)
    return tuple(value)


def _one_of(facts: Mapping[str, Any], key: str, choices: tuple[str, ...], problems: Problems) -> str:
    value = facts.get(key, choices[0])
    if value not in choices:
        problems.append((1, f"{key} in its front matter is none of {', '.join(choices)}"))
        return choices[0]
    return str(value)


def _minutes(facts: Mapping[str, Any], problems: Problems) -> int:
    value = facts.get("minutes", 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10_000:
        problems.append((1, "minutes in its front matter is no number of minutes"))
        return 1
    return value


def _variables(given: Any, problems: Problems) -> dict[str, Variable]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        problems.append((1, "variables in its front matter is no mapping"))
        return {}
    found = {}
    for name, facts in given.items():
        wrong = _wrong_variable(name, facts)
        if wrong:
            problems.append((1, f"the variable {name} in its front matter {wrong}"))
        else:
            found[name] = Variable(name, **facts)
    return found


def _wrong_variable(name: Any, facts: Any) -> str:
    if not isinstance(name, str) or not VARIABLE.fullmatch(name):
        return "has no name of small letters, digits and _"
    if not isinstance(facts, dict) or not isinstance(facts.get("what"), str) or not facts["what"]:
        return "lacks what: words that say what it is"
    known = {"what": str, "default": str, "pattern": str, "secret": bool}
    for key, value in facts.items():
        if key not in known:
            return f"has {key}, which is none of {', '.join(known)}"
        if not isinstance(value, known[key]):
            return f"has a {key} that is no {'text' if known[key] is str else 'true or false'}: put it in quotes"
    try:
        re.compile(facts.get("pattern", ""))
    except re.error as error:
        return f"has a pattern that is no regular expression: {error}"
    return ""


def _sections(body: str, tokens: list[Token], before: int, problems: Problems) -> dict[str, str]:
    lines = body.splitlines()
    heads = [(tokens[at + 1].content, token.map[0]) for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2" and token.map]
    names = tuple(name for name, _ in heads)
    if names != SECTIONS:
        problems.append((before + 1, f"its sections are {', '.join(names) or 'none'}; they are to be {', '.join(SECTIONS)}"))
    found = {}
    for (name, start), (_, end) in pairwise([*heads, ("", len(lines))]):
        found[name] = "\n".join(lines[start + 1 : end]).strip()
        if not found[name]:
            problems.append((before + start + 1, f"the section {name} is empty"))
    return found


def _blocks(tokens: list[Token], before: int, problems: Problems) -> tuple[list[Block], list[tuple[int, str, str]]]:
    section = ""
    blocks: list[Block] = []
    shown: list[tuple[int, str, str]] = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            section = tokens[at + 1].content
        if token.type == "code_block" and token.map:
            problems.append((before + token.map[0] + 1, "an indented block: use a fence"))
        if token.type != "fence" or not token.map:
            continue
        line = before + token.map[0] + 1
        language, _, attributes = token.info.strip().partition(" ")
        if language not in ("sh", "hand") or section not in RUNNABLE:
            if language in (*SHELL, "hand", ""):
                problems.append((line, f"a block of {language or 'no language'} in the section {section or 'before all'}: what runs is sh or hand, in {', '.join(RUNNABLE)}"))
            shown.append((line, language, token.content))
            continue
        try:
            blocks.append(_block(len(blocks) + 1, section, line, language, attributes, token.content))
        except ValueError as error:
            problems.append((line, str(error)))
    problems.extend((before + 1, f"the section {each} has no block that runs") for each in RUNNABLE if each not in {block.section for block in blocks})
    return blocks, shown


def _block(number: int, section: str, line: int, language: str, attributes: str, script: str) -> Block:
    """One block; raises ValueError where its attributes or its place are wrong."""
    given = list(_attributes(attributes))
    single = {key: value for key, value in given if key in ("set", "dangerous", "timeout")}
    if language == "hand" and given:
        raise ValueError("a block of hand takes no attributes")
    if not script.strip():
        raise ValueError("the block is empty")
    if single.get("dangerous") is not None and section != "Fix":
        raise ValueError(f"a dangerous block in {section}: only Fix may change something")
    if "dangerous" in single and not single["dangerous"]:
        raise ValueError("dangerous needs the word that has to be typed")
    if not single.get("timeout", "1").isdigit() or not int(single.get("timeout", "1")):
        raise ValueError("timeout is no number of seconds")
    expect = expected([(key, value) for key, value in given if key in ATTRIBUTES])
    return Block(number, section, line, script.strip("\n"), language == "hand", expect, single.get("set", ""), single.get("dangerous", ""), int(single.get("timeout", "600")))


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for word in shlex.split(text):
        key, equals, value = word.partition("=")
        if not equals or key not in (*ATTRIBUTES, "set", "dangerous", "timeout"):
            raise ValueError(f"the block's attribute {word} is none of {', '.join((*ATTRIBUTES, 'set', 'dangerous', 'timeout'))}, each with = and a value")
        yield key, value


def _check_sets(blocks: list[Block], variables: Mapping[str, Variable], problems: Problems) -> None:
    for block in blocks:
        if block.sets and block.sets not in variables:
            problems.append((block.line, f"sets {block.sets}, which is no variable of the page"))
        for value in (block.dangerous, *block.expect.texts):
            problems.extend((block.line, f"{{{name}}} is no variable of the page") for name in re.findall(r"\{([a-z][a-z0-9_]*)\}", value) if name not in variables)
