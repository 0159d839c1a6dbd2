"""Scripted Pipeline: flow, Groovy as Jenkins' scripts use it, and what an older controller's CPS refuses."""

from __future__ import annotations

from typing import Any

import pytest

STRICT = '[pipeline]\ncps = "strict"\n'


def test_flow(pipeline: Any) -> None:
    out = pipeline(
        """
        def value = node('linux || built-in') {
          stage('One') {
            def inner = withEnv(['A=1']) { timeout(1) { retry(2) { dir('sub') { return "${A} ${pwd().endsWith('/sub')}" } } } }
            echo "> ${inner}"
            return 'from node'
          }
        }
        echo "> ${value}"
        stage 'old style'
        def results = parallel(
          a: { sleep time: 50, unit: 'MILLISECONDS'; return 1 },
          b: { echo '> b'; node { return sh(script: 'echo 2', returnStdout: true).trim() } },
          c: { parallel x: { echo '> x' }, y: { echo '> y' } }
        )
        echo "> ${results.a} ${results.b} ${results.keySet().sort()}"
        def branches = [:]
        for (int i = 0; i < 3; i++) { def n = i; branches["n${n}"] = { echo "> n${n}" } }
        parallel branches
        try { parallel failFast: true, bad: { error 'bad' }, slow: { try { sleep 60 } finally { echo '> slow stopped' } } }
        catch (e) { echo "> ${e.message}" }
        waitUntil(initialRecurrencePeriod: 10, quiet: true) { counter = (binding.hasVariable('counter') ? counter : 0) + 1; counter == 3 }
        echo "> counter ${counter}"
        """
    )
    assert out.result == "SUCCESS", out.log
    assert out.said[:2] == ["1 true", "from node"]
    assert sorted(out.said[2:5]) == ["b", "x", "y"]
    assert out.said[5] == "1 2 [a, b, c]"
    assert sorted(out.said[6:9]) == ["n0", "n1", "n2"]
    assert out.said[9:] == ["slow stopped", "bad", "counter 3"]
    out.has("Entering stage old style", "Failed in branch bad")


def test_exceptions(pipeline: Any) -> None:
    out = pipeline(
        """
        import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
        import hudson.AbortException
        def kind(Closure work) {
          try { work(); return 'fine' }
          catch (AbortException e) { return "abort ${e.message}" }
          catch (FlowInterruptedException e) { return "interrupted ${e.result} ${e.causes.size()} ${e.causes[0].shortDescription}" }
          catch (IllegalArgumentException | NullPointerException e) { return "argument ${e.class.simpleName}" }
          catch (MissingPropertyException e) { return "property ${e.property}" }
          catch (MissingMethodException e) { return "method ${e.method}" }
          catch (Exception e) { return "other ${e.class.name} ${e.message}" }
          catch (Error e) { return "error ${e.class.simpleName}" }
          finally { echo '> finally' }
        }
        node {
          echo "> " + kind { error 'x' }
          echo "> " + kind { sh 'exit 3' }
          echo "> " + kind { timeout(time: 50, unit: 'MILLISECONDS') { sleep 60 } }
          echo "> " + kind { throw new IllegalArgumentException('a') }
          echo "> " + kind { null.foo() }
          echo "> " + kind { nothing }
          echo "> " + kind { 'x'.nothing() }
          echo "> " + kind { throw new java.io.IOException('io') }
          echo "> " + kind { assert 1 == 2 }
          echo "> " + kind { readFile 'none' }
          echo "> " + kind { noSuchStep() }
          echo "> " + kind { 1 / 0 }
          echo "> " + kind { throw new MyException(code: 4) }
          echo "> " + kind { try { error 'inner' } catch (e) { throw new RuntimeException('outer', e) } }
        }
        class MyException extends Exception { int code; String getMessage() { "code ${code}" } }
        throw new MyException(code: 5)
        """
    )
    assert [line for line in out.said if line != "finally"] == [
        "abort x",
        "abort script returned exit code 3",
        "interrupted ABORTED 1 Timeout has been exceeded",
        "argument IllegalArgumentException",
        "argument NullPointerException",
        "property nothing",
        "method nothing",
        "other java.io.IOException io",
        "error PowerAssertionError",
        "other java.nio.file.NoSuchFileException " + str(out.workspace / "none"),
        "error NoSuchMethodError",
        "other java.lang.ArithmeticException Division by zero",
        "other MyException code 4",
        "other java.lang.RuntimeException outer",
    ]
    assert out.said.count("finally") == 14
    assert out.result == "FAILURE"
    out.has("MyException: code 5", "at WorkflowScript.run(WorkflowScript:")


def test_groovy(pipeline: Any) -> None:
    out = pipeline(
        """
        import groovy.json.JsonSlurperClassic
        import groovy.json.JsonOutput
        import groovy.transform.Field
        import java.text.SimpleDateFormat
        import java.util.regex.Pattern

        @Field Map settings = [a: 1]
        @Field final List<String> NAMES = ['x', 'y']
        shared = 10

        class Point implements Serializable {
          int x, y
          Point plus(Point o) { new Point(x: x + o.x, y: y + o.y) }
          String toString() { "(${x}, ${y})" }
          static Point origin() { new Point() }
        }
        enum Level { LOW, HIGH }
        interface Shape { int area() }

        @NonCPS
        def pure(List list) { list.sort { a, b -> b <=> a }.collect { it * 2 }.join(',') }
        def useShared() { shared += 1; settings.b = 2; return shared }
        int recursive(int n) { n <= 1 ? 1 : n * recursive(n - 1) }
        def withDefaults(a, b = 5, Map rest = [:]) { "${a} ${b} ${rest}" }
        def varargs(String... all) { all.size() }

        echo "> ${pure([3, 1, 2])} ${useShared()} ${shared} ${settings} ${NAMES}"
        echo "> ${new Point(x: 1, y: 2) + new Point(x: 3, y: 4)} ${Point.origin()} ${Level.HIGH} ${Level.valueOf('LOW').ordinal()}"
        echo "> ${recursive(10)} ${withDefaults(1)} ${withDefaults(1, 2, [c: 3])} ${varargs('a', 'b', 'c')}"
        def json = new JsonSlurperClassic().parseText('{"a": [1, 2, {"b": null}], "c": "d"}')
        echo "> ${json.a[2]} ${json.c} ${JsonOutput.toJson([x: [1, true, null], y: 'z'])}"
        echo "> ${new SimpleDateFormat('yyyy-MM-dd').format(new Date(0L))} ${Math.max(3, 4)} ${UUID.nameUUIDFromBytes('a'.bytes).toString().length()}"
        def m = ('version-1.2.3' =~ /(\\d+)\\.(\\d+)/)
        echo "> ${m[0][1]} ${'a1b22'.replaceAll(/\\d+/) { "<${it}>" }} ${'a,b;c'.split(/[,;]/) as List} ${Pattern.compile('b').matcher('abc').find()}"
        def s = new StringBuilder(); 3.times { s << it }; 1.upto(3) { s << it }; [a: 1, b: 2].each { k, v -> s << k << v }
        echo "> ${s} ${(1..4).inject(0) { acc, n -> acc + n }} ${[1, 2, 3, 4].groupBy { it % 2 }} ${[[1, 2], [3]].flatten()} ${['b', 'a'].sort()}"
        def compose = { x -> x + 1 } >> { x -> x * 10 }
        echo "> ${compose(1)} ${{ a, b -> a * b }.curry(6)(7)} ${['k': 'v'].collectEntries { k, v -> [(v): k] }} ${[3, 1].max()} ${'x' * 3}"
        echo "> ${[1, null, 2]*.toString()} ${json?.none?.deeper} ${settings.z ?: 'elvis'} ${(1..3).toList()[-1]} ${[1, 2, 3][0..1]}"
        def (first, second) = [1, 2]
        switch (second) { case 1: echo 'no'; break; case [2, 3]: echo "> switched ${first}"; break; default: echo 'no' }
        int i = 0; while (true) { if (i++ > 2) break; if (i == 2) continue; echo "> while ${i}" }
        echo "> ${[x: 1].with { it.x }} ${'text'.with { toUpperCase() }} ${'%05.1f'.toString().length()} ${String.format('%03d', 7)} ${'abc'[1..2]} ${'line1\\nline2'.readLines()*.length()}"
        def map = new LinkedHashMap(); map.put('k', 1); map << [l: 2]; echo "> ${map.findAll { it.value > 1 }} ${map.any { k, v -> v == 1 }} ${map*.key}"
        echo "> ${evaluate('1 + 2')} ${new Date() instanceof Date} ${[1, 2] as Set} ${5 as String} ${'5' as int} ${'12'.isInteger()} ${0x1F} ${1_000} ${10.0 / 4}"
        """
    )
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        "6,4,2 11 11 [a:1, b:2] [x, y]",
        "(4, 6) (0, 0) HIGH 0",
        "3628800 1 5 [:] 1 2 [c:3] 3",
        '[b:null] d {"x":[1,true,null],"y":"z"}',
        "1970-01-01 4 36",
        "1 a<1>b<22> [a, b, c] true",
        "012123a1b2 10 [1:[1, 3], 0:[2, 4]] [1, 2, 3] [a, b]",
        "20 42 [v:k] 3 xxx",
        "[1, null, 2] null elvis 3 [1, 2]",
        "switched 1",
        "while 1",
        "while 3",
        "1 TEXT 6 007 bc [5, 5]",
        "[l:2] true [k, l]",
        "3 true [1, 2] 5 5 true 31 1000 2.5",
    ]


def test_load_evaluate_and_this(pipeline: Any) -> None:
    out = pipeline(
        """
        node {
          writeFile file: 'tools.groovy', text: '''
            import groovy.transform.Field
            @Field int calls = 0
            def greet(name) { calls++; echo "> hello ${name} ${calls} ${env.BUILD_NUMBER}"; return this }
            def inShell() { sh(script: 'echo shell', returnStdout: true).trim() }
            return this
          '''
          writeFile file: 'value.groovy', text: 'def x = 20; x + 1'
          writeFile file: 'broken.groovy', text: 'def ('
          def tools = load 'tools.groovy'
          tools.greet('a').greet('b')
          echo "> ${tools.inShell()} ${load('value.groovy')}"
          def self = this
          echo "> ${self.is(this)} ${binding.hasVariable('nope')}"
          new Helper(this).run()
          steps.echo '> by steps'
          this.echo '> by this'
          def name = 'echo'
          "${name}" '> by name'
          def ref = this.&say
          ref('> by reference')
          try { load 'broken.groovy' } catch (e) { echo "> ${e.class.simpleName}" }
          try { load 'none.groovy' } catch (e) { echo "> ${e.class.simpleName}" }
        }
        def say(x) { echo x }
        class Helper implements Serializable {
          def script
          Helper(script) { this.script = script }
          void run() { script.echo "> helper ${script.env.JOB_NAME}"; script.sh 'true' }
        }
        """
    )
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        "hello a 1 1",
        "hello b 2 1",
        "shell 21",
        "true false",
        "helper app",
        "by steps",
        "by this",
        "by name",
        "by reference",
        "CpsCompilationErrorsException",
        "NoSuchFileException",
    ]


def test_branches_share_variables_without_races(pipeline: Any) -> None:
    out = pipeline(
        """
        total = 0
        def list = []
        def jobs = [:]
        for (int i = 0; i < 20; i++) { def n = i; jobs["j${n}"] = { for (int k = 0; k < 20; k++) { total = total + 1; list << n; if (k % 7 == 0) { echo "x" } } } }
        parallel jobs
        echo "> ${total} ${list.size()}"
        """
    )
    assert out.said == ["400 400"]


QUIRKS = [
    ("spread call", "echo \"> ${['a', 'b']*.toUpperCase()}\"", "spread"),
    ("spread list", "def a = [1, 2]; echo \"> ${[0, *a]}\"", "spread"),
    ("spread map", "def a = [b: 1]; echo \"> ${[c: 2, *: a]}\"", "spread"),
    ("map sort", "echo \"> ${[b: 1, a: 2].sort { x, y -> x.key <=> y.key }}\"", "expected to call"),
    ("range loop", "node { for (i in 1..2) { sh 'true' } }; echo '> looped'", "NotSerializableException: groovy.lang.IntRange"),
    ("matcher", "def m = ('a' =~ /a/); sleep time: 1, unit: 'MILLISECONDS'; echo \"> ${m.find()}\"", "NotSerializableException: java.util.regex.Matcher"),
]


@pytest.mark.parametrize(("text", "refusal"), [row[1:] for row in QUIRKS], ids=[row[0] for row in QUIRKS])
def test_quirks(pipeline: Any, text: str, refusal: str) -> None:
    """Lenient mode runs it, and so does a later controller; strict mode refuses it."""
    lenient = pipeline(text)
    assert lenient.result == "SUCCESS", lenient.log
    assert len(lenient.said) == 1
    strict = pipeline(None, config=STRICT)
    assert strict.said != lenient.said
    assert refusal in strict.log.replace("Spread", "spread"), strict.log


def test_strict_sandbox(pipeline: Any) -> None:
    pipeline.commit(
        {
            "Jenkinsfile": """
            def tried(Closure c) { try { c(); return 'allowed' } catch (e) { return e.class.simpleName } }
            echo "> ${tried { new File('/etc/passwd').text }}"
            echo "> ${tried { currentBuild.rawBuild }}"
            echo "> ${tried { Jenkins.instance }}"
            echo "> ${tried { System.getenv('HOME') }}"
            echo "> ${tried { [1].sum() }}"
            """
        }
    )
    strict = pipeline(None, mode="scm", config=STRICT)
    assert strict.said[0] == "RejectedAccessException"
    assert strict.said[1] == "RejectedAccessException"
    assert strict.said[4] == "allowed"
    strict.has("Scripts not permitted to use")
    lenient = pipeline(None, mode="scm")
    assert lenient.said[0] == "allowed"
    assert lenient.said[1] == "RejectedAccessException"


def test_compile_errors(pipeline: Any) -> None:
    out = pipeline("node {\n  echo 'a'\n  def x = \n}\n")
    assert out.result == "FAILURE"
    out.has("startup failed:", "WorkflowScript: 4:", "1 error")
    assert "Start of Pipeline" not in out.log
