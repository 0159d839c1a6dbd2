package cibus

import groovy.transform.CompileStatic
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.MultipleCompilationErrorsException
import org.codehaus.groovy.control.customizers.ImportCustomizer
import org.codehaus.groovy.runtime.InvokerHelper
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

/** Compiles and runs scripts: the Jenkinsfile, what it loads, and the variables of shared libraries. */
@CompileStatic
class Scripts {
    static final Env ENV = new Env()
    static final Steps STEPS = new Steps()
    static volatile boolean strict = false
    private static final Binding BINDING = new Binding()
    private static final AtomicInteger COUNT = new AtomicInteger()
    private static final ConcurrentHashMap<String, File> VARIABLES = new ConcurrentHashMap<>()
    private static final ConcurrentHashMap<String, String> SHOWN_AS = new ConcurrentHashMap<>()
    private static final ConcurrentHashMap<String, Object> INSTANCES = new ConcurrentHashMap<>()
    private static GroovyClassLoader loader

    private static CompilerConfiguration configuration() {
        CompilerConfiguration c = new CompilerConfiguration()
        c.scriptBaseClass = 'cibus.CibusScript'
        c.optimizationOptions.put('asmResolving', false)
        ImportCustomizer imports = new ImportCustomizer()
        imports.addStarImports('com.cloudbees.groovy.cps', 'hudson.model', 'jenkins.model')
        imports.addImports('org.jenkinsci.plugins.workflow.libs.Library')
        c.addCompilationCustomizers(imports)
        c.addCompilationCustomizers(new Declarative())
        if (strict) c.addCompilationCustomizers(new CpsTransform())
        c
    }

    private static synchronized GroovyClassLoader loader() {
        if (loader == null) loader = new GroovyClassLoader(Scripts.classLoader, configuration())
        loader
    }

    static Class loaderFor(String name) { loader().loadClass(name) }

    /** Does what Python asked for on this thread and gives the value. */
    static Object perform(Map message) {
        switch ((String) message.get('op')) {
            case 'compile': return compile((String) message.get('source'), (String) message.get('name'), message.get('strict') as Boolean)
            case 'run': return Cps.enterScript((Script) Codec.held((int) message.get('h')))
            case 'invoke': return Cps.enterClosure((Closure) Codec.held((int) message.get('h')), ((List) Codec.decode(message.get('a'))).toArray())
            case 'library': addLibrary(message); return null
            case 'variable': return enterLibrary(libraryVariable((String) message.get('name')), (String) message.get('name'), ((List) Codec.decode(message.get('a'))).toArray())
            case 'unsaved': return Cps.unsaved()
            case 'classes': return new LoadedClasses('')
            case 'variables': return Variables.keep(BINDING)
            case 'restore': Variables.restore((Map) Codec.decode(message.get('v')), BINDING) { compile((String) it, null, null) }; return null
            default: throw new IllegalStateException('unknown request: ' + message.get('op'))
        }
    }

    private static Script compile(String source, String name, Boolean wantStrict) {
        if (wantStrict != null) strict = wantStrict
        String shown = name == null ? 'Script' + COUNT.incrementAndGet() + '.groovy' : name
        Class c = parse(source, shown, name != null)
        if (name == null) Variables.loaded(c, source)
        instance(c)
    }

    private static Script instance(Class c) {
        if (!Script.isAssignableFrom(c)) return new ClassHolder(c)
        Script s = (Script) c.newInstance()
        s.binding = BINDING
        s
    }

    private static Class parse(String source, String shown, boolean main) {
        GroovyCodeSource code = new GroovyCodeSource(source, shown, '/groovy/script')
        code.cachable = false
        try {
            return loader().parseClass(code)
        } catch (MultipleCompilationErrorsException e) {
            if (main) throw e
            throw new org.jenkinsci.plugins.workflow.cps.CpsCompilationErrorsException(e)
        }
    }

    static Object evaluate(String text, Binding binding) {
        Script s = instance(parse(text, 'Script' + COUNT.incrementAndGet() + '.groovy', false))
        s.binding = binding
        Cps.enterScript(s)
    }

    static Object step(String name, Object[] args) {
        if (strict) Cps.beforeStep(name, args)
        Host.call(name, args)
    }

    static Map params() { Collections.unmodifiableMap((Map) Host.call('$params', new Object[0])) }

    static void addLibrary(Map info) {
        GroovyClassLoader l = loader()
        for (Object dir : (List) info.get('src')) l.addClasspath((String) dir)
        for (Map.Entry e : (Set<Map.Entry>) ((Map) info.get('vars')).entrySet()) {
            VARIABLES.put((String) e.key, new File((String) e.value))
            SHOWN_AS.put((String) e.key, (String) ((Map) info.get('shown')).get(e.key))
        }
    }

    /** The library variable of that name, compiled when it is first used; null where there is none. */
    static Object libraryVariable(String name) {
        File file = VARIABLES.get(name)
        if (file == null) return null
        Object known = INSTANCES.get(name)
        if (known != null) return known
        synchronized (INSTANCES) {
            known = INSTANCES.get(name)
            if (known != null) return known
            Class c = parse(file.getText('UTF-8'), SHOWN_AS.get(name), false)
            Object made = c.newInstance()
            INSTANCES.put(name, made)
            return made
        }
    }

    static Object enterLibrary(Object variable, String name, Object[] args) {
        List found = variable.metaClass.respondsTo(variable, 'call')
        if (found.isEmpty() && !(variable instanceof Closure)) throw new MissingMethodException('call', variable.getClass(), args)
        Cps.dispatch(variable, 'call', args)
    }
}

/** A loaded file that defines a class and no script: running it gives nothing. */
@CompileStatic
class ClassHolder extends Script {
    final Class held
    ClassHolder(Class held) { this.held = held }
    Object run() { null }
}

/** What `library('x')` returns: packages and classes by name, `new` and static methods on them. */
class LoadedClasses extends GroovyObjectSupport implements Serializable {
    private final String prefix
    LoadedClasses(String prefix) { this.prefix = prefix }
    Object getProperty(String name) {
        if (name == 'class') return getClass()
        if (!prefix || !Character.isUpperCase(prefix.charAt(Math.max(prefix.lastIndexOf('.'), prefix.lastIndexOf('$')) + 1))) return new LoadedClasses(prefix ? prefix + '.' + name : name)
        Class c = Scripts.loaderFor(prefix)
        java.lang.reflect.Field field = c.fields.find { java.lang.reflect.Field f -> f.name == name }
        field == null ? new LoadedClasses(prefix + '$' + name) : field.get(null)
    }
    Object invokeMethod(String name, Object args) {
        Class c = Scripts.loaderFor(prefix)
        name == 'new' ? InvokerHelper.invokeConstructorOf(c, args) : InvokerHelper.invokeStaticMethod(c, name, args)
    }
}
