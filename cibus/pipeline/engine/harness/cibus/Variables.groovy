package cibus

import groovy.transform.CompileStatic
import java.lang.reflect.Field

/**
 * The script's variables, to be kept before a stage and brought back by a later run: those of the binding, and the
 * local ones before the pipeline block that its closures share. A loaded script is kept as the text it was compiled
 * from.
 */
@CompileStatic
class Variables {
    static final String LOADED = '$loaded'
    private static final Map<Class, String> SOURCES = Collections.synchronizedMap(new HashMap<Class, String>())
    private static Map<String, Reference> locals = [:]

    /** Notes what a loaded file's class was compiled from. */
    static void loaded(Class c, String source) { SOURCES.put(c, source) }

    /** Notes the local variables that the closures of the pipeline block share. */
    static void share(Collection closures) {
        Map<String, Reference> found = new LinkedHashMap<>()
        for (Object closure : closures) {
            for (Field field : closure.getClass().declaredFields) {
                if (field.type != Reference) continue
                field.accessible = true
                found.put(field.name, (Reference) field.get(closure))
            }
        }
        locals = found
    }

    /** What can be kept, and the names of what cannot. */
    static Map keep(Binding binding) {
        Map all = new LinkedHashMap(binding.variables)
        for (Map.Entry<String, Reference> e : locals.entrySet()) all.put(e.key, e.value.get())
        Map kept = new LinkedHashMap()
        List lost = []
        for (Map.Entry e : (Set<Map.Entry>) all.entrySet()) {
            String source = e.value == null ? null : SOURCES.get(e.value.getClass())
            if (source != null) kept.put(e.key, [(LOADED): source])
            else if (plain(e.value, 0)) kept.put(e.key, e.value)
            else lost.add(e.key)
        }
        [kept: kept, lost: lost]
    }

    /** Brings them back. */
    static void restore(Map kept, Binding binding, Closure<Script> compile) {
        for (Map.Entry e : (Set<Map.Entry>) kept.entrySet()) {
            Object value = e.value instanceof Map && ((Map) e.value).containsKey(LOADED) ? compile.call(((Map) e.value).get(LOADED)) : e.value
            Reference local = locals.get(e.key)
            if (local != null) local.set(value)
            else binding.setVariable((String) e.key, value)
        }
    }

    private static boolean plain(Object v, int depth) {
        if (depth > 20) return false
        if (v == null || v instanceof Boolean || v instanceof Number || v instanceof CharSequence) return true
        if (v instanceof Map) return ((Map) v).every { k, e -> k instanceof CharSequence && plain(e, depth + 1) }
        if (v instanceof List) return ((List) v).every { plain(it, depth + 1) }
        false
    }
}
