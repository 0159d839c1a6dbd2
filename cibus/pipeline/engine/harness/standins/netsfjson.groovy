package net.sf.json

/** A JSON object: a map that keeps its order. */
class JSONObject extends LinkedHashMap {
    JSONObject() { super() }
    Object getProperty(String name) { name == 'class' ? getClass() : get(name) }
    static JSONObject fromObject(Object o) { (JSONObject) cibus.StandIns.json(o instanceof CharSequence ? new groovy.json.JsonSlurperClassic().parseText(o.toString()) : o) }
    boolean isNullObject() { false }
    String getString(String key) { String.valueOf(get(key)) }
    boolean has(String key) { containsKey(key) }
    Object opt(String key) { get(key) }
    String toString() { net.sf.json.util.JSONUtils.valueToString(this) }
    String toString(int indent) { net.sf.json.util.JSONUtils.valueToString(this, indent, 0) }
}

class JSONArray extends ArrayList {
    JSONArray() { super() }
    JSONArray(Collection c) { super(c) }
    String toString() { net.sf.json.util.JSONUtils.valueToString(this) }
    String toString(int indent) { net.sf.json.util.JSONUtils.valueToString(this, indent, 0) }
}

/** JSON's null: an object that prints as null and is not Groovy's null. */
class JSONNull implements Serializable {
    static final JSONNull instance = new JSONNull()
    static JSONNull getInstance() { instance }
    boolean equals(Object o) { o instanceof JSONNull || o == 'null' }
    int hashCode() { 42 }
    String toString() { 'null' }
}
