package hudson.model

/** A build's result; a higher ordinal is worse. */
class Result implements Serializable {
    static final Result SUCCESS = new Result('SUCCESS', 0)
    static final Result UNSTABLE = new Result('UNSTABLE', 1)
    static final Result FAILURE = new Result('FAILURE', 2)
    static final Result NOT_BUILT = new Result('NOT_BUILT', 3)
    static final Result ABORTED = new Result('ABORTED', 4)
    final String name
    public final int ordinal
    private Result(String name, int ordinal) { this.name = name; this.ordinal = ordinal }
    static Result fromString(String name) { [SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED].find { it.name == name?.toUpperCase() } ?: FAILURE }
    Result combine(Result that) { ordinal > that.ordinal ? this : that }
    boolean isWorseThan(Result that) { ordinal > that.ordinal }
    boolean isWorseOrEqualTo(Result that) { ordinal >= that.ordinal }
    boolean isBetterThan(Result that) { ordinal < that.ordinal }
    boolean isBetterOrEqualTo(Result that) { ordinal <= that.ordinal }
    String toString() { name }
}
