package hudson.model

/** A request that cannot be served, such as a bad name. */
class Failure extends RuntimeException {
    Failure() { super() }
    Failure(String message) { super(message) }
}
