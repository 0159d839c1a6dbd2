package cibus

import groovy.transform.CompileStatic

/** A describable given by its symbol, such as `string(name: 'X')` or `logRotator(...)`: data for Python. */
@CompileStatic
class Symbol implements Serializable {
    final String symbol
    final Map arguments
    Symbol(String symbol, Map arguments) { this.symbol = symbol; this.arguments = arguments }
    String toString() { "@${symbol}${arguments}" }
}

/** An object that lives in Python: properties and methods are asked for there. */
class Remote extends GroovyObjectSupport implements Serializable {
    private final int id
    private final String text
    Remote(int id, String text) { this.id = id; this.text = text }
    int getRemoteId() { id }

    Object getProperty(String name) {
        if (name == 'remoteId') return id
        if (name == 'class') return getClass()
        Host.call('$get', [id, name] as Object[])
    }
    void setProperty(String name, Object value) { Host.call('$set', [id, name, value] as Object[]) }
    Object invokeMethod(String name, Object args) { Host.call('$invoke', [id, name, args as List] as Object[]) }
    Object methodMissing(String name, Object args) { Host.call('$invoke', [id, name, args as List] as Object[]) }
    Object getAt(Object key) { key instanceof String ? getProperty(key) : Host.call('$invoke', [id, 'getAt', [key]] as Object[]) }
    boolean equals(Object o) { o instanceof Remote && o.remoteId == id }
    int hashCode() { id }
    String toString() { text }
}

/** The environment, as scripts see it: `env.NAME`. */
class Env extends GroovyObjectSupport implements Serializable {
    Object getProperty(String name) {
        if (name == 'class') return getClass()
        if (name == 'environment') return getEnvironment()
        Host.call('$env', [name] as Object[])
    }
    void setProperty(String name, Object value) { Host.call('$setenv', [name, String.valueOf(value)] as Object[]) }
    Map getEnvironment() { (Map) Host.call('$environment', [] as Object[]) }
    Object getAt(String name) { getProperty(name) }
    void putAt(String name, Object value) { setProperty(name, value) }
    String toString() { 'org.jenkinsci.plugins.workflow.cps.EnvActionImpl@1' }
}

/** `steps.NAME(...)`: the steps without the script around them. */
class Steps extends GroovyObjectSupport implements Serializable {
    Object invokeMethod(String name, Object args) { Scripts.step(name, (Object[]) args) }
    Object getProperty(String name) {
        if (name == 'class') return getClass()
        throw new MissingPropertyException(name, getClass())
    }
}
