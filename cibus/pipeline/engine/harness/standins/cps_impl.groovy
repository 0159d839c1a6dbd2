package com.cloudbees.groovy.cps.impl

/** Java code called a method or closure of the script, which only CPS code can run. */
class CpsCallableInvocation extends Error {
    final Object receiver
    final String methodName
    final Object[] arguments
    final int depth

    CpsCallableInvocation(Object receiver, String methodName, Object[] arguments, int depth) {
        super(null, null, false, false)
        this.receiver = receiver
        this.methodName = methodName
        this.arguments = arguments
        this.depth = depth
    }

    String toString() {
        def kind = receiver instanceof Closure ? 'com.cloudbees.groovy.cps.impl.CpsClosureDef' : 'com.cloudbees.groovy.cps.impl.CpsFunction'
        def shown = receiver instanceof Closure ? 'org.jenkinsci.plugins.workflow.cps.CpsClosure2@' + Integer.toHexString(System.identityHashCode(receiver)) : String.valueOf(receiver)
        "CpsCallableInvocation{methodName=${methodName}, call=${kind}@${Integer.toHexString(System.identityHashCode(this))}, receiver=${shown}, arguments=${arguments.toList()}}"
    }
}
