"""The texts of Jenkins' messages about Declarative pipelines; ``{}`` stands for what varies."""

from __future__ import annotations

from typing import Final

# where a part cannot be read
MULTIPLE_SECTION: Final = "Multiple occurrences of the {} section"
UNDEFINED_SECTION: Final = 'Undefined section "{}"'
BARE_DOLLAR: Final = '{0} cannot be used as a value directly. Did you mean "{0}"?'
BIG_INTEGER: Final = (
    "BigIntegers cannot be used as constants in Declarative. The maximum value for an integer is "
    "9,223,372,036,854,775,807 and the minimum value for an integer is -9,223,372,036,854,775,808."
)
NO_BLOCKS: Final = "{} definitions cannot have blocks"
DUPLICATE_ENV: Final = 'Duplicate environment variable name: "{}"'
EXPECTED_AGENT: Final = "Expected an agent"
EXPECTED_BLOCK: Final = "Expected a block"
EXPECTED_BLOCK_FOR: Final = "Expected a block for {}"
EXPECTED_BOOLEAN: Final = "Expected a boolean with {}"
EXPECTED_PARAMETER: Final = "Expected a build parameter definition"
EXPECTED_CLOSURE_OR_FAIL_FAST: Final = "Expected closure or failFast"
EXPECTED_LIBRARY: Final = 'Expected a "lib(...)" but got {}'
EXPECTED_MAP_METHOD: Final = 'Expected to find ‘someKey "someValue"’'
EXPECTED_OPTION: Final = "Expected an option"
EXPECTED_PAIRS: Final = "Expected name=value pairs"
EXPECTED_STAGE: Final = "Expected a stage"
EXPECTED_STAGE_NAME: Final = "Expected a stage name but did not find any"
EXPECTED_STEP: Final = "Expected a step"
EXPECTED_STRING: Final = "Expected string literal"
EXPECTED_STRING_GOT: Final = "Expected string literal but got {}"
EXPECTED_SYMBOL: Final = "Expected a symbol"
EXPECTED_TOOL: Final = 'Expected to find ‘someTool "someVersion"’'
EXPECTED_TRIGGER: Final = "Expected a trigger"
EXPECTED_WHEN: Final = "Expected a when condition"
INVALID_AGENT: Final = 'Only "agent none", "agent any" or "agent {...}" are allowed.'
POST_CONDITIONS_ONLY: Final = (
    "The ‘post’ section can only contain build condition names with code blocks. Valid condition names are {}"
)
INVALID_ENV_EXPRESSION: Final = (
    '"{}" is not a valid environment expression. Use "key = value" pairs with valid Java/shell keys.'
)
INVALID_ENV_OPERATION: Final = "Environment variable values can only be joined together with ‘+’s."
INVALID_ENV_CONCAT: Final = "Environment variable values to be concatenated together must be single or double quoted."
INVALID_ENV_VALUE: Final = "Environment variable values must either be single quoted, double quoted, or function calls."
INVALID_INPUT_FIELD: Final = 'Not a valid field for input: "{}"'
INVALID_FUNCTION_ARG: Final = "Internal function call parameters must be strings."
INVALID_SECTION: Final = 'Not a valid section definition: "{}". Some extra configuration is required.'
INVALID_STAGE_SECTION: Final = 'Not a valid stage section definition: "{}". Some extra configuration is required.'
NO_MAPS: Final = "{} cannot be defined as maps"
CALL_WITH_CLOSURE: Final = "Method call arguments"
NO_ARG_FOR_AGENT: Final = "No argument for agent"
NO_ARG_FOR_FIELD: Final = 'No argument for field "{}"'
NO_ARG_FOR_KEY: Final = 'No argument for map key "{}"'
NO_ARG_FOR_TOOL: Final = 'No argument for tool "{}"'
OBJECT_CALL: Final = 'Method calls on objects not allowed outside "script" blocks.'
ONE_AGENT: Final = "Only one agent type is allowed per agent section"
NESTED_PIPELINE: Final = "pipeline block must be at the top-level, not within another block."
STAGE_WITHOUT_BLOCK: Final = "Stage does not have a block"
STEP_WITHOUT_BLOCK: Final = "{} step without a block"
TOO_MANY_FOR_FIELD: Final = 'Too many arguments for field "{}"'
TOO_MANY_FOR_KEY: Final = 'Too many arguments for map key "{}"'
TOO_MANY_FOR_TOOL: Final = 'Too many arguments for tool "{}"'
UNKNOWN_STAGE_SECTION: Final = (
    'Unknown stage section "{}". Starting with version 0.5, steps in a stage must be in a ‘steps’ block.'
)
RENAMED_SECTIONS: Final = {
    "properties": "The ‘properties’ section has been renamed as of version 0.8. Use ‘options’ instead.",
    "wrappers": "The 'wrappers' section has been removed as of version 0.8. Use 'options' instead.",
    "jobProperties": "The ‘jobProperties’ section has been renamed as of version 0.7. Use ‘properties’ instead.",
    "notifications": (
        "The ‘notifications’ section has been removed as of version 0.6. Use ‘post’ for all post-build actions."
    ),
    "postBuild": "The ‘postBuild’ section has been renamed as of version 0.6. Use ‘post’ for all post-build actions.",
}

# where a part is read but not right
EMPTY_SECTION: Final = "{} can not be empty"
DUPLICATE_CONDITION: Final = 'Duplicate build condition name: "{}"'
INVALID_CONDITION: Final = 'Invalid condition "{}" - valid conditions are {}'
NO_ENV_VARS: Final = "No variables specified for environment"
NO_TOOLS: Final = "No tools specified"
INVALID_TYPE: Final = 'Invalid {0} type "{1}". Valid {0} types: {2}'
EMPTY_WHEN: Final = "Empty when closure, remove the property or add some content."
BLOCKED_STEP: Final = 'Invalid step "{}" used - not allowed in this context - {}'
INVALID_STEP_PARAMETER: Final = 'Invalid parameter "{}", did you mean "{}"?'
MISSING_STEP_PARAMETER: Final = 'Missing required parameter: "{}"'
TOO_MANY_UNNAMED: Final = 'Arguments to "{}" must be explicitly named.'
WRONG_COUNT: Final = '"{}" should have {} arguments but has {} arguments instead.'
NOT_SINGLE: Final = "Step does not take a single required parameter - use named parameters instead"
MIXED_ARGUMENTS: Final = "Cannot mix named and unnamed arguments"
WRONG_TYPE: Final = 'Expecting "{}" for parameter "{}" but got "{}" of type {} instead'
WRONG_UNNAMED_TYPE: Final = 'Expecting "{}" but got "{}" of type {} instead'
NO_STEPS: Final = "No steps specified for branch"
REQUIRED_SECTION: Final = 'Missing required section "{}"'
NOTHING_FOR_STAGE: Final = 'Expected one of "steps", "stages", or "parallel" for stage "{}"'
NO_STAGES: Final = "No stages specified"
DUPLICATE_BRANCH: Final = 'Duplicate parallel branch name: "{}"'
DUPLICATE_STAGE: Final = 'Duplicate stage name: "{}"'
DUPLICATE_OPTION: Final = 'Duplicate option name: "{}"'
DUPLICATE_TRIGGER: Final = 'Duplicate trigger name: "{}"'
NO_AGENT_TYPE: Final = "No agent type specified. Must be one of {}"
INVALID_AGENT_TYPE: Final = 'Invalid agent type "{}" specified. Must be one of {}'
MISSING_AGENT_PARAMETER: Final = 'Missing required parameter for agent type "{}": {}'
INVALID_AGENT_PARAMETER: Final = 'Invalid config option "{}" for agent type "{}". Valid config options are {}'
MULTIPLE_AGENT_PARAMETERS: Final = (
    'Multiple parameters are required for agent type "{}" - {}. Please use a block instead.'
)
UNKNOWN_WHEN: Final = "Unknown conditional {}. Valid conditionals are: {}"
INVALID_ENV_NAME: Final = (
    '"{}" is not a valid identifier and cannot be used for an environment variable. '
    "Identifiers must start with a letter or underscore and can contain only letters, numbers or underscores."
)
DOCKERFILE_SEPARATOR: Final = "Dockerfile filename cannot contain directory separators."
WHEN_NO_ARGS: Final = 'No additional arguments are allowed for children when condition "{}".'
WHEN_NO_CHILDREN_ALLOWED: Final = 'No children when conditions are allowed for when condition "{}".'
WHEN_WITHOUT_CHILDREN: Final = 'Nested when condition "{}" requires at least one child condition.'
WHEN_CHILDREN_COUNT: Final = 'Nested when condition "{}" requires exactly {} child condition(s).'
ONLY_ONE_OF: Final = 'Only one of "matrix", "parallel", "stages", or "steps" allowed for stage "{}"'
AGENT_WITH_PARALLEL: Final = '"agent" is not allowed in stage "{}" as it contains parallel stages'
TOOLS_WITH_PARALLEL: Final = '"tools" is not allowed in stage "{}" as it contains parallel stages'
NESTED_PARALLEL: Final = "Parallel stages or branches can only be included in a top-level stage."
INPUT_WITHOUT_MESSAGE: Final = "No message specified for input"
NO_AXES: Final = "No axis directives specified"
NO_EXCLUDES: Final = "No exclude directives specified"
DUPLICATE_AXIS: Final = 'Duplicate axis name: "{}"'
DUPLICATE_AXIS_VALUE: Final = 'Duplicate axis value: "{}"'
CHANGELOG_WITHOUT_PATTERN: Final = 'Changelog is missing required parameter "pattern".'
BAD_PATTERN: Final = '"{}" is not a valid regular expression. {}'
BLOCKED_STEPS: Final = {
    "stage": "The stage step cannot be used in Declarative Pipelines",
    "properties": "The properties step cannot be used in Declarative Pipelines",
    "parallel": "The parallel step can only be used as the only top-level step in a stages step block",
}
BLOCKED_CALLS: Final = {
    "node": "The node step cannot be called as an argument to a method in Declarative Pipelines",
    **BLOCKED_STEPS,
}
REJECTED_OPTIONS: Final = {
    name: (
        f'The "{name}" job property cant be used in the "options" directive. '
        f'Use the "{name} {{...}}" directive instead.'
    )
    for name in ("parameters", "triggers")
}
