package hudson.util

/** A password parameter's value. */
class Secret implements Serializable {
    private final String value
    Secret(String value) { this.value = value }
    String getPlainText() { value }
    static String toString(Secret s) { s?.value }
    static Secret fromString(String s) { new Secret(s) }
    boolean equals(Object o) { o instanceof Secret && o.value == value }
    int hashCode() { value.hashCode() }
    String toString() { value }
}
