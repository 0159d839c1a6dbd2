package org.jenkinsci.plugins.scriptsecurity.sandbox

/** What the script sandbox throws for what it does not allow. */
class RejectedAccessException extends SecurityException {
    RejectedAccessException(String message) { super(message) }
}
