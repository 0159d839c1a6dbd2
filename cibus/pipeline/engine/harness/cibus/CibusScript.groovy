package cibus

import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.InvokerHelper

/**
 * The base class of all scripts. It resolves names as Jenkins' CpsScript does: what the script bound, the variables
 * of shared libraries, steps, then the global variables and the environment.
 */
@CompileStatic
abstract class CibusScript extends Script implements Serializable {
    CibusScript() { super() }
    CibusScript(Binding binding) { super(binding) }

    Object getProperty(String name) {
        Binding bound = getBinding()
        if (bound.hasVariable(name)) return bound.getVariable(name)
        switch (name) {
            case 'env': return Scripts.ENV
            case 'steps': return Scripts.STEPS
            case 'params': return Scripts.params()
            case 'binding': return bound
            case 'class': return getClass()
        }
        Object library = Scripts.libraryVariable(name)
        if (library != null) return library
        MetaProperty own = getMetaClass().hasProperty(this, name)
        if (own != null) return own.getProperty(this)
        Object found = Host.call('$variable', [name] as Object[])
        if (found instanceof Missing) throw new MissingPropertyException(name, getClass())
        found
    }

    Object invokeMethod(String name, Object args) {
        Object[] list = (Object[]) args
        Binding variables = getBinding()
        if (variables.hasVariable(name)) {
            Object bound = variables.getVariable(name)
            if (bound instanceof Closure || bound instanceof Script) return InvokerHelper.invokeMethod(bound, 'call', args)
        }
        Object library = Scripts.libraryVariable(name)
        if (library != null) return Scripts.enterLibrary(library, name, list)
        Scripts.step(name, list)
    }

    void println() { Scripts.step('echo', [''] as Object[]) }
    void println(Object value) { Scripts.step('echo', [String.valueOf(value)] as Object[]) }
    void print(Object value) { println(value) }
    void printf(String format, Object value) { println(String.format(format, value)) }
    void printf(String format, Object[] values) { println(String.format(format, values)) }
    Object evaluate(String text) { Scripts.evaluate(text, getBinding()) }
    Object evaluate(File file) { throw new UnsupportedOperationException('evaluate(File) is not supported; use load') }
    Object sleep(long seconds) { Scripts.step('sleep', [seconds] as Object[]) }
}

/** Python's answer for a name that nobody knows. */
class Missing { }
