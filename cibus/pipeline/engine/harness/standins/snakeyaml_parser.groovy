package org.yaml.snakeyaml.parser

class ParserException extends org.yaml.snakeyaml.error.YAMLException {
    ParserException() { super() }
    ParserException(String message) { super(message) }
}
