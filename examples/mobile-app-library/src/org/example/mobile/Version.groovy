package org.example.mobile

/** A version of three numbers. */
class Version implements Serializable {
    final List<Integer> numbers

    Version(String text) {
        numbers = text.tokenize('.').collect { it as Integer }
    }

    /** The next one: the last number is one higher. */
    String next() {
        (numbers[0..1] + [numbers[2] + 1]).join('.')
    }
}
