package cibus

/** A small pipeline without Python, so that the start-up cache knows the classes that every run needs. */
class Training {
    static final String SAMPLE = '''
        @Library('none') _
        def common
        def helper(String a) { return "${a}-${env.X}" }
        pipeline {
            agent any
            environment { A = "${B}" }
            options { timeout(time: 1, unit: 'HOURS') }
            stages {
                stage('One') {
                    when { expression { true } }
                    steps {
                        sh 'true'
                        script {
                            def m = [a: 1, b: [1, 2]].collectEntries { k, v -> [(k): "${v}"] }
                            for (x in ['a', 'b']) { echo "x ${x} ${m}" }
                            try { helper('q') } catch (e) { echo e.message }
                        }
                    }
                    post { always { echo 'done' } }
                }
            }
        }
    '''

    static void run() {
        Script s = (Script) Scripts.perform([op: 'compile', source: SAMPLE, name: 'WorkflowScript', strict: false])
        Scripts.perform([op: 'run', h: Codec.hold(s, null)])
        StringBuilder text = new StringBuilder()
        Json.write(text, Codec.result([a: [1, 2.5, 'x', null], g: "v${1}"]))
        Codec.decode(Json.parse(text.toString().replace('"$":"ref"', '"k":"ref"')))
        Host.line()
        Codec.throwable(StandIns.throwable('hudson.AbortException', 'x', null, []))
    }

    static Object answer(String name) {
        switch (name) {
            case '$pipeline.read': return [errors: [], closures: [], model: 'm']
            case '$libraries': return []
            case '$variable': return new Missing()
            default: return null
        }
    }
}
