package cibus

import groovy.transform.CompileStatic

/** Makes the objects of Jenkins' classes that scripts can meet. */
class StandIns {
    private static final Map<String, Class> KINDS = [
        'FileWrapper': org.jenkinsci.plugins.pipeline.utility.steps.fs.FileWrapper,
        'Missing': Missing,
        'Date': Date,
    ]

    static Object make(String name, Map fields) {
        def kind = KINDS[name]
        def made = kind.newInstance()
        fields.each { k, v -> made."$k" = v }
        made
    }

    static Object array(String name, List items) {
        def a = java.lang.reflect.Array.newInstance(KINDS[name] ?: Class.forName(name), items.size())
        items.eachWithIndex { v, i -> a[i] = v }
        a
    }

    /** JSON text values as net.sf.json has them. */
    static Object json(Object v) {
        if (v == null) return net.sf.json.JSONNull.instance
        if (v instanceof List) return new net.sf.json.JSONArray(v.collect { json(it) })
        if (v instanceof Map && !v.containsKey('$')) {
            def o = new net.sf.json.JSONObject()
            v.each { k, e -> o.put(k.startsWith('$') ? k.substring(1) : k, json(e)) }
            return o
        }
        Codec.decode(v)
    }

    static Throwable throwable(String name, String message, String result, List causes) {
        if (name == 'org.jenkinsci.plugins.workflow.steps.FlowInterruptedException') {
            def made = causes.collect { org.jenkinsci.plugins.workflow.steps.Interruptions.cause(it[0] as String, it[1] as String) }
            return new org.jenkinsci.plugins.workflow.steps.FlowInterruptedException(hudson.model.Result.fromString(result), made as jenkins.model.CauseOfInterruption[])
        }
        if (name == 'groovy.lang.MissingMethodException') return new NoMethod(message)
        if (name == 'groovy.lang.ReadOnlyPropertyException') {
            String[] parts = message.replaceFirst(/^.*property: /, '').split(' for class: ')
            return new ReadOnlyPropertyException(parts[0], parts.length > 1 ? parts[1] : 'java.lang.Object')
        }
        try {
            Class c = Class.forName(name, true, StandIns.classLoader)
            return (Throwable) (message == null ? c.newInstance() : c.getConstructor(String).newInstance(message))
        } catch (ReflectiveOperationException ignored) {
            return new RuntimeException(name + ': ' + message)
        }
    }
}

/** A method that an object in Python does not have, with Groovy's message for it. */
class NoMethod extends MissingMethodException {
    private final String text
    NoMethod(String text) { super(text.replaceFirst(/^[^(]*?([\w$]+)\(.*/, '$1'), Object, [] as Object[]); this.text = text }
    String getMessage() { text }
    String toString() { 'groovy.lang.MissingMethodException: ' + text }
}
