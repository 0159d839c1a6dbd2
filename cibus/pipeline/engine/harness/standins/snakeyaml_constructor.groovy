package org.yaml.snakeyaml.constructor

class ConstructorException extends org.yaml.snakeyaml.error.YAMLException {
    ConstructorException() { super() }
    ConstructorException(String message) { super(message) }
}
