package jenkins.model

/** Why something was interrupted. */
abstract class CauseOfInterruption implements Serializable {
    abstract String getShortDescription()

    static class UserInterruption extends CauseOfInterruption {
        private final String user
        UserInterruption(String user) { this.user = user }
        String getUser() { user }
        String getShortDescription() { 'Aborted by ' + user }
    }
}

/** The controller itself is not here; scripts that reach for it are refused. */
class Jenkins {
    static Jenkins getInstance() { throw new org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException('Scripts not permitted to use staticMethod jenkins.model.Jenkins getInstance') }
    static Jenkins get() { throw new org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException('Scripts not permitted to use staticMethod jenkins.model.Jenkins get') }
}
