"""Validating the arguments of steps, conditions, options, parameters and triggers against what they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from cibus.pipeline.model import messages as m
from cibus.pipeline.model import symbols
from cibus.pipeline.model.outline import Args, Key, MethodCall, Pair, Val
from cibus.pipeline.model.records import Pos
from cibus.pipeline.model.symbols import Model, Param, nearest
from cibus.pipeline.steps import registry

Report = Callable[..., None]
_DESCRIBABLE = ("checkout", "step", "wrap")  # their one argument may be given as its own named arguments
_NUMBERS = ("long", "double", "float", symbols.INTEGER, "class java.lang.Long", "class java.lang.Double")
_ANYTHING = (symbols.OBJECT, symbols.BOOLEAN, symbols.BOXED_BOOLEAN)


def step_model(name: str) -> Model | None:
    """What a step takes, or None for an unknown one."""
    spec = registry.find(name)
    if spec is None:
        return None
    params = tuple(_step_param(name, p) for p in spec.parameters)
    first = spec.only.name if spec.only else None
    return Model(params, takes_block=spec.block != "no", open=spec.rest or name in _DESCRIBABLE, first=first)


def _step_param(step: str, given: registry.Parameter) -> Param:
    required = given.required or (step, given.name) in symbols.STEP_REQUIRES
    enum = symbols.ENUMS.get((step, given.name))
    if enum is not None:
        return Param(given.name, enum.type, required, enum.choices)
    return Param(given.name, given.java_type, required)


def java_class(value: Val) -> str:
    """The class of a literal as Java prints it."""
    if isinstance(value.value, str):
        return symbols.STRING
    if isinstance(value.value, Decimal):
        return "class java.lang.Double"
    if value.node.get("cls") == "java.math.BigInteger":
        return "class java.lang.Long"
    return f"class {value.node.get('cls')}"


def java_text(value: Any) -> str:
    """A literal as Java prints it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return str(float(value))
    return str(value)


def fits(value: Any, param: Param) -> bool:
    """Whether Groovy casts a literal to the type of a parameter."""
    kind = param.type
    if value is None or kind in _ANYTHING:
        return True
    if kind == symbols.STRING:
        return not isinstance(value, int)
    if kind == symbols.INT:
        return isinstance(value, int | Decimal) and not isinstance(value, bool)
    if kind in _NUMBERS:
        return not isinstance(value, bool) and (not isinstance(value, str) or len(value) == 1)
    return value in param.choices


class Arguments:
    """Validates arguments and reports what is wrong with them."""

    def __init__(self, report: Report, methods: frozenset[str]) -> None:
        self._report = report
        self._methods = methods

    def step(self, name: str, args: Args, where: Pos) -> None:
        """The arguments of a step; a method of the script with a step's name is not looked at."""
        model = None if name in self._methods else step_model(name)
        if model is None:
            return
        if args.kind == "single" and model.sole is not None and not model.takes_block:
            args = Args("named", args.pos, named=((Key(model.sole.name, where), args.values[0]),))
        self.described(name, args, model, where)

    def described(self, name: str, args: Args, model: Model, where: Pos) -> None:
        """The arguments of a step or condition."""
        if args.kind == "positional":
            self._report(where, m.TOO_MANY_UNNAMED, name)
        elif args.kind == "named":
            self._named(args, model, where)
        elif model.sole is None and not model.takes_block:
            self._report(where, m.NOT_SINGLE)
        else:
            self._type(args.values[0], model.sole or Param("", "null"), None)

    def _named(self, args: Args, model: Model, where: Pos) -> None:
        right = [self._named_argument(key, value, args, model) for key, value in args.named]
        if not all(right):
            return
        given = {key.name for key, _ in args.named}
        if model.open and given - {p.name for p in model.params}:
            return
        for param in model.required:
            if param.name not in given:
                self._report(where, m.MISSING_STEP_PARAMETER, param.name)

    def _named_argument(self, key: Key, value: Val, args: Args, model: Model) -> bool:
        param = model.get(key.name)
        if param is None:
            return model.open or self._unknown(key, model)
        alone = len(args.named) == 1 and model.sole == param and not model.takes_block
        return self._type(value, param, None if alone else key.name)

    def _unknown(self, key: Key, model: Model) -> bool:
        near = nearest(key.name, [p.name for p in model.params])
        self._report(key.pos, m.INVALID_STEP_PARAMETER, key.name, near or "null")
        return False

    def _type(self, value: Val, param: Param, name: str | None) -> bool:
        if not value.literal or fits(value.value, param):
            return True
        got = (java_text(value.value), java_class(value))
        if name is None:
            self._report(value.pos, m.WRONG_UNNAMED_TYPE, param.type, *got)
        else:
            self._report(value.pos, m.WRONG_TYPE, param.type, name, *got)
        return False

    def call(self, call: MethodCall, models: Mapping[str, Model], *, steps: bool, nested: bool = False) -> None:
        """An option, parameter or trigger, and then the calls among its arguments."""
        self._one_call(call, models, steps=steps, nested=nested)
        for arg in call.args:
            inner = arg.value if isinstance(arg, Pair) else arg
            if isinstance(inner, MethodCall):
                self.call(inner, symbols.NESTED_MODELS, steps=True, nested=True)

    def _one_call(self, call: MethodCall, models: Mapping[str, Model], *, steps: bool, nested: bool) -> None:
        if call.name is None:
            return
        model = models.get(call.name) or (step_model(call.name) if steps else None)
        if model is not None and not (nested and call.name in self._methods):
            self._call_arguments(call, model)
        if nested and call.name in m.BLOCKED_CALLS:
            self._report(call.pos, m.BLOCKED_STEP, call.name, m.BLOCKED_CALLS[call.name])

    def _call_arguments(self, call: MethodCall, model: Model) -> None:
        if any(isinstance(arg, Pair) for arg in call.args):
            for arg in call.args:
                if isinstance(arg, Pair):
                    self._pair(arg, model)
                else:
                    self._report(call.pos, m.MIXED_ARGUMENTS)
        elif len(call.args) > 1:
            self._report(call.pos, m.TOO_MANY_UNNAMED, call.name)
        else:
            self._unnamed(call, model)

    def _pair(self, pair: Pair, model: Model) -> None:
        param = model.get(pair.key.name)
        if model.secret_default and pair.key.name == "defaultValue":
            param = Param("defaultValue")
        if param is None:
            if not model.open:
                self._unknown(pair.key, model)
        elif isinstance(pair.value, MethodCall):
            self._one_call(pair.value, symbols.NESTED_MODELS, steps=True, nested=True)
        elif pair.value is not None:
            self._type(pair.value, param, pair.key.name)

    def _unnamed(self, call: MethodCall, model: Model) -> None:
        required = model.required
        if len(required) != len(call.args) and not self._may_be_short(call, model):
            self._report(call.pos, m.WRONG_COUNT, call.name, len(required), len(call.args))
        elif call.args:
            arg = call.args[0]
            if isinstance(arg, MethodCall):
                self._one_call(arg, symbols.NESTED_MODELS, steps=True, nested=True)
            elif isinstance(arg, Val) and model.sole is not None:
                self._type(arg, model.sole, None)

    def _may_be_short(self, call: MethodCall, model: Model) -> bool:
        required = model.required
        if not call.args:
            return len(required) == 1 and required[0].type == symbols.BOXED_BOOLEAN
        return not required and model.sole is not None
