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
    String toString() { groovy.json.JsonOutput.toJson(JSONText.plain(this)) }
}

class JSONArray extends ArrayList {
    JSONArray() { super() }
    JSONArray(Collection c) { super(c) }
    String toString() { groovy.json.JsonOutput.toJson(JSONText.plain(this)) }
}

/** JSON's null: an object that prints as null and is not Groovy's null. */
class JSONNull implements Serializable {
    static final JSONNull instance = new JSONNull()
    static JSONNull getInstance() { instance }
    boolean equals(Object o) { o instanceof JSONNull || o == 'null' }
    int hashCode() { 42 }
    String toString() { 'null' }
}

class JSONText {
    static Object plain(Object o) {
        if (o instanceof JSONNull) return null
        if (o instanceof Map) return o.collectEntries { k, v -> [(k as String): plain(v)] }
        if (o instanceof Collection) return o.collect { plain(it) }
        o
    }
}
