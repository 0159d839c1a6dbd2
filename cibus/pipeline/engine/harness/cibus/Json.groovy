package cibus

import groovy.transform.CompileStatic

/** Just enough JSON for the wire: objects, arrays, strings, integers, booleans, null. Fractions are tagged texts. */
@CompileStatic
class Json {
    private final String text
    private int at = 0

    private Json(String text) { this.text = text }

    static Object parse(String text) { new Json(text).value() }

    private Object value() {
        char c = text.charAt(at)
        switch (c) {
            case '{' as char: return object()
            case '[' as char: return array()
            case '"' as char: return string()
            case 't' as char: at += 4; return Boolean.TRUE
            case 'f' as char: at += 5; return Boolean.FALSE
            case 'n' as char: at += 4; return null
            default: return number()
        }
    }

    private Map object() {
        Map result = new LinkedHashMap()
        at++
        if (text.charAt(at) == '}' as char) { at++; return result }
        while (true) {
            String key = string()
            at++
            result.put(key, value())
            if (text.charAt(at++) == '}' as char) return result
        }
    }

    private List array() {
        List result = new ArrayList()
        at++
        if (text.charAt(at) == ']' as char) { at++; return result }
        while (true) {
            result.add(value())
            if (text.charAt(at++) == ']' as char) return result
        }
    }

    private String string() {
        int start = ++at
        int plainEnd = start
        while (true) {
            char c = text.charAt(plainEnd)
            if (c == '"' as char) { at = plainEnd + 1; return text.substring(start, plainEnd) }
            if (c == '\\' as char) break
            plainEnd++
        }
        StringBuilder out = new StringBuilder(text.substring(start, plainEnd))
        at = plainEnd
        while (true) {
            char c = text.charAt(at++)
            if (c == '"' as char) return out.toString()
            if (c != '\\' as char) { out.append(c); continue }
            char e = text.charAt(at++)
            switch (e) {
                case 'n' as char: out.append('\n'); break
                case 'r' as char: out.append('\r'); break
                case 't' as char: out.append('\t'); break
                case 'b' as char: out.append('\b'); break
                case 'f' as char: out.append('\f'); break
                case 'u' as char: out.append((char) Integer.parseInt(text.substring(at, at + 4), 16)); at += 4; break
                default: out.append(e)
            }
        }
    }

    private Object number() {
        int start = at
        while (at < text.length()) {
            char c = text.charAt(at)
            if (c == ',' as char || c == '}' as char || c == ']' as char) break
            at++
        }
        String digits = text.substring(start, at)
        long n
        try { n = Long.parseLong(digits) } catch (NumberFormatException ignored) { return new BigInteger(digits) }
        if (n >= Integer.MIN_VALUE && n <= Integer.MAX_VALUE) return Integer.valueOf((int) n)
        return Long.valueOf(n)
    }

    static void write(StringBuilder out, Object v) {
        if (v == null) out.append('null')
        else if (v instanceof String) quote(out, (String) v)
        else if (v instanceof Boolean || v instanceof Integer || v instanceof Long) out.append(v)
        else if (v instanceof Map) {
            out.append('{')
            boolean first = true
            for (Map.Entry e : ((Map) v).entrySet()) {
                if (!first) out.append(',')
                first = false
                quote(out, (String) e.key)
                out.append(':')
                write(out, e.value)
            }
            out.append('}')
        } else if (v instanceof List) {
            out.append('[')
            boolean first = true
            for (Object o : (List) v) {
                if (!first) out.append(',')
                first = false
                write(out, o)
            }
            out.append(']')
        } else quote(out, v.toString())
    }

    static void quote(StringBuilder out, String s) {
        out.append('"')
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i)
            if (c == '"' as char || c == '\\' as char) out.append('\\').append(c)
            else if (c >= (char) 32 && !Character.isSurrogate(c)) out.append(c)
            else if (c == '\n' as char) out.append('\\n')
            else out.append('\\u').append(hex(((int) c) >> 12)).append(hex(((int) c) >> 8)).append(hex(((int) c) >> 4)).append(hex((int) c))
        }
        out.append('"')
    }

    private static char hex(int n) { '0123456789abcdef'.charAt(n & 15) }
}
