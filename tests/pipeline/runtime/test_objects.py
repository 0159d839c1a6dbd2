"""currentBuild, env, params, unknown steps and their stand-ins."""

from __future__ import annotations

from typing import Any

STRICT = '[pipeline]\ncps = "strict"\n'


def test_current_build(pipeline: Any) -> None:
    script = """
        def b = currentBuild
        echo "> ${b.number} ${b.id} ${b.result} ${b.currentResult} ${b.displayName} ${b.fullDisplayName} ${b.description}"
        echo "> ${b.projectName} ${b.fullProjectName} ${b.keepLog} ${b.absoluteUrl} ${b.nextBuild} ${b.upstreamBuilds}"
        echo "> ${b.startTimeInMillis > 1600000000000L} ${b.timeInMillis == b.startTimeInMillis} ${b.duration >= 0} ${b.durationString.endsWith('and counting')} ${b.changeSets}"
        echo "> ${b.buildCauses[0].shortDescription} ${b.getBuildCauses('hudson.model.Cause$UserIdCause')[0].userId} ${b.getBuildCauses('hudson.triggers.TimerTrigger')}"
        env.ASSIGNED = 'yes'
        echo "> ${b.buildVariables.ASSIGNED} ${b.getNumber()} ${b.getDisplayName()} ${b.resultIsBetterOrEqualTo('UNSTABLE')} ${b.resultIsWorseOrEqualTo('FAILURE')}"
        b.displayName = "build ${b.number}"
        b.description = 'described'
        b.keepLog = true
        def p = b.previousBuild
        echo "> previous ${p?.number} ${p?.result} ${p?.displayName} ${p?.description} ${p?.buildVariables} ${p?.resultIsWorseOrEqualTo('UNSTABLE')}"
        echo "> ${b.previousSuccessfulBuild?.number} ${b.previousFailedBuild?.number} ${b.previousNotFailedBuild?.number} ${b.previousBuiltBuild?.number} ${b.previousCompletedBuild?.number} ${b.previousBuildInProgress}"
        try { b.rawBuild } catch (e) { echo "> ${e.class.simpleName}" }
        try { b.number = 5 } catch (e) { echo "> ${e.class.simpleName}" }
        try { b.nothing } catch (e) { echo "> ${e.class.simpleName}" }
        try { b.nothing() } catch (MissingMethodException e) { echo "> ${e.method} ${e.message.contains('RunWrapper.nothing()')}" }
        b.result = 'UNSTABLE'
        b.result = 'SUCCESS'
        echo "> ${b.result} ${b.currentResult}"
        """
    out = pipeline(script, job="team/app")
    url = "http://127.0.0.1:8080/job/team/job/app/1/"
    assert out.said[:5] == [
        "1 1 null SUCCESS #1 team » app #1 null",
        f"app team/app false {url} null []",
        "true true true true []",
        "Started by user admin admin []",
        "yes 1 #1 true false",
    ]
    assert out.said[5:] == [
        "previous null null null null null null",
        "null null null null null null",
        "RejectedAccessException",
        "ReadOnlyPropertyException",
        "MissingPropertyException",
        "nothing true",
        "UNSTABLE UNSTABLE",
        *out.said[12:],
    ]
    assert (out.report["displayName"], out.report["description"]) == ("build 1", "described")
    pipeline("error 'x'", job="team/app")
    third = pipeline(script, job="team/app")
    assert third.said[5] == "previous 2 FAILURE #2 null [:] true"
    assert third.said[6] == "1 2 1 2 2 null"


def test_env_and_params(pipeline: Any) -> None:
    out = pipeline(
        """
        env.A = 'a'
        env['B'] = 'b'
        env.NUMBER = 5
        withEnv(['C=c']) {
          def all = env.getEnvironment()
          echo "> ${all.A} ${all.B} ${all.C} ${env['A']} ${env.NUMBER} ${A}${B} ${env.NONE} ${all.containsKey('JOB_NAME')} ${all.BUILD_NUMBER}"
          env.C = 'never'
          echo "> ${env.C} ${C}"
        }
        echo "> ${env.C}"
        node { sh 'echo "> $A $B $NUMBER $C"'; echo "> ${env.NODE_NAME} ${NODE_NAME} ${env.WORKSPACE == WORKSPACE}" }
        echo "> ${env.NODE_NAME} ${params} ${params.P ?: 'default'}"
        try { params.P = 'x' } catch (UnsupportedOperationException e) { echo '> no assignment' }
        try { params.remove('P') } catch (UnsupportedOperationException e) { echo '> no removal' }
        env.A = null
        echo "> ${env.A}"
        """
    )
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        "a b c a 5 ab null true 1",
        "c c",
        "never",
        "a b 5 never",
        "built-in built-in true",
        "null [:] default",
        "no assignment",
        "no removal",
        "null",
    ]


def test_unknown_steps(pipeline: Any) -> None:
    text = """
        def got = frobnicate(level: 3) { echo '> body' }
        echo "> ${got}"
        """
    out = pipeline(text)
    assert out.result == "FAILURE"
    out.has("java.lang.NoSuchMethodError: No such DSL method 'frobnicate' found among steps [")
    said = next(remark for remark in out.remarks if "frobnicate" in remark)
    for part in ("Jenkinsfile:2:", "[stubs.frobnicate]", "--unknown-steps warn", "cibus.steps"):
        assert part in said
    near = pipeline("archiveArtifact 'x'")
    assert any("did you mean 'archiveArtifacts'?" in remark for remark in near.remarks)
    warned = pipeline(text, config='[pipeline]\nunknown_steps = "warn"\n')
    assert (warned.result, warned.said) == ("SUCCESS", ["null"])
    assert warned.report["fidelity"]["steps"]["frobnicate"] == {"skipped": 1}
    stubbed = pipeline(text, config="[stubs.frobnicate]\nreturns = 42\n")
    assert (stubbed.result, stubbed.said) == ("SUCCESS", ["body", "42"])
    assert stubbed.report["fidelity"]["steps"]["frobnicate"] == {"stubbed": 1}
    pipeline.write({"../frob.groovy": "def call(Map args, Closure body) { echo \"> level ${args.level}\"; body(); return [args.level, env.JOB_NAME] }\n"})
    groovy = pipeline(text, config='[stubs.frobnicate]\ngroovy = "frob.groovy"\n')
    assert (groovy.result, groovy.said) == ("SUCCESS", ["level 3", "body", "[3, app]"]), groovy.log
    missing = pipeline(text, config='[stubs.frobnicate]\ngroovy = "none.groovy"\n')
    missing.has("ERROR: stub frobnicate: there is no file")
    values = pipeline("echo \"> ${scan(target: 'x').found} ${scan('y').list[1]} ${ping()}\"", config='[stubs.scan]\nreturns = { found = true, list = [1, "two"] }\n[stubs.ping]\n')
    assert values.said == ["true two null"], values.log
