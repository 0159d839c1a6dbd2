package org.yaml.snakeyaml.reader

class ReaderException extends org.yaml.snakeyaml.error.YAMLException {
    ReaderException() { super() }
    ReaderException(String message) { super(message) }
}
