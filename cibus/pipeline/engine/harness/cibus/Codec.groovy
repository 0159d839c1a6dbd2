package cibus

import groovy.transform.CompileStatic
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

/** Turns Groovy values into what the wire carries, and back. Objects without a plain form stay here, by handle. */
@CompileStatic
class Codec {
    private static final ConcurrentHashMap<Integer, Object> HELD = new ConcurrentHashMap<>()
    private static final AtomicInteger NEXT = new AtomicInteger()
    private static final int DEEPEST = 200

    static int hold(Object o, List<Integer> frame) {
        int h = NEXT.incrementAndGet()
        HELD.put(h, o)
        if (frame != null) frame.add(h)
        return h
    }

    static Object held(int h) { HELD.get(h) }

    static void release(List<Integer> frame) { for (Integer h : frame) HELD.remove(h) }

    static Object encode(Object v, List<Integer> frame, int depth = 0) {
        if (v == null || v instanceof Boolean || v instanceof Integer || v instanceof String) return v
        if (depth > DEEPEST) throw new IllegalArgumentException('the value given to a step is nested too deeply, or contains itself')
        if (v instanceof GString) return gstring((GString) v)
        if (v instanceof Short || v instanceof Byte) return ((Number) v).intValue()
        if (v instanceof Long) return v
        if (v instanceof Closure) return tag('c', [h: (Object) hold(v, frame)])
        if (v instanceof CharSequence || v instanceof Character) return v.toString()
        if (v instanceof BigInteger) return tag('bi', [s: (Object) v.toString()])
        if (v instanceof BigDecimal) return tag('bd', [s: (Object) v.toString()])
        if (v instanceof Number) return tag('d', [s: (Object) v.toString()])
        if (v instanceof Symbol) return tag('sym', [n: (Object) ((Symbol) v).symbol, a: encode(((Symbol) v).arguments, frame, depth + 1)])
        if (v instanceof Remote) return tag('py', [id: (Object) ((Remote) v).remoteId])
        if (v instanceof net.sf.json.JSONNull) return tag('jn', [:])
        if (v instanceof Map) return map((Map) v, frame, depth)
        if (v instanceof Collection) return list((Collection) v, frame, depth)
        if (v instanceof byte[]) return tag('b64', [s: (Object) Base64.encoder.encodeToString((byte[]) v)])
        if (v.getClass().isArray()) return list(org.codehaus.groovy.runtime.typehandling.DefaultTypeTransformation.asCollection(v), frame, depth)
        if (v instanceof Throwable) return throwable((Throwable) v)
        if (v instanceof hudson.util.Secret) return tag('secret', [s: (Object) v.toString()])
        return tag('o', [h: (Object) hold(v, frame), c: (Object) v.getClass().name, s: (Object) String.valueOf(v)])
    }

    /** A value that leaves a closure: with a handle, so that it can come back as the very same object. */
    static Object result(Object v) {
        if (v == null || v instanceof Boolean || v instanceof Integer || v instanceof String) return v
        List<Integer> frame = new ArrayList<>()
        Object plain
        try { plain = encode(v, frame) } catch (StackOverflowError | IllegalArgumentException ignored) { plain = null }
        return tag('ref', [h: (Object) hold(v, null), v: plain, c: (Object) v.getClass().name, t: org.codehaus.groovy.runtime.typehandling.DefaultTypeTransformation.castToBoolean(v)])
    }

    private static Object gstring(GString g) {
        List parts = new ArrayList()
        for (Object p : g.values) parts.add(p instanceof Closure ? '' : String.valueOf(p))
        return tag('g', [s: (Object) g.toString(), p: parts])
    }

    private static Map map(Map m, List<Integer> frame, int depth) {
        Map out = new LinkedHashMap()
        for (Map.Entry e : (Set<Map.Entry>) m.entrySet()) {
            String key = String.valueOf(e.key)
            out.put(key.startsWith('$') ? '$' + key : key, encode(e.value, frame, depth + 1))
        }
        return out
    }

    private static List list(Collection c, List<Integer> frame, int depth) {
        List out = new ArrayList(c.size())
        for (Object o : c) out.add(encode(o, frame, depth + 1))
        return out
    }

    static Map throwable(Throwable t) {
        Map out = tag('x', [h: (Object) hold(t, null), c: (Object) t.getClass().name, m: t.message, s: (Object) String.valueOf(t)])
        if (t.getClass().classLoader instanceof GroovyClassLoader) out.put('script', true)
        if (t instanceof org.jenkinsci.plugins.workflow.steps.FlowInterruptedException) {
            out.put('r', String.valueOf(((org.jenkinsci.plugins.workflow.steps.FlowInterruptedException) t).result))
            List causes = new ArrayList()
            for (jenkins.model.CauseOfInterruption c : ((org.jenkinsci.plugins.workflow.steps.FlowInterruptedException) t).causes) {
                causes.add([c.getClass().simpleName, c.shortDescription])
            }
            out.put('k', causes)
        }
        return out
    }

    private static Map tag(String kind, Map<String, Object> fields) {
        Map out = new LinkedHashMap()
        out.put('$', kind)
        out.putAll(fields)
        return out
    }

    static Object decode(Object v) {
        if (v instanceof List) {
            List out = new ArrayList(((List) v).size())
            for (Object o : (List) v) out.add(decode(o))
            return out
        }
        if (!(v instanceof Map)) return v
        Map m = (Map) v
        String kind = (String) m.get('$')
        if (kind == null) {
            Map out = new LinkedHashMap()
            for (Map.Entry e : (Set<Map.Entry>) m.entrySet()) {
                String key = (String) e.key
                out.put(key.startsWith('$') ? key.substring(1) : key, decode(e.value))
            }
            return out
        }
        switch (kind) {
            case 'ref': return held((int) m.get('h'))
            case 'd': return Double.valueOf((String) m.get('s'))
            case 'bd': return new BigDecimal((String) m.get('s'))
            case 'l': return Long.valueOf((String) m.get('s'))
            case 'x': return toThrowable(m)
            case 'py': return new Remote((int) m.get('id'), (String) m.get('s'))
            case 'sym': return new Symbol((String) m.get('n'), (Map) decode(m.get('a')))
            case 'hm': return new HashMap((Map) decode(m.get('v')))
            case 'json': return StandIns.json(m.get('v'))
            case 'new': return StandIns.make((String) m.get('c'), (Map) decode(m.get('f')))
            case 'array': return StandIns.array((String) m.get('c'), (List) decode(m.get('v')))
            case 'b64': return Base64.decoder.decode((String) m.get('s'))
            case 'secret': return new hudson.util.Secret((String) m.get('s'))
            default: throw new IllegalStateException('unknown value on the wire: ' + kind)
        }
    }

    static Throwable toThrowable(Map m) {
        Object h = m.get('h')
        if (h != null) {
            Object known = held((int) h)
            if (known instanceof Throwable) return (Throwable) known
        }
        Throwable made = StandIns.throwable((String) m.get('c'), (String) m.get('m'), (String) m.get('r'), (List) m.get('k'))
        List cause = (List) m.get('cause')
        if (cause != null) made.initCause(StandIns.throwable((String) cause[0], (String) cause[1], null, null))
        made
    }
}
