package org.yaml.snakeyaml.scanner

class ScannerException extends org.yaml.snakeyaml.error.YAMLException {
    ScannerException() { super() }
    ScannerException(String message) { super(message) }
}
