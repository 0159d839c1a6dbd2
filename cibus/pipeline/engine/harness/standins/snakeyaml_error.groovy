package org.yaml.snakeyaml.error

class YAMLException extends RuntimeException {
    YAMLException() { super() }
    YAMLException(String message) { super(message) }
}
