package cibus

import org.codehaus.groovy.runtime.InvokerHelper

/** How control enters the script's code. */
class Cps {
    static Object enterScript(Script s) { s.run() }
    static Object enterClosure(Closure c, Object[] args) { c.call(args) }
    static Object dispatch(Object receiver, String name, Object[] args) { InvokerHelper.invokeMethod(receiver, name, args) }
    static void beforeStep(String name, Object[] args) { }
}
