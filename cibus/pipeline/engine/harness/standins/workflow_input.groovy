package org.jenkinsci.plugins.workflow.support.steps.input

/** Somebody said no to an input. */
class Rejection extends jenkins.model.CauseOfInterruption {
    private final String user
    Rejection(String user) { this.user = user }
    String getUser() { user }
    String getShortDescription() { 'Rejected by ' + user }
}
