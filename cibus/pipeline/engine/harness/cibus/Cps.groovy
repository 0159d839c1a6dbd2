package cibus

import groovy.transform.CompileStatic
import java.lang.reflect.Constructor
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import org.codehaus.groovy.runtime.InvokerHelper
import org.codehaus.groovy.runtime.ScriptBytecodeAdapter

/**
 * How control enters the script's code, and, in strict mode, what an older controller's CPS makes of it.
 *
 * Jenkins interprets a script's methods and closures step by step. Java code that calls one of them does not get its
 * value: an error, CpsCallableInvocation, travels up to the script's own call, which then takes the called code's value
 * for that of the call it made (https://www.jenkins.io/redirect/pipeline-cps-method-mismatches/).
 */
@CompileStatic
class Cps {
    /** The methods of groovy-cps' CpsDefaultGroovyMethods: Groovy's own that call closures and work under CPS. */
    private static final Set<String> FRIENDLY = ['any', 'asType', 'collate', 'collect', 'collectEntries', 'collectMany', 'collectNested', 'count', 'countBy',
        'downto', 'dropWhile', 'each', 'eachByte', 'eachWithIndex', 'every', 'find', 'findAll', 'findIndexOf', 'findIndexValues', 'findLastIndexOf',
        'findResult', 'findResults', 'getAt', 'groupBy', 'groupEntriesBy', 'inject', 'max', 'min', 'permutations', 'removeAll', 'retainAll', 'reverseEach', 'sort',
        'split', 'step', 'sum', 'takeWhile', 'times', 'toSorted', 'toUnique', 'unique', 'upto', 'use', 'withDefault', 'eachCombination', 'eachPermutation', 'indexed',
        'curry', 'rcurry', 'ncurry', 'replaceAll', 'tap', 'metaClass', 'with', 'eachLine', 'tokenize', 'computeIfAbsent', 'memoize', 'rehydrate'] as Set<String>

    @CompileStatic
    static class State {
        String expected
        boolean allow
        int depth = 0
        int base = 0
        int level = 1
        final ArrayList<Local> locals = new ArrayList<>()
    }

    @CompileStatic
    static class Local {
        final int depth, level
        final String name
        Object value
        boolean loop = false
        Local(int depth, int level, String name, Object value) { this.depth = depth; this.level = level; this.name = name; this.value = value }
    }

    private static final ThreadLocal<State> STATE = new ThreadLocal<State>() { protected State initialValue() { new State() } }

    // -- from Python

    static Object enterScript(Script s) { Scripts.strict ? enter('run') { s.run() } : s.run() }

    static Object enterClosure(Closure c, Object[] args) { Scripts.strict ? enter('call') { pass(c, args) } : pass(c, args) }

    /** Not just `c.call(args)`: that would hand the array itself to a closure with one parameter. */
    private static Object pass(Closure c, Object[] args) {
        switch (args.length) {
            case 0: return c.call()
            case 1: return c.call(args[0])
            case 2: return c.call(args[0], args[1])
            default: return c.call(args[0], args[1], args[2])
        }
    }

    static Object dispatch(Object receiver, String name, Object[] args) {
        Scripts.strict ? call(receiver, name, args, false) : InvokerHelper.invokeMethod(receiver, name, args)
    }

    private static Object enter(String name, Closure work) {
        State s = STATE.get()
        String expected = s.expected
        boolean allow = s.allow
        int depth = s.depth, base = s.base
        s.expected = name
        s.allow = false
        s.base = s.depth
        try {
            return work.call()
        } finally {
            s.expected = expected
            s.allow = allow
            s.depth = depth
            s.base = base
            forget(s, depth)
        }
    }

    // -- calls of the script

    static Object implicit(Closure self, Object name, Object[] args) { invoke(self, String.valueOf(name), args, self.thisObject) }

    static Object call(Object receiver, Object name, Object[] args, boolean safe) {
        if (receiver == null && safe) return null
        String n = String.valueOf(name)
        if (receiver instanceof Closure && n == 'call') return invoke(receiver, n, args, receiver)
        invoke(receiver, n, args, receiver)
    }

    private static Object invoke(Object receiver, String name, Object[] args, Object shown) {
        Sandbox.check(receiver, name, args)
        State s = STATE.get()
        String expected = s.expected
        boolean allow = s.allow
        int depth = s.depth, base = s.base
        // a curried or composed closure is Java's, which calls the script's closures in its turn
        boolean javas = receiver instanceof Closure && !(receiver.getClass().classLoader instanceof GroovyClassLoader)
        s.expected = javas ? null : name
        s.base = depth
        s.allow = name in FRIENDLY && !(receiver instanceof Script) && !(shown instanceof Script && receiver instanceof Closure) && !isMapSort(receiver, name, args)
        if (receiver instanceof org.codehaus.groovy.runtime.MethodClosure) s.allow = true
        if (s.allow && receiver instanceof Range) s.locals.add(new Local(depth, Integer.MAX_VALUE, 'self', receiver))
        try {
            if (name == 'with' && args.length == 1 && args[0] instanceof Closure) return InvokerHelper.invokeMethod(args[0], 'call', [receiver] as Object[])
            return perform(receiver, name, args)
        } catch (com.cloudbees.groovy.cps.impl.CpsCallableInvocation inv) {
            if (inv.depth != depth) throw inv
            if (inv.methodName != name && !closureProperty(shown, name)) mismatch(shown, name, inv)
            s.expected = inv.methodName
            s.allow = false
            return perform(inv.receiver, inv.methodName, inv.arguments)
        } finally {
            s.expected = expected
            s.allow = allow
            s.depth = depth
            s.base = base
            forget(s, depth)
            if (s.locals.size() > 0 && s.locals.get(s.locals.size() - 1).level == Integer.MAX_VALUE && s.locals.get(s.locals.size() - 1).depth == depth) s.locals.remove(s.locals.size() - 1)
        }
    }

    private static boolean isMapSort(Object receiver, String name, Object[] args) { name == 'sort' && receiver instanceof Map && args.length == 1 && args[0] instanceof Closure }

    private static boolean closureProperty(Object receiver, String name) {
        if (receiver instanceof Map) return ((Map) receiver).get(name) instanceof Closure
        (receiver != null && InvokerHelper.getMetaClass(receiver).hasProperty(receiver, name) != null)
    }

    private static Object perform(Object receiver, String name, Object[] args) {
        try {
            if (receiver instanceof Class) return InvokerHelper.invokeMethod(receiver, name, args)
            return InvokerHelper.invokeMethod(receiver, name, args)
        } catch (GroovyRuntimeException e) {
            throw ScriptBytecodeAdapter.unwrap(e)
        }
    }

    private static void mismatch(Object receiver, String name, com.cloudbees.groovy.cps.impl.CpsCallableInvocation inv) {
        Host.call('$log', ['expected to call ' + type(receiver) + '.' + name + ' but wound up catching ' + type(inv.receiver) + '.' + inv.methodName
            + '; see: https://jenkins.io/redirect/pipeline-cps-method-mismatches/'] as Object[])
    }

    private static String type(Object o) {
        if (o instanceof Class) return ((Class) o).name
        if (o instanceof Closure) return 'org.jenkinsci.plugins.workflow.cps.CpsClosure2'
        o == null ? 'null' : o.getClass().name
    }

    static Object construct(Class type, Object[] args) {
        Sandbox.checkNew(type, args)
        State s = STATE.get()
        String expected = s.expected
        s.expected = '<init>'
        try {
            return InvokerHelper.invokeConstructorOf(type, args)
        } catch (GroovyRuntimeException e) {
            throw ScriptBytecodeAdapter.unwrap(e)
        } finally {
            s.expected = expected
        }
    }

    /** A property that is read: of a map it may be a closure's value (withDefault). */
    static Object property(Object receiver, String name, boolean safe) {
        if (receiver == null && safe) return null
        if (receiver instanceof Map) return invoke(receiver, 'getAt', [name] as Object[], receiver)
        InvokerHelper.getProperty(receiver, name)
    }

    static Object staticProperty(Class type, String name) {
        Sandbox.checkStaticProperty(type, name)
        InvokerHelper.getProperty(type, name)
    }

    // -- entering the script's methods and closures

    /** True where Java code, and not the script, calls. */
    static boolean foreign(String name) {
        State s = STATE.get()
        if (s.expected == name || (name == 'call' && s.expected == 'doCall')) { s.expected = null; entered(); return false }
        if (s.allow) { entered(); return false }
        if (s.expected != null && name == 'call' && s.expected == 'evaluate') { entered(); return false }
        true
    }

    static void entered() {
        State s = STATE.get()
        s.depth = s.base + 1
        forget(s, s.base)
    }

    static Throwable invocation(Object self, String name, List args) {
        new com.cloudbees.groovy.cps.impl.CpsCallableInvocation(self, name, args.toArray(), STATE.get().depth)
    }

    // -- what is in scope

    private static void forget(State s, int depth) {
        ArrayList<Local> l = s.locals
        while (!l.isEmpty() && l.get(l.size() - 1).depth > depth) l.remove(l.size() - 1)
    }

    static void local(int level, String name, Object value) {
        State s = STATE.get()
        s.locals.add(new Local(s.depth, level, name, value))
    }

    static void assigned(int level, String name, Object value) {
        ArrayList<Local> l = STATE.get().locals
        for (int i = l.size() - 1; i >= 0; i--) if (l.get(i).name == name) { l.get(i).value = value; return }
    }

    static void leave(int level) {
        State s = STATE.get()
        s.level = level
        ArrayList<Local> l = s.locals
        while (!l.isEmpty()) {
            Local last = l.get(l.size() - 1)
            if (last.depth < s.depth || last.level < level || last.level == Integer.MAX_VALUE) return
            l.remove(l.size() - 1)
        }
    }

    static Object iterated(int level, Object collection) {
        if (collection instanceof Range) local(level, '$range', collection)
        collection
    }

    static void loopVariable(int level, String name, Object value) {
        local(level, name, value)
        List<Local> l = STATE.get().locals
        l.get(l.size() - 1).loop = true
    }

    /** The class of a local variable that could not be saved here, and the way to it; null where all can be saved. */
    static List<String> unsaved() {
        State s = STATE.get()
        for (Local l : s.locals) {
            Object v = l.value
            if (v == null) continue
            if (v instanceof Range) return way(s, l)
            if (v instanceof Serializable || v instanceof Iterator || v instanceof Script || v instanceof GroovyObject) continue
            return way(s, l)
        }
        null
    }

    private static final List<String> EACH = ['Function', '>Block', '<Function', '>Block', '<Function', '>Block', '>LoopBlock', '>Block', '<Closure', '>Block', '>Block']

    /** The class, then the environments from the variable to the step's call, as Jenkins' message names them: `>` its block, `<` its caller. */
    private static List<String> way(State s, Local l) {
        List<String> out = [l.value.getClass().name]
        if (l.level == Integer.MAX_VALUE) out.addAll(EACH)
        else if (l.loop) out.addAll(['LoopBlock', '>Block', '>Block'])
        else out.add('Block')
        if (l.level != Integer.MAX_VALUE) for (int i = l.level; i < s.level; i++) out.add('>Block')
        out.add('<Function')
        out
    }

    static void beforeStep(String name, Object[] args) { }
}

/** What the script sandbox refuses: the signatures that script-security lists as dangerous, and their kin. */
@CompileStatic
class Sandbox {
    private static final List<String> PACKAGES = ['java.io.File', 'java.io.FileReader', 'java.io.FileWriter', 'java.io.FileInputStream', 'java.io.FileOutputStream', 'java.io.RandomAccessFile', 'java.util.concurrent.Executors', 'java.nio.file.', 'java.net.', 'java.lang.reflect.', 'java.lang.Runtime', 'java.lang.ProcessBuilder',
        'java.lang.Thread', 'java.lang.ClassLoader', 'groovy.lang.GroovyShell', 'groovy.lang.GroovyClassLoader', 'groovy.util.Eval', 'jenkins.', 'hudson.',
        'javax.script.', 'java.util.Timer', 'java.sql.']
    private static final List<String> ALLOWED = ['hudson.AbortException', 'hudson.model.Result', 'hudson.util.Secret', 'java.net.URLEncoder', 'java.net.URLDecoder',
        'java.net.URI', 'jenkins.model.CauseOfInterruption']
    private static final Set<String> SYSTEM = ['exit', 'getenv', 'getProperty', 'getProperties', 'setProperty', 'load', 'loadLibrary', 'gc', 'setOut', 'setErr'] as Set<String>
    private static final Set<String> CLASS = ['forName', 'getClassLoader', 'newInstance', 'getMethod', 'getDeclaredMethod', 'getMethods', 'getDeclaredMethods', 'getField', 'getDeclaredField', 'getConstructor'] as Set<String>

    static void check(Object receiver, String name, Object[] args) {
        if (receiver instanceof Class) {
            Class type = (Class) receiver
            if (type.name == 'java.lang.System' && name in SYSTEM) refuse(signature('staticMethod', type, name, args))
            if (type.name == 'java.lang.Class' && name in CLASS) refuse(signature('staticMethod', type, name, args))
            if (dangerous(type)) refuse(signature('staticMethod', type, name, args))
            if (name in CLASS && type.name != 'java.lang.Class') refuse('method java.lang.Class ' + name + types(args))
            return
        }
        if (receiver == null) return
        if (name == 'execute' && (receiver instanceof CharSequence || receiver instanceof List || receiver.getClass().array)) {
            refuse('staticMethod org.codehaus.groovy.runtime.DefaultGroovyMethods execute ' + (receiver instanceof CharSequence ? 'java.lang.String' : 'java.util.List') + types(args))
        }
        if (dangerous(receiver.getClass())) refuse(signature('method', receiver.getClass(), name, args))
    }

    static void checkNew(Class type, Object[] args) {
        if (!dangerous(type)) return
        for (Constructor c : type.constructors) {
            if (fits(c.parameterTypes, args)) refuse('new ' + type.name + names(c.parameterTypes))
        }
        refuse('new ' + type.name + types(args))
    }

    static void checkStaticProperty(Class type, String name) {
        String getter = 'get' + name.capitalize()
        boolean isField = type.fields.any { java.lang.reflect.Field f -> f.name == name }
        if (isField) return
        if (dangerous(type) || (type.name == 'java.lang.System' && getter in SYSTEM)) refuse('staticMethod ' + type.name + ' ' + getter)
    }

    private static boolean dangerous(Class type) {
        String n = type.name
        if (type.classLoader instanceof GroovyClassLoader) return false
        PACKAGES.any { String p -> p.endsWith('.') ? n.startsWith(p) : n == p || n.startsWith(p + '$') } && !(n in ALLOWED)
    }

    private static String signature(String kind, Class type, String name, Object[] args) {
        for (Method m : type.methods) {
            if (m.name == name && Modifier.isStatic(m.modifiers) == (kind == 'staticMethod') && fits(m.parameterTypes, args)) return kind + ' ' + m.declaringClass.name + ' ' + name + names(m.parameterTypes)
        }
        kind + ' ' + type.name + ' ' + name + types(args)
    }

    private static boolean fits(Class[] parameters, Object[] args) {
        if (parameters.length != args.length) return false
        for (int i = 0; i < args.length; i++) {
            if (args[i] == null) continue
            Class given = args[i] instanceof GString ? String : args[i].getClass()
            Class wanted = org.codehaus.groovy.ast.ClassHelper.getWrapper(org.codehaus.groovy.ast.ClassHelper.make(parameters[i])).typeClass
            boolean number = Number.isAssignableFrom(given) && Number.isAssignableFrom(wanted)
            if (!number && !wanted.isAssignableFrom(given)) return false
        }
        true
    }

    private static String names(Class[] types) { types.collect { Class c -> ' ' + c.canonicalName }.join('') }
    private static String types(Object[] args) { args.collect { Object o -> ' ' + (o == null ? 'null' : o instanceof GString ? 'java.lang.String' : o.getClass().name) }.join('') }

    private static void refuse(String signature) {
        Host.call('$log', ['Scripts not permitted to use ' + signature + '. Administrators can decide whether to approve or reject this signature.'] as Object[])
        throw new org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException('Scripts not permitted to use ' + signature)
    }
}
