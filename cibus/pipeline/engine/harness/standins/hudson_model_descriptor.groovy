package hudson.model

class Descriptor {
    /** Arguments that a step does not take. */
    static class FormException extends Exception {
        FormException() { super() }
        FormException(String message) { super(message) }
    }
}
