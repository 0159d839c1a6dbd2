package org.yaml.snakeyaml.composer

class ComposerException extends org.yaml.snakeyaml.error.YAMLException {
    ComposerException() { super() }
    ComposerException(String message) { super(message) }
}
