package net.sf.json.util

import net.sf.json.JSONNull

/** How json-lib writes values. */
class JSONUtils {
    static String quote(String s) {
        if (s == null || s.isEmpty()) return '""'
        def out = new StringBuilder('"')
        char last = 0
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i)
            switch (c) {
                case '\\': case '"': out << '\\' << c; break
                case '/': out << (last == ('<' as char) ? '\\/' : '/'); break
                case '\b': out << '\\b'; break
                case '\t': out << '\\t'; break
                case '\n': out << '\\n'; break
                case '\f': out << '\\f'; break
                case '\r': out << '\\r'; break
                default: out << (c < (' ' as char) ? String.format('\\u%04x', (int) c) : c as String)
            }
            last = c
        }
        out << '"'
        out.toString()
    }

    static String numberToString(Number n) {
        String s = n.toString()
        if (s.indexOf('.') > 0 && !s.toLowerCase().contains('e')) s = s.replaceAll(/0+$/, '').replaceAll(/\.$/, '')
        s
    }

    static String valueToString(Object v) {
        if (v == null || v instanceof JSONNull) return 'null'
        if (v instanceof Number) return numberToString((Number) v)
        if (v instanceof Boolean) return v.toString()
        if (v instanceof Map) return '{' + v.collect { k, e -> quote(k as String) + ':' + valueToString(e) }.join(',') + '}'
        if (v instanceof Collection) return '[' + v.collect { valueToString(it) }.join(',') + ']'
        quote(v.toString())
    }

    static String valueToString(Object v, int factor, int indent) {
        boolean isMap = v instanceof Map
        if (factor == 0 || !(isMap || v instanceof Collection)) return valueToString(v)
        int size = isMap ? ((Map) v).size() : ((Collection) v).size()
        String open = isMap ? '{' : '[', close = isMap ? '}' : ']'
        int inner = size == 1 ? indent : indent + factor
        def items = isMap ? v.collect { k, e -> quote(k as String) + ': ' + valueToString(e, factor, inner) } : v.collect { valueToString(it, factor, inner) }
        if (size == 0) return open + close
        if (size == 1) return open + items[0] + close
        String pad = ' ' * inner
        (' ' * indent) + open + '\n' + items.collect { pad + it }.join(',\n') + '\n' + (' ' * indent) + close
    }
}
