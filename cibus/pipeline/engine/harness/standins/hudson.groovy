package hudson

/** An expected failure; Jenkins prints its message only. */
class AbortException extends IOException {
    AbortException() { super() }
    AbortException(String message) { super(message) }
}
