"""Validating the outline of a pipeline: Jenkins' messages, at Jenkins' places, in Jenkins' order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cibus.pipeline.model import messages as m
from cibus.pipeline.model import symbols
from cibus.pipeline.model.arguments import Arguments, java_text
from cibus.pipeline.model.outline import (
    AgentOutline,
    Axes,
    AxisOutline,
    Branch,
    Calls,
    ClosureMap,
    Environment,
    Excludes,
    InputOutline,
    Key,
    Libraries,
    MatrixOutline,
    MethodCall,
    Pair,
    PipelineOutline,
    Post,
    Settings,
    StageOutline,
    StagesOutline,
    Step,
    Tools,
    WhenCondition,
    WhenOutline,
)
from cibus.pipeline.model.records import Pos, Problem
from cibus.pipeline.model.symbols import Model, listed


def validate(read: PipelineOutline, methods: frozenset[str]) -> tuple[Problem, ...]:
    """What is wrong with a pipeline that could be read; ``methods`` are those that the script defines."""
    validation = _Validation(methods)
    validation.pipeline(read)
    return tuple(validation.problems)


def _repeated(names: Iterable[str]) -> list[str]:
    """The names that come more than once, each once."""
    every = list(names)
    return list(dict.fromkeys(name for name in every if every.count(name) > 1))


def is_identifier(name: str) -> bool:
    """Whether a name may be that of an environment variable."""
    return name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit()


class _Validation:
    def __init__(self, methods: frozenset[str]) -> None:
        self.problems: list[Problem] = []
        self._arguments = Arguments(self._report, methods)

    def _report(self, where: Pos, message: str, *args: object) -> None:
        self.problems.append(Problem(message.format(*args) if args else message, where))

    def pipeline(self, read: PipelineOutline) -> None:
        if read.stages is None:
            self._report(read.pos, m.REQUIRED_SECTION, "stages")
        if read.agent is None:
            self._report(read.pos, m.REQUIRED_SECTION, "agent")
        self._stages(read.stages, in_parallel=False)
        self._post(read.post)
        self._environment(read.environment)
        self._agent(read.agent)
        self._tools(read.tools)
        self._options(read.options, symbols.OPTIONS, in_stage=False)
        self._parameters(read.parameters)
        self._triggers(read.triggers)
        self._libraries(read.libraries)

    def _stages(self, read: StagesOutline | None, *, in_parallel: bool) -> None:
        if read is None:
            return
        self._stage_names(read)
        for stage in read.stages:
            self._stage(stage, in_parallel=in_parallel)

    def _stage_names(self, read: StagesOutline) -> None:
        if not read.stages:
            self._report(read.pos, m.NO_STAGES)
        for name in _repeated(stage.name for stage in read.stages):
            self._report(read.pos, m.DUPLICATE_STAGE, name)

    def _stage(self, read: StageOutline, *, in_parallel: bool) -> None:
        self._settings(read.settings)
        self._stage_content(read, in_parallel=in_parallel)
        for branch in read.branches:
            self._branch(branch)
        if read.parallel is not None:
            self._stages(read.parallel, in_parallel=True)
            self._stage_names(read.parallel)  # Jenkins looks at them before and after the stages
        if read.matrix is not None:
            self._matrix(read.matrix)
        self._stages(read.stages, in_parallel=in_parallel)

    def _stage_content(self, read: StageOutline, *, in_parallel: bool) -> None:
        content = [bool(read.branches)] + [part is not None for part in (read.parallel, read.matrix, read.stages)]
        splits = read.matrix or read.parallel
        if in_parallel and (splits or len(read.branches) > 1):
            self._report((splits or read.branches[0]).pos, m.NESTED_PARALLEL)
        elif sum(content) > 1:
            self._report(read.pos, m.ONLY_ONE_OF, read.name)
        elif not any(content):
            self._report(read.pos, m.NOTHING_FOR_STAGE, read.name)
        elif splits:
            if read.settings.agent is not None:
                self._report(read.settings.agent.pos, m.AGENT_WITH_PARALLEL, read.name)
            if read.settings.tools is not None:
                self._report(read.settings.tools.pos, m.TOOLS_WITH_PARALLEL, read.name)

    def _settings(self, read: Settings) -> None:
        self._agent(read.agent)
        self._when(read.when)
        self._post(read.post)
        self._tools(read.tools)
        self._environment(read.environment)
        self._options(read.options, symbols.STAGE_OPTIONS, in_stage=True)
        self._input(read.input)

    def _matrix(self, read: MatrixOutline) -> None:
        self._settings(read.settings)
        if read.axes is None:
            self._report(read.pos, m.REQUIRED_SECTION, "axes")
        if read.stages is None:
            self._report(read.pos, m.REQUIRED_SECTION, "stages")
        self._axes(read.axes)
        self._excludes(read.excludes)
        self._stages(read.stages, in_parallel=True)

    def _axes(self, read: Axes | None) -> None:
        if read is None:
            return
        if not read.axes:
            self._report(read.pos, m.NO_AXES)
        keys = [axis.name for axis in read.axes if axis.name is not None]
        for name in _repeated(key.name for key in keys):
            self._report(next(key.pos for key in keys if key.name == name), m.DUPLICATE_AXIS, name)
        for axis in read.axes:
            self._axis(axis)

    def _axis(self, read: AxisOutline) -> None:
        if read.name is None:
            self._report(read.pos, m.REQUIRED_SECTION, "name")
        elif not is_identifier(read.name.name):
            self._report(read.name.pos, m.INVALID_ENV_NAME, read.name.name)
        if not read.values:
            self._report(read.pos, m.REQUIRED_SECTION, "values")
        texts = [java_text(value.value) for value in read.values]
        for text in _repeated(texts):
            self._report(read.values[texts.index(text)].pos, m.DUPLICATE_AXIS_VALUE, text)
        for value in read.values:
            if not value.literal:
                self._report(value.pos, m.EXPECTED_STRING_GOT, value.value)

    def _excludes(self, read: Excludes | None) -> None:
        if read is None:
            return
        if not read.excludes:
            self._report(read.pos, m.NO_EXCLUDES)
        for exclude in read.excludes:
            self._axes(exclude)

    def _branch(self, read: Branch) -> None:
        if not read.steps:
            self._report(read.pos, m.NO_STEPS)
        for step in read.steps:
            self._step(step)

    def _step(self, read: Step) -> None:
        if read.name is not None:
            if read.args is not None and read.name != "parallel":
                self._arguments.step(read.name, read.args, read.pos)
            if read.name in m.BLOCKED_STEPS:
                self._report(read.pos, m.BLOCKED_STEP, read.name, m.BLOCKED_STEPS[read.name])
        for child in read.children:
            self._step(child)

    def _post(self, read: Post | None) -> None:
        if read is None:
            return
        if not read.conditions:
            self._report(read.pos, m.EMPTY_SECTION, "post")
        for name in _repeated(condition.name for condition in read.conditions):
            self._report(read.pos, m.DUPLICATE_CONDITION, name)
        for condition in read.conditions:
            if condition.name not in symbols.CONDITIONS:
                self._report(condition.pos, m.INVALID_CONDITION, condition.name, listed(symbols.CONDITIONS))
            self._branch(condition.branch)

    def _environment(self, read: Environment | None) -> None:
        if read is None:
            return
        if not read.entries:
            self._report(read.pos, m.NO_ENV_VARS)
        for key, _ in read.entries:
            if not is_identifier(key.name):
                self._report(key.pos, m.INVALID_ENV_NAME, key.name)

    def _agent(self, read: AgentOutline | None) -> None:
        if read is None:
            return
        types = listed(symbols.AGENT_TYPES)
        if read.kind is None:
            self._report(read.pos, m.NO_AGENT_TYPE, types)
            return
        kind = read.kind
        if kind.name in symbols.BARE_AGENTS or kind.name in symbols.FROM_OTHER_PLUGINS["agent"]:
            return
        model = symbols.AGENT_MODELS.get(kind.name)
        if model is None:
            self._report(kind.pos, m.INVALID_AGENT_TYPE, kind.name, types)
        elif isinstance(read.value, ClosureMap):
            self._agent_arguments(kind, read.value, model)

    def _agent_arguments(self, kind: Key, given: ClosureMap, model: Model) -> None:
        names = {key.name for key, _ in given.entries}
        for param in model.required:
            if param.name not in names:
                self._report(kind.pos, m.MISSING_AGENT_PARAMETER, kind.name, param.name)
        for key, _ in given.entries:
            if model.get(key.name) is None:
                valid = listed(p.name for p in model.params)
                self._report(key.pos, m.INVALID_AGENT_PARAMETER, key.name, kind.name, valid)

    def _tools(self, read: Tools | None) -> None:
        if read is None:
            return
        if not read.tools:
            self._report(read.pos, m.NO_TOOLS)
        for key, _ in read.tools:
            if not _known("tool", key.name, symbols.TOOLS):
                self._report(key.pos, m.INVALID_TYPE, "tool", key.name, listed(symbols.TOOLS))

    def _libraries(self, read: Libraries | None) -> None:
        if read is not None and not read.libs:
            self._report(read.pos, m.EMPTY_SECTION, "libraries")

    def _input(self, read: InputOutline | None) -> None:
        if read is None:
            return
        if read.get("message") is None:
            self._report(read.pos, m.INPUT_WITHOUT_MESSAGE)
        for parameter in read.parameters:
            self._parameter(parameter)

    def _options(self, read: Calls | None, allowed: tuple[str, ...], *, in_stage: bool) -> None:
        if read is None:
            return
        if not read.calls:
            self._report(read.pos, m.EMPTY_SECTION, "options")
        for name in _repeated(str(call.name or "null") for call in read.calls):
            self._report(read.pos, m.DUPLICATE_OPTION, name)
        for call in read.calls:
            if call.name is not None and not _known("option", call.name, allowed):
                self._report(call.pos, m.INVALID_TYPE, "option", call.name, listed(allowed))
        for call in read.calls:
            self._mixed(call)
            if call.name in m.REJECTED_OPTIONS:
                self._report(call.pos, m.REJECTED_OPTIONS[call.name])
            self._arguments.call(call, symbols.OPTION_MODELS, steps=True)

    def _parameters(self, read: Calls | None) -> None:
        if read is None:
            return
        if not read.calls:
            self._report(read.pos, m.EMPTY_SECTION, "parameters")
        for call in read.calls:
            self._parameter(call)

    def _parameter(self, call: MethodCall) -> None:
        self._typed(call, "parameter", symbols.PARAMETERS, symbols.PARAMETER_MODELS)

    def _triggers(self, read: Calls | None) -> None:
        if read is None:
            return
        if not read.calls:
            self._report(read.pos, m.EMPTY_SECTION, "triggers")
        for name in _repeated(str(call.name or "null") for call in read.calls):
            self._report(read.pos, m.DUPLICATE_TRIGGER, name)
        for call in read.calls:
            self._typed(call, "trigger", symbols.TRIGGERS, symbols.TRIGGER_MODELS)

    def _typed(self, call: MethodCall, what: str, allowed: tuple[str, ...], models: Mapping[str, Model]) -> None:
        if call.name is not None and not _known(what, call.name, allowed):
            self._report(call.pos, m.INVALID_TYPE, what, call.name, listed(allowed))
        else:
            self._mixed(call)
        self._arguments.call(call, models, steps=False)

    def _mixed(self, call: MethodCall) -> None:
        named = [isinstance(arg, Pair) for arg in call.args]
        if any(named) and not all(named):
            self._report(call.pos, m.MIXED_ARGUMENTS)

    def _when(self, read: WhenOutline | None) -> None:
        if read is None:
            return
        if not read.conditions:
            self._report(read.pos, m.EMPTY_WHEN)
        for condition in read.conditions:
            self._condition(condition)

    def _condition(self, read: WhenCondition) -> None:
        if read.name is None or read.code:
            return
        self._one_condition(read, read.name)
        for child in read.children:
            self._condition(child)

    def _one_condition(self, read: WhenCondition, name: str) -> None:
        if not _known("when", name, symbols.WHEN):
            self._report(read.pos, m.UNKNOWN_WHEN, name, ", ".join(symbols.WHEN))
        elif name in symbols.WHEN_CHILDREN:
            self._children(read, name, symbols.WHEN_CHILDREN[name])
        elif read.children:
            self._report(read.pos, m.WHEN_NO_CHILDREN_ALLOWED, name)
        elif read.args is not None and name in symbols.WHEN_MODELS:
            self._arguments.described(name, read.args, symbols.WHEN_MODELS[name], read.pos)
        if name == "changelog" and not _has_pattern(read):
            self._report(read.pos, m.CHANGELOG_WITHOUT_PATTERN)

    def _children(self, read: WhenCondition, name: str, wanted: int) -> None:
        if read.args is not None:
            self._report(read.pos, m.WHEN_NO_ARGS, name)
        elif wanted < 0:
            if not read.children:
                self._report(read.pos, m.WHEN_WITHOUT_CHILDREN, name)
        elif len(read.children) != wanted:
            self._report(read.pos, m.WHEN_CHILDREN_COUNT, name, wanted)
        else:
            for child in read.children:  # Jenkins looks at them once more than at others
                self._condition(child)


def _known(what: str, name: str, allowed: tuple[str, ...]) -> bool:
    return name in allowed or name in symbols.FROM_OTHER_PLUGINS[what]


def _has_pattern(read: WhenCondition) -> bool:
    if read.args is None:
        return False
    return bool(read.args.values) or any(key.name == "pattern" for key, _ in read.args.named)
