package org.jenkinsci.plugins.workflow.cps.steps

/** A sibling branch failed and failFast was set. */
class FailFastCause extends jenkins.model.CauseOfInterruption {
    private final String text
    FailFastCause(String text) { this.text = text }
    String getShortDescription() { text }
}
