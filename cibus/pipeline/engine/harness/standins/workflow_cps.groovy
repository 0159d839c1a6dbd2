package org.jenkinsci.plugins.workflow.cps

import org.codehaus.groovy.control.MultipleCompilationErrorsException

/** A loaded or library file does not compile. */
class CpsCompilationErrorsException extends RuntimeException {
    CpsCompilationErrorsException(MultipleCompilationErrorsException e) { super(e.message) }
    CpsCompilationErrorsException(String message) { super(message) }
}
