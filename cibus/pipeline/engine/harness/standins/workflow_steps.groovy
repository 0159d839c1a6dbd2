package org.jenkinsci.plugins.workflow.steps

import hudson.model.Result
import jenkins.model.CauseOfInterruption

/** A branch of the build was stopped. */
class FlowInterruptedException extends InterruptedException {
    private final Result result
    private final List<CauseOfInterruption> causes
    FlowInterruptedException(Result result, CauseOfInterruption... causes) { this.result = result; this.causes = causes as List }
    FlowInterruptedException(Result result, boolean actual, CauseOfInterruption... causes) { this(result, causes) }
    Result getResult() { result }
    List<CauseOfInterruption> getCauses() { causes }
}

/** A step was used outside of the block that it needs. */
class MissingContextVariableException extends Exception {
    MissingContextVariableException(String message) { super(message) }
}

class TimeoutStepExecution {
    static class ExceededTimeout extends CauseOfInterruption {
        String getShortDescription() { 'Timeout has been exceeded' }
    }
}

/** Causes by name. */
class Interruptions {
    static class Other extends CauseOfInterruption {
        private final String text
        Other(String text) { this.text = text }
        String getShortDescription() { text }
    }

    static CauseOfInterruption cause(String name, String text) {
        switch (name) {
            case 'ExceededTimeout': return new TimeoutStepExecution.ExceededTimeout()
            case 'UserInterruption': return new CauseOfInterruption.UserInterruption(text.replaceFirst('^Aborted by ', ''))
            case 'Rejection': return new org.jenkinsci.plugins.workflow.support.steps.input.Rejection(text.replaceFirst('^Rejected by ', ''))
            case 'FailFastCause': return new org.jenkinsci.plugins.workflow.cps.steps.FailFastCause(text)
            default: return new Other(text)
        }
    }
}
